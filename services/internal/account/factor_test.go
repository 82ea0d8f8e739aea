package account_test

import (
	"context"
	"errors"
	"testing"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/account/accounttest"
)

// factor is a directory whose users have a second factor, which nobody here passes.
type factor struct{ account.Directory }

// SignIn implements [account.Directory].
func (f factor) SignIn(ctx context.Context, username, password string) (account.Tokens, error) {
	if _, err := f.Directory.SignIn(ctx, username, password); err != nil {
		return account.Tokens{}, err
	}
	return account.Tokens{}, account.ErrChallenge(account.Challenge{Name: "SELECT_MFA_TYPE", Session: "s"})
}

// RespondToChallenge implements [account.Directory].
func (factor) RespondToChallenge(_ context.Context, a account.ChallengeAnswer) (account.Tokens, error) {
	if a.Name == "SELECT_MFA_TYPE" {
		return account.Tokens{}, account.ErrChallenge(account.Challenge{Name: "SOFTWARE_TOKEN_MFA", Session: "s"})
	}
	return account.Tokens{}, account.ErrCodeMismatch(nil)
}

// The password proves who wants an account gone, be there a second factor or not: an
// access token has passed that.
func TestDeleteWithASecondFactor(t *testing.T) {
	t.Parallel()
	m := accounttest.NewMemory(nil)
	r := account.NewRegistrar(account.RegistrarConfig{Directory: factor{m}, Claims: m, Profiles: m, Mailer: m})
	made, err := r.Register(t.Context(), account.Registration{Username: "alice", Password: accounttest.Password})
	if err != nil {
		t.Fatal(err)
	}
	who := account.Identity{UserID: made.UserID, Username: "alice"}
	if err := r.Delete(t.Context(), who, "not the password"); account.CodeOf(err) != account.CodeWrongPassword {
		t.Errorf("Delete with a wrong password: %v", err)
	}
	if err := r.Delete(t.Context(), who, accounttest.Password); err != nil {
		t.Errorf("Delete: %v", err)
	}
}

// reset is a directory whose users must have their passwords reset: it looks at none.
type reset struct{ account.Directory }

func (reset) SignIn(context.Context, string, string) (account.Tokens, error) {
	return account.Tokens{}, account.Errorf(account.CodeChallenge, nil, "The password must be reset.")
}

// A password that nobody looked at proves nothing.
func TestNoPasswordProves(t *testing.T) {
	t.Parallel()
	m := accounttest.NewMemory(nil)
	r := account.NewRegistrar(account.RegistrarConfig{Directory: m, Claims: m, Profiles: m, Mailer: m})
	made, err := r.Register(t.Context(), account.Registration{Username: "alice", Password: accounttest.Password})
	if err != nil {
		t.Fatal(err)
	}
	r = account.NewRegistrar(account.RegistrarConfig{Directory: reset{m}, Claims: m, Profiles: m, Mailer: m})
	who := account.Identity{UserID: made.UserID, Username: "alice"}
	if err := r.Delete(t.Context(), who, accounttest.Password); account.CodeOf(err) != account.CodeChallenge {
		t.Errorf("Delete: %v", err)
	}
	if err := r.ChangeEmail(t.Context(), who, "thief@example.com", accounttest.Password); account.CodeOf(err) != account.CodeChallenge {
		t.Errorf("ChangeEmail: %v", err)
	}
	if mails := m.Mails("thief@example.com"); len(mails) != 0 {
		t.Errorf("%d mails went out", len(mails))
	}
}

// The choice of a factor proves nothing, so it forgets no guesses at the factor's code.
func TestFactorsAreLimited(t *testing.T) {
	t.Parallel()
	l := limit(account.DefaultPolicies())
	m := accounttest.NewMemory(nil)
	s := account.NewSessions(account.SessionsConfig{Directory: factor{m}, Claims: m, Mailer: m, Limits: l.Limits})
	member(t, m)
	session := challenged(t, s, home)
	for range 50 {
		c, err := answer(t, s, elsewhere, "SELECT_MFA_TYPE", session)
		if account.CodeOf(err) == account.CodeTooManyRequests {
			return
		}
		if _, err := answer(t, s, elsewhere, "SOFTWARE_TOKEN_MFA", c.Session); account.CodeOf(err) == account.CodeTooManyRequests {
			return
		}
	}
	t.Error("fifty codes were tried with the clock standing still")
}

// member makes alice.
func member(t *testing.T, m *accounttest.Memory) {
	t.Helper()
	_, err := m.SignUp(t.Context(), account.NewUser{Username: "alice", Password: accounttest.Password})
	if err == nil {
		err = m.ConfirmUser(t.Context(), "alice")
	}
	if err != nil {
		t.Fatal(err)
	}
}

// challenged signs alice in as far as it goes, and gives the challenge's session.
func challenged(t *testing.T, s *account.Sessions, address string) string {
	t.Helper()
	_, err := s.SignIn(from(t, address), "alice", accounttest.Password)
	e, ok := errors.AsType[*account.Error](err)
	if !ok || e.Challenge == nil {
		t.Fatalf("SignIn: %v, want a challenge", err)
	}
	return e.Challenge.Session
}

func answer(t *testing.T, s *account.Sessions, address, name, session string) (account.Challenge, error) {
	t.Helper()
	_, err := s.RespondToChallenge(from(t, address), account.ChallengeAnswer{Username: "alice", Name: name, Session: session})
	if e, ok := errors.AsType[*account.Error](err); ok && e.Challenge != nil {
		return *e.Challenge, err
	}
	return account.Challenge{}, err
}

// Strangers who try codes in somebody's name, whatever for, keep nobody from a second
// factor or from another address, wherever they sign in.
func TestStrangersUseUpNoCodes(t *testing.T) {
	t.Parallel()
	l := limit(account.DefaultPolicies())
	m := accounttest.NewMemory(nil)
	s := account.NewSessions(account.SessionsConfig{Directory: factor{m}, Claims: m, Mailer: m, Limits: l.Limits})
	r := account.NewRegistrar(account.RegistrarConfig{Directory: m, Claims: m, Profiles: m, Mailer: m, Limits: l.Limits})
	member(t, m)
	mallory := limit(account.DefaultPolicies())
	mallory.Key = []byte("another key")
	forged := account.NewSessions(account.SessionsConfig{Directory: factor{m}, Claims: m, Mailer: m, Limits: mallory.Limits})
	session := challenged(t, forged, elsewhere)
	for range 100 {
		for _, session := range []string{"s", "", ".", session} {
			if _, err := answer(t, s, elsewhere, "SOFTWARE_TOKEN_MFA", session); account.CodeOf(err) != account.CodeInvalidCredentials {
				t.Fatalf("an answer without the password: %v", err)
			}
		}
		_ = s.ResetPassword(from(t, elsewhere), account.Reset{Username: "alice", Code: "000000", Password: "another good password"})
	}
	if _, err := answer(t, s, home, "SOFTWARE_TOKEN_MFA", challenged(t, s, home)); account.CodeOf(err) != account.CodeMismatch {
		t.Errorf("the owner's second factor: %v, want it tried", err)
	}
	_, err := r.ConfirmEmail(from(t, elsewhere), account.Identity{UserID: "id", Username: "alice"}, "000000")
	if account.CodeOf(err) != account.CodeMismatch {
		t.Errorf("the owner's code for another address: %v, want it tried", err)
	}
	if err := s.ResetPassword(from(t, home), account.Reset{Username: "alice", Code: "000000", Password: "another good password"}); account.CodeOf(err) != account.CodeTooManyRequests {
		t.Errorf("another code for a new password: %v, want too many", err)
	}
}
