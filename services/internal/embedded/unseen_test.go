package embedded_test

import (
	"io"
	"sync/atomic"
	"testing"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/account/accounttest"
	"spillway.example/services/internal/embedded"
	"spillway.example/services/internal/mail"
)

// A password is hashed as often, and the file written as often, for an address that nobody
// has as for one that somebody has.
func TestUnseenWork(t *testing.T) {
	t.Parallel()
	var hashes atomic.Int64
	clock := &accounttest.Clock{}
	dir := t.TempDir()
	s := open(t, dir, on(clock), func(c *embedded.Config) { c.OnHash = func() { hashes.Add(1) } })
	box := mail.NewOutbox(s, io.Discard)
	d := s.Directory(box)
	r := account.NewRegistrar(account.RegistrarConfig{Directory: d, Claims: s, Profiles: s, Mailer: box, Now: clock.Now})
	sessions := account.NewSessions(account.SessionsConfig{Directory: d, Claims: s, Mailer: box, Now: clock.Now})
	ctx := t.Context()
	signUp := func(name string) error {
		_, err := r.Register(ctx, account.Registration{Username: name, Password: accounttest.Password})
		return err
	}
	const known = "known@example.com"
	if err := signUp(known); err != nil {
		t.Fatal(err)
	}
	if err := d.Confirm(ctx, known, newestCode(t, s, known)); err != nil {
		t.Fatal(err)
	}
	c, err := s.Find(ctx, known)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Settle(ctx, account.Settlement{Username: known, Attempt: c.Attempt, UserID: c.UserID, Email: known, At: clock.Now()}); err != nil {
		t.Fatal(err)
	}
	for what, request := range map[string]func(name string) error{
		"sign-up":   signUp,
		"sign-in":   func(name string) error { _, err := sessions.SignIn(ctx, name, "wrong"); return err },
		"forgotten": func(name string) error { return sessions.ForgotPassword(ctx, name) },
		"reset": func(name string) error {
			return sessions.ResetPassword(ctx, account.Reset{Username: name, Code: "no code", Password: accounttest.Password})
		},
	} {
		clock.Advance(account.MailInterval)
		work := func(name string) (hashed int64, err error) {
			before := hashes.Load()
			err = request(name)
			return hashes.Load() - before, err
		}
		gotHashes, gotErr := work(known)
		wantHashes, wantErr := work(accounttest.Address("unknown"))
		if gotHashes != wantHashes || account.CodeOf(gotErr) != account.CodeOf(wantErr) {
			t.Errorf("%s: known %d hashes, %v; unknown %d, %v", what, gotHashes, gotErr, wantHashes, wantErr)
		}
	}
}
