package embedded_test

import (
	"context"
	"io"
	"regexp"
	"testing"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/account/accounttest"
	"spillway.example/services/internal/embedded"
	"spillway.example/services/internal/mail"
)

// cheap is argon2id at its least, for tests that do not measure it.
var cheap = embedded.Argon2{Memory: 8, Iterations: 1, Parallelism: 1}

// open opens a store as tests want it, changed as the test says.
func open(t *testing.T, dir string, change ...func(*embedded.Config)) *embedded.Store {
	t.Helper()
	c := embedded.Config{DataDir: dir, Issuer: "https://issuer.example", ClientID: "client", Argon2: cheap}
	for _, f := range change {
		f(&c)
	}
	s, err := embedded.Open(t.Context(), c)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

// directory gives a store's directory, which keeps its mails in the store.
func directory(s *embedded.Store) *embedded.Directory {
	return s.Directory(mail.NewOutbox(s, io.Discard))
}

var sixDigits = regexp.MustCompile(`\b\d{6}\b`)

// newestCode gives the code in the newest mail to an address.
func newestCode(t *testing.T, s *embedded.Store, to string) string {
	t.Helper()
	mails, err := s.KeptMails(context.Background(), to)
	if err != nil || len(mails) == 0 {
		t.Fatalf("KeptMails: %d mails, %v", len(mails), err)
	}
	return sixDigits.FindString(mails[0].Text)
}

// harness is register's and login's view of one data folder: two stores on one file.
func harness(t *testing.T) accounttest.Harness {
	dir := t.TempDir()
	one, two := open(t, dir), open(t, dir)
	return accounttest.Harness{
		Directory: directory(one), Claims: two, Profiles: two,
		Code: func(t *testing.T, _, email string) string { return newestCode(t, one, email) },
		ProfilesOf: func(t *testing.T, username string) []account.Profile {
			ids := column[account.UserID](t, dir, `SELECT user_id FROM profiles WHERE username = ?`, username)
			found := make([]account.Profile, len(ids))
			for i, id := range ids {
				p, err := one.Get(context.Background(), id)
				if err != nil {
					t.Fatalf("Get: %v", err)
				}
				found[i] = p
			}
			return found
		},
	}
}

func TestBehaviour(t *testing.T) {
	t.Parallel()
	t.Run("directory", func(t *testing.T) { accounttest.RunDirectory(t, harness) })
	t.Run("store", func(t *testing.T) { accounttest.RunStore(t, harness) })
	t.Run("saga", func(t *testing.T) { accounttest.RunSaga(t, harness) })
}
