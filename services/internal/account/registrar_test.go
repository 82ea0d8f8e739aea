package account_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/account/accounttest"
)

// refusing is a directory whose SignUp, or ResendCode, fails.
type refusing struct {
	account.Directory
	err error
}

func (d refusing) SignUp(context.Context, account.NewUser) (account.SignedUp, error) {
	return account.SignedUp{}, d.err
}

func (d refusing) ResendCode(context.Context, string) error { return d.err }

// A sign-up that the directory surely did not carry out gives the name back at once;
// one that it may have carried out leaves the lease to guard it.
func TestDirectoryRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  error
		free bool
	}{
		{account.Errorf(account.CodeInvalid, nil, "weak"), true},
		{account.ErrThrottled(nil), true},
		{account.ErrUnavailable(nil), false},
		{errors.New("out of the blue"), false},
	} {
		m := accounttest.NewMemory(nil)
		r := account.NewRegistrar(account.RegistrarConfig{
			Directory: refusing{m, tt.err}, Claims: m, Profiles: m, Mailer: m,
		})
		_, err := r.Register(t.Context(), account.Registration{Username: "alice", Password: accounttest.Password})
		if got, want := account.CodeOf(err), account.CodeOf(tt.err); got != want {
			t.Errorf("Register when the directory says %v: got %v", tt.err, err)
		}
		_, err = m.Find(t.Context(), "alice")
		if free := account.CodeOf(err) == account.CodeNotFound; free != tt.free {
			t.Errorf("after %v the name is free: %v, want %v", tt.err, free, tt.free)
		}
	}
}

// An operator confirms a user by hand, who then proves another address to the directory:
// that says nothing of the one that the sign-up was for.
func TestConfirmTakesTheProvenAddressAlone(t *testing.T) {
	t.Parallel()
	m := accounttest.NewMemory(nil)
	r := account.NewRegistrar(account.RegistrarConfig{Directory: m, Claims: m, Profiles: m, Mailer: m})
	in := account.Registration{Username: "mallory", Password: accounttest.Password, Email: "victim@example.com"}
	made, err := r.Register(t.Context(), in)
	if err == nil {
		err = m.ConfirmUser(t.Context(), in.Username)
	}
	if err == nil {
		err = m.SetEmail(t.Context(), in.Username, "mallory@example.com")
	}
	if err == nil {
		_, err = r.Confirm(t.Context(), account.Confirmation{Username: in.Username, Code: "000000", RegistrationToken: made.RegistrationToken})
	}
	if err != nil {
		t.Fatal(err)
	}
	if owner, err := m.EmailOwner(t.Context(), in.Email); account.CodeOf(err) != account.CodeNotFound {
		t.Errorf("%s is %q's, %v", in.Email, owner, err)
	}
}

func TestEmailRequired(t *testing.T) {
	t.Parallel()
	m := accounttest.NewMemory(nil)
	r := account.NewRegistrar(account.RegistrarConfig{Directory: m, Claims: m, Profiles: m, Mailer: m, EmailRequired: true})
	_, err := r.Register(t.Context(), account.Registration{Username: "alice", Password: accounttest.Password})
	if account.CodeOf(err) != account.CodeInvalid || field(t, err) != "email" {
		t.Errorf("Register without an address: got %v, want the field email blamed", err)
	}
	for _, in := range []account.Registration{
		{Username: "alice", Password: accounttest.Password, Email: "alice@example.com"},
		{Username: "bob@example.com", Password: accounttest.Password},
	} {
		if _, err := r.Register(t.Context(), in); err != nil {
			t.Errorf("Register %s with an address: %v", in.Username, err)
		}
	}
}

// What a caller may learn and a log may hold: no password, no token, and from Resend
// nothing at all.
func TestNothingLeaks(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	m := accounttest.NewMemory(nil)
	clock := &accounttest.Clock{}
	config := account.RegistrarConfig{
		Directory: m, Claims: m, Profiles: m, Mailer: failingMailer{}, Now: clock.Now,
		Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	r := account.NewRegistrar(config)
	email := "alice@example.com"
	first, err := r.Register(t.Context(), account.Registration{Username: email, Password: accounttest.Password})
	if err != nil {
		t.Fatal(err)
	}
	code := m.Code(email)
	if _, err := r.Confirm(t.Context(), account.Confirmation{Username: email, Code: code, RegistrationToken: first.RegistrationToken}); err != nil {
		t.Fatal(err)
	}
	clock.Advance(time.Hour)
	if _, err := r.Register(t.Context(), account.Registration{Username: email, Password: accounttest.Password}); err != nil {
		t.Errorf("Register a known address when no notice can be sent: %v", err)
	}
	config.Directory = refusing{m, account.ErrUnavailable(nil)}
	waiting := "bob@example.com"
	if _, err := r.Register(t.Context(), account.Registration{Username: waiting, Password: accounttest.Password}); err != nil {
		t.Fatal(err)
	}
	clock.Advance(time.Hour)
	for _, name := range []string{email, waiting, "nobody@example.com"} {
		if err := account.NewRegistrar(config).Resend(t.Context(), name); err != nil {
			t.Errorf("Resend to %s: got %v, want nothing", name, err)
		}
	}
	if log.Len() == 0 {
		t.Error("two failures left nothing in the log")
	}
	for what, secret := range map[string]string{
		"password": accounttest.Password, "token": first.RegistrationToken, "code": code, "address": email,
	} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log holds a %s", what)
		}
	}
}

type failingMailer struct{}

func (failingMailer) Send(context.Context, account.Mail) error { return errors.New("no mail today") }

func TestErrors(t *testing.T) {
	t.Parallel()
	cause := errors.New("the cause")
	err := account.ErrUnavailable(cause)
	if !errors.Is(err, cause) || account.CodeOf(err) != account.CodeUnavailable {
		t.Errorf("ErrUnavailable: got %v", err)
	}
	if got := account.CodeOf(cause); got != account.CodeInternal {
		t.Errorf("CodeOf of any other error: got %q", got)
	}
	if got := account.CodeOf(nil); got != "" {
		t.Errorf("CodeOf of nil: got %q", got)
	}
	long := &account.Error{
		Code: account.CodeInvalid, Message: "Some fields break a rule.",
		Fields: []account.Field{{Name: "email", Message: "is required"}}, Err: cause,
	}
	if got, want := long.Error(), "invalid_request: Some fields break a rule.; email is required: the cause"; got != want {
		t.Errorf("Error: got %q, want %q", got, want)
	}
}
