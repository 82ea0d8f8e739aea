package accounttest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"spillway.example/services/internal/account"
)

const temporary = "a horse that was given"

// challenged signs in with a temporary password and gives the challenge.
func challenged(t *testing.T, err error) account.Challenge {
	t.Helper()
	wantCode(t, "SignIn with a temporary password", err, account.CodeChallenge)
	e, _ := errors.AsType[*account.Error](err)
	if e.Challenge == nil || e.Challenge.Name != account.NewPasswordRequired || e.Challenge.Session == "" {
		t.Fatalf("the challenge is %+v", e.Challenge)
	}
	return *e.Challenge
}

func temporaryPassword(t *testing.T, h Harness) {
	ctx := context.Background()
	u := member(t, h)
	wantCode(t, "SetTemporaryPassword of nobody", h.Directory.SetTemporaryPassword(ctx, Name("nobody"), temporary), account.CodeNotFound)
	waiting := Name("waiting")
	_, err := h.Directory.SignUp(ctx, account.NewUser{Username: waiting, Password: Password})
	wantCode(t, "SignUp", err, "")
	wantCode(t, "SetTemporaryPassword before the code", h.Directory.SetTemporaryPassword(ctx, waiting, temporary), account.CodeNotFound)

	before, err := h.Directory.SignIn(ctx, u.Username, Password)
	must(t, "SignIn", before, err)
	wantCode(t, "SetTemporaryPassword", h.Directory.SetTemporaryPassword(ctx, u.Username, temporary), "")
	_, err = h.Directory.Refresh(ctx, before.RefreshToken)
	wantCode(t, "Refresh of a session from before", err, account.CodeInvalidToken)
	_, err = h.Directory.GetUser(ctx, before.AccessToken)
	wantCode(t, "GetUser by a session from before", err, account.CodeInvalidToken)
	_, err = h.Directory.SignIn(ctx, u.Username, Password)
	wantCode(t, "SignIn with the older password", err, account.CodeInvalidCredentials)
	_, err = h.Directory.SignIn(ctx, u.Username, temporary)
	c := challenged(t, err)
	respond := func(name, session, username string) (account.Tokens, error) {
		return h.Directory.RespondToChallenge(ctx, account.ChallengeAnswer{
			Username: username, Name: name, Session: session, Responses: map[string]string{account.NewPassword: newPassword},
		})
	}
	_, err = respond(c.Name, "", u.Username)
	wantCode(t, "RespondToChallenge with no session", err, account.CodeInvalidCredentials)
	if !h.lacks(t, AnySession) {
		for what, err := range map[string]error{
			"another session": second(respond(c.Name, "nonsense", u.Username)),
			"another name":    second(respond(c.Name, c.Session, member(t, h).Username)),
			"nobody's name":   second(respond(c.Name, c.Session, Name("nobody"))),
		} {
			wantCode(t, "RespondToChallenge with "+what, err, account.CodeInvalidCredentials)
		}
		for range 10 { // strangers need no password to answer wrongly
			_, err := respond(c.Name, "nonsense", u.Username)
			wantCode(t, "RespondToChallenge with another session", err, account.CodeInvalidCredentials)
		}
	}
	tokens, err := respond(c.Name, c.Session, u.Username)
	must(t, "RespondToChallenge", tokens, err)
	got, err := h.Directory.GetUser(ctx, tokens.AccessToken)
	must(t, "GetUser", got, err)
	if got.ID != u.ID || tokens.RefreshToken == "" || tokens.IDToken == "" {
		t.Errorf("RespondToChallenge: got %+v", got)
	}
	if !h.lacks(t, AnySession) {
		_, err = respond(c.Name, c.Session, u.Username)
		wantCode(t, "RespondToChallenge again", err, account.CodeInvalidCredentials)
	}
	_, err = h.Directory.SignIn(ctx, u.Username, temporary)
	wantCode(t, "SignIn with the temporary password", err, account.CodeInvalidCredentials)
	_, err = h.Directory.SignIn(ctx, u.Username, newPassword)
	wantCode(t, "SignIn with the chosen password", err, "")
}

// TemporaryPasswordExpires holds a directory on the clock to how long a password that was
// given signs in. Of the adapters of the suite not all let their time be turned.
func TemporaryPasswordExpires(t *testing.T, d account.Directory, clock *Clock) {
	t.Helper()
	ctx := context.Background()
	u := member(t, Harness{Directory: d})
	give := func() { wantCode(t, "SetTemporaryPassword", d.SetTemporaryPassword(ctx, u.Username, temporary), "") }
	signIn := func(what string, want account.Code) {
		t.Helper()
		_, err := d.SignIn(ctx, u.Username, temporary)
		wantCode(t, "SignIn "+what, err, want)
	}
	give()
	clock.Advance(account.TemporaryPasswordLifetime - time.Second)
	signIn("within a week", account.CodeChallenge)
	clock.Advance(time.Second)
	signIn("after a week", account.CodeInvalidCredentials)
	give()
	_, err := d.SignIn(ctx, u.Username, temporary)
	c := challenged(t, err)
	_, err = d.RespondToChallenge(ctx, account.ChallengeAnswer{
		Username: u.Username, Name: c.Name, Session: c.Session, Responses: map[string]string{account.NewPassword: temporary},
	})
	wantCode(t, "RespondToChallenge", err, "")
	clock.Advance(account.TemporaryPasswordLifetime)
	signIn("with a password of one's own", "")
}

func second(_ account.Tokens, err error) error { return err }

func lifeChallenge(s *saga) {
	ctx := context.Background()
	email := Address("challenge")
	id := s.join(email, email)
	wantCode(s.T, "GivePassword to nobody", s.sessions.GivePassword(ctx, Address("nobody"), temporary), account.CodeNotFound)
	wantCode(s.T, "GivePassword to no name", s.sessions.GivePassword(ctx, "no name", temporary), account.CodeInvalid)
	wantCode(s.T, "GivePassword", s.sessions.GivePassword(ctx, strings.ToUpper(email), temporary), "")
	s.wantVoid(id)
	c := challenged(s.T, s.signIn(email, temporary))
	answer := account.ChallengeAnswer{
		Username: email, Name: c.Name, Session: c.Session, Responses: map[string]string{account.NewPassword: newPassword},
	}
	for what, tt := range map[string]struct {
		change func(*account.ChallengeAnswer)
		want   account.Code
		field  string
	}{
		"a weak password": {func(a *account.ChallengeAnswer) {
			a.Responses = map[string]string{account.NewPassword: "password1"}
		}, account.CodeInvalid, "responses.NEW_PASSWORD"},
		"no password":           {func(a *account.ChallengeAnswer) { a.Responses = nil }, account.CodeInvalid, "responses.NEW_PASSWORD"},
		"a challenge of no use": {func(a *account.ChallengeAnswer) { a.Name = "DEVICE_SRP_AUTH" }, account.CodeInvalid, "challenge"},
		"no name":               {func(a *account.ChallengeAnswer) { a.Username = "no name" }, account.CodeInvalidCredentials, ""},
	} {
		bad := answer
		tt.change(&bad)
		_, err := s.sessions.RespondToChallenge(ctx, bad)
		wantCode(s.T, "RespondToChallenge with "+what, err, tt.want)
		if e, _ := errors.AsType[*account.Error](err); tt.field != "" && (len(e.Fields) != 1 || e.Fields[0].Name != tt.field) {
			s.Errorf("RespondToChallenge with %s blames %v", what, e.Fields)
		}
	}
	// What else comes with the answer does nothing: Cognito would set attributes by it.
	answer.Responses["userAttributes.email_verified"] = "true"
	_, err := s.sessions.RespondToChallenge(ctx, answer)
	wantCode(s.T, "RespondToChallenge", err, "")
	wantCode(s.T, "SignIn", s.signIn(email, newPassword), "")
}
