package account

import (
	"context"
	"crypto/hmac"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"time"
)

// Challenge is a further step that a directory wants before it opens a session (Amazon
// Cognito, "RespondToAuthChallenge").
type Challenge struct {
	Name       string
	Session    string            // goes back with the answer, within a few minutes
	Parameters map[string]string // what whoever answers may have to know
}

// ChallengeAnswer is the answer to a challenge.
type ChallengeAnswer struct {
	Username  string
	Name      string
	Session   string
	Responses map[string]string // by the names that the challenge has for them
}

// NewPasswordRequired is the challenge of somebody who signs in with a password that they
// were given: they must choose their own, as the response NewPassword.
const (
	NewPasswordRequired = "NEW_PASSWORD_REQUIRED"
	NewPassword         = "NEW_PASSWORD"
)

// TemporaryPasswordLifetime is how long a password that was given to somebody signs in:
// what Cognito has where a pool sets no TemporaryPasswordValidityDays.
const TemporaryPasswordLifetime = 7 * 24 * time.Hour

// answerable are the challenges that a client can answer here. Of the others some take a
// protocol of their own (SRP, devices, passkeys), and some are set up elsewhere.
var answerable = []string{
	NewPasswordRequired, "SMS_MFA", "SOFTWARE_TOKEN_MFA", "EMAIL_OTP", "SELECT_MFA_TYPE", "CUSTOM_CHALLENGE",
}

// RespondToChallenge takes the step that SignIn asked for. CodeChallenge where another
// follows; CodeInvalid; CodeInvalidCredentials where the challenge is not, or no longer,
// open; CodeMismatch; CodeExpired; CodeUnsupported; CodeTooManyRequests.
func (s *Sessions) RespondToChallenge(ctx context.Context, a ChallengeAnswer) (Tokens, error) {
	name, err := FoldUsername(a.Username)
	if err != nil {
		return Tokens{}, ErrCredentials(err) // nobody can have such a name
	}
	a.Username = name
	if !slices.Contains(answerable, a.Name) {
		return Tokens{}, ErrInvalid("challenge", "is none that can be answered here")
	}
	session, ok := s.Limits.unsealed(name, a.Session)
	if !ok {
		return Tokens{}, ErrCredentials(nil)
	}
	a.Session = session
	guess, err := s.Limits.Code(ctx, name, "factor")
	if err != nil {
		return Tokens{}, err
	}
	if a.Name == NewPasswordRequired {
		if a.Responses[NewPassword] == "" {
			return Tokens{}, ErrInvalid("responses."+NewPassword, "is required")
		}
		password := NormalizePassword(a.Responses[NewPassword])
		a.Responses = map[string]string{NewPassword: password} // nothing else: it could set attributes
		err := CheckPassword(password, name)
		if err == nil {
			err = s.Breaches.Check(ctx, password)
		}
		if err != nil {
			return Tokens{}, as("responses."+NewPassword, err)
		}
	}
	tokens, err := s.Directory.RespondToChallenge(ctx, a)
	if err == nil { // a further challenge proves nothing: some are choices
		guess.Right(ctx)
	}
	return tokens, as("responses."+NewPassword, s.sealed(name, err))
}

// sealed has the session of a challenge go out with a seal, which says that the account's
// password was right: answers are counted for those who bring one, and nobody else can use
// up what its owner may try.
func (s *Sessions) sealed(name string, err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Challenge == nil || e.Challenge.Session == "" {
		return err
	}
	c := *e.Challenge
	c.Session = s.Limits.sealed(name, c.Session)
	with := *e
	with.Challenge = &c
	return &with
}

// sealed puts a seal on a challenge's session.
func (l *Limits) sealed(name, session string) string {
	if l == nil {
		return session
	}
	return session + "." + l.seal(name, session)
}

// unsealed gives the session in a sealed one, if the seal is ours and for the account.
func (l *Limits) unsealed(name, sealed string) (session string, ok bool) {
	if l == nil {
		return sealed, true
	}
	i := strings.LastIndexByte(sealed, '.')
	if i < 0 {
		return "", false
	}
	session = sealed[:i]
	return session, hmac.Equal([]byte(sealed[i+1:]), []byte(l.seal(name, session)))
}

func (l *Limits) seal(name, session string) string {
	return base64.RawURLEncoding.EncodeToString(keyed(l.Key, "challenge", name, session))
}

// GivePassword gives a confirmed account a temporary password by an operator's right, who
// tells its owner: no mail goes out. All sessions end with their access tokens, since
// whoever has lost the password may have lost it to somebody. CodeInvalid; CodeNotFound.
func (s *Sessions) GivePassword(ctx context.Context, username, password string) error {
	name, err := FoldUsername(username)
	if err != nil {
		return err
	}
	if err := s.Directory.SetTemporaryPassword(ctx, name, password); err != nil {
		return err
	}
	return s.revokeNamed(ctx, name, nil)
}

// ErrChallenge says that a further step is needed to sign in.
func ErrChallenge(c Challenge) error {
	e := Errorf(CodeChallenge, nil, "A further step is needed to sign in: %s.", c.Name)
	e.Challenge = &c
	return e
}
