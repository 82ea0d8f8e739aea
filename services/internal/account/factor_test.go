package account_test

import (
	"context"
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
	if err := r.Delete(t.Context(), who, "not the password"); account.CodeOf(err) != account.CodeInvalidCredentials {
		t.Errorf("Delete with a wrong password: %v", err)
	}
	if err := r.Delete(t.Context(), who, accounttest.Password); err != nil {
		t.Errorf("Delete: %v", err)
	}
}

// The choice of a factor proves nothing, so it forgets no guesses at the factor's code.
func TestFactorsAreLimited(t *testing.T) {
	t.Parallel()
	l := limit(account.DefaultPolicies())
	m := accounttest.NewMemory(nil)
	s := account.NewSessions(account.SessionsConfig{Directory: factor{m}, Claims: m, Mailer: m, Limits: l.Limits})
	answer := func(name string) account.Code {
		_, err := s.RespondToChallenge(from(t, elsewhere), account.ChallengeAnswer{Username: "alice", Name: name, Session: "s"})
		return account.CodeOf(err)
	}
	for range 50 {
		answer("SELECT_MFA_TYPE")
		if answer("SOFTWARE_TOKEN_MFA") == account.CodeTooManyRequests {
			return
		}
	}
	t.Error("fifty codes were tried with the clock standing still")
}
