package embedded_test

import (
	"context"
	"io"
	"regexp"
	"slices"
	"sync"
	"testing"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/account/accounttest"
	"spillway.example/services/internal/embedded"
	"spillway.example/services/internal/mail"
)

// cheap is argon2id at its least, for tests that do not measure it.
var cheap = embedded.Argon2{Memory: 8, Iterations: 1, Parallelism: 1}

// open opens a store as tests want it, changed as the test says.
func open(tb testing.TB, dir string, change ...func(*embedded.Config)) *embedded.Store {
	tb.Helper()
	c := embedded.Config{DataDir: dir, Issuer: "https://issuer.example", ClientID: "client", Argon2: cheap}
	for _, f := range change {
		f(&c)
	}
	s, err := embedded.Open(tb.Context(), c)
	if err != nil {
		tb.Fatalf("Open: %v", err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Errorf("Close: %v", err)
		}
	})
	return s
}

// on sets the clock of a store.
func on(clock *accounttest.Clock) func(*embedded.Config) {
	return func(c *embedded.Config) { c.Now = clock.Now }
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

// postbox is a mailer that keeps mails in memory, or fails.
type postbox struct {
	mu    sync.Mutex
	mails []account.Mail
	err   error
}

func (p *postbox) Send(_ context.Context, m account.Mail) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mails = append(p.mails, m)
	return p.err
}

// code gives the code in the newest mail.
func (p *postbox) code(t *testing.T) string {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.mails) == 0 {
		t.Fatal("no mail was sent")
	}
	return sixDigits.FindString(p.mails[len(p.mails)-1].Text)
}

// codeTo gives the code in the newest mail to an address.
func (p *postbox) codeTo(t *testing.T, email string) string {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range slices.Backward(p.mails) {
		if m.To == email {
			return sixDigits.FindString(m.Text)
		}
	}
	t.Fatalf("no mail was sent to %s", email)
	return ""
}

// member signs up and confirms a user without an address.
func member(tb testing.TB, d *embedded.Directory, name string) account.UserID {
	tb.Helper()
	made, err := d.SignUp(tb.Context(), account.NewUser{Username: name, Password: accounttest.Password})
	if err == nil {
		err = d.ConfirmUser(tb.Context(), name)
	}
	if err != nil {
		tb.Fatalf("making %s: %v", name, err)
	}
	return made.UserID
}

// signIn opens a session of a member.
func signIn(tb testing.TB, d *embedded.Directory, name string) account.Tokens {
	tb.Helper()
	tokens, err := d.SignIn(tb.Context(), name, accounttest.Password)
	if err != nil {
		tb.Fatalf("SignIn: %v", err)
	}
	return tokens
}

// wantCode fails the test unless err has the code.
func wantCode(t *testing.T, what string, err error, want account.Code) {
	t.Helper()
	if got := account.CodeOf(err); got != want {
		t.Errorf("%s: got code %q (%v), want %q", what, got, err, want)
	}
}
