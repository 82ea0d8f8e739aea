package embedded_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/account/accounttest"
	"spillway.example/services/internal/embedded"
	"spillway.example/services/internal/mail"
)

// TestErasedToTheLastByte deletes accounts among others and looks for their names and
// addresses in the bytes of the files: nothing is left on pages that are free, in the
// write-ahead log, or among the mails, and all is that belongs to the others.
func TestErasedToTheLastByte(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, other := open(t, dir), open(t, dir) // another process has the file open, too
	outbox := mail.NewOutbox(s, io.Discard)
	d := s.Directory(outbox)
	replays := account.NewReplays(account.ReplaysConfig{Records: s, Key: bytes.Repeat([]byte{1}, 32)})
	r := account.NewRegistrar(account.RegistrarConfig{
		Directory: d, Claims: s, Profiles: s, Mailer: outbox, Replays: replays, Revoker: account.NewRevoker(account.RevokerConfig{Denials: s}),
	})
	const people, gone = 40, 20
	name := func(i int) string { return fmt.Sprintf("somebody%04d", i) }
	email := func(i int) string { return fmt.Sprintf("%s@mail%04d.example", name(i), i) }
	who := make([]account.Identity, people)
	for i := range people {
		in := account.Registration{Username: name(i), Password: accounttest.Password, Email: email(i)}
		made, err := r.Register(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Confirm(t.Context(), account.Confirmation{
			Username: name(i), Code: newestCode(t, s, email(i)), RegistrationToken: made.RegistrationToken,
		}); err != nil {
			t.Fatal(err)
		}
		if who[i], err = s.Verifier().Offline(t.Context(), signIn(t, d, name(i)).AccessToken); err != nil {
			t.Fatal(err)
		}
		display := strings.Repeat(fmt.Sprintf("display%04d ", i), 6)
		if _, err := r.UpdateProfile(t.Context(), who[i], account.AnyVersion, account.ProfileChange{DisplayName: &display}); err != nil {
			t.Fatal(err)
		}
		if err := r.ChangeEmail(t.Context(), who[i], fmt.Sprintf("other%04d@example.com", i), accounttest.Password); err != nil {
			t.Fatal(err)
		}
	}
	for i := range gone {
		if err := r.Delete(t.Context(), who[2*i], accounttest.Password); err != nil {
			t.Fatal(err)
		}
	}
	files := everything(t, dir)
	for i := range people {
		for _, text := range []string{name(i), email(i), fmt.Sprintf("display%04d", i), fmt.Sprintf("other%04d@", i)} {
			left := bytes.Contains(files, []byte(text))
			if want := i%2 == 1 || i >= 2*gone; left != want {
				t.Errorf("%s is in the files: %v, want %v", text, left, want)
			}
		}
	}
	for _, s := range []*embedded.Store{s, other} {
		if mails, err := s.KeptMails(t.Context(), email(0)); err != nil || len(mails) > 0 {
			t.Errorf("mails to an address that is gone: %d, %v", len(mails), err)
		}
		if mails, err := s.KeptMails(t.Context(), email(1)); err != nil || len(mails) == 0 {
			t.Errorf("mails to another: %d, %v", len(mails), err)
		}
	}
}
