package account_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/account/accounttest"
)

// vague is a directory that does not say whether it has reset a password, and fails to end
// sessions for some time.
type vague struct {
	*accounttest.Memory
	does  bool
	fails int
	ended int
}

func (d *vague) SignOutEverywhere(ctx context.Context, accessToken string) error {
	if d.fails > 0 {
		d.fails--
		return account.ErrThrottled(nil)
	}
	d.ended++
	return d.Memory.SignOutEverywhere(ctx, accessToken)
}

func (d *vague) ResetPassword(ctx context.Context, username, code, password string) error {
	if d.does {
		if err := d.Memory.ResetPassword(ctx, username, code, password); err != nil {
			return err
		}
	}
	return account.ErrUnavailable(errors.New("the answer was lost"))
}

// busy is a directory that refuses a current password, and then is too busy to try another.
type busy struct{ *accounttest.Memory }

func (busy) ChangePassword(context.Context, string, string, string) error {
	return account.ErrCredentials(nil)
}

func (busy) SignIn(context.Context, string, string) (account.Tokens, error) {
	return account.Tokens{}, account.ErrThrottled(nil)
}

// Whether an earlier try changed the password is not known while the directory is too busy:
// that is no wrong password, which would be the answer for good.
func TestChangeOfUnknownOutcome(t *testing.T) {
	t.Parallel()
	m := accounttest.NewMemory(nil)
	member(t, m)
	tokens, err := m.SignIn(t.Context(), "alice", accounttest.Password)
	if err != nil {
		t.Fatal(err)
	}
	s := account.NewSessions(account.SessionsConfig{Directory: busy{m}, Claims: m, Mailer: m, Verifier: m})
	_, err = s.ChangePassword(t.Context(), tokens.AccessToken, accounttest.Password, "another horse, another staple")
	if account.CodeOf(err) != account.CodeTooManyRequests {
		t.Errorf("ChangePassword: got %v, want too many requests", err)
	}
}

// TestResetOfUnknownOutcome ends the sessions of before, and voids their access tokens, if the
// password is the new one, and otherwise none: whoever asks for a reset need not have the code.
func TestResetOfUnknownOutcome(t *testing.T) {
	t.Parallel()
	for _, done := range []bool{true, false} {
		clock := &accounttest.Clock{}
		m := accounttest.NewMemory(clock.Now)
		directory := &vague{Memory: m, does: done, fails: 2}
		s := account.NewSessions(account.SessionsConfig{
			Directory: directory, Claims: m, Verifier: m, Mailer: m, Now: clock.Now,
			Revoker: account.NewRevoker(account.RevokerConfig{
				Denials: m, Now: clock.Now, Wait: func(_ context.Context, d time.Duration) error { clock.Advance(d); return nil },
			}),
		})
		_, err := m.SignUp(t.Context(), account.NewUser{Username: "alice", Password: accounttest.Password, Email: "alice@example.com"})
		if err == nil {
			err = m.Confirm(t.Context(), "alice", m.Code("alice"))
		}
		if err == nil {
			err = m.ForgotPassword(t.Context(), "alice")
		}
		if err != nil {
			t.Fatal(err)
		}
		before, err := s.SignIn(t.Context(), "alice", accounttest.Password)
		if err != nil {
			t.Fatal(err)
		}
		err = s.ResetPassword(t.Context(), account.Reset{Username: "alice", Code: m.Code("alice"), Password: "another horse, another staple"})
		if account.CodeOf(err) != account.CodeUnavailable {
			t.Errorf("ResetPassword: got %v, want unavailable", err)
		}
		if _, err := m.Verify(t.Context(), before.AccessToken); (account.CodeOf(err) == account.CodeInvalidToken) != done {
			t.Errorf("an access token of before: got %v; the password is the new one: %v", err, done)
		}
		if got := directory.ended == 1; got != done {
			t.Errorf("the sessions of before were ended %d times; the password is the new one: %v", directory.ended, done)
		}
	}
}
