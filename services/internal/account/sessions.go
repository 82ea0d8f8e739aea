package account

import (
	"context"
	"log/slog"
	"time"
)

// SessionsConfig is what [Sessions] stands on. Directory and Claims are required.
type SessionsConfig struct {
	Directory Directory
	Claims    Claims
	Limits    *Limits // nil is none
	Now       func() time.Time
	Logger    *slog.Logger
}

// Sessions signs people in and out.
type Sessions struct{ SessionsConfig }

// NewSessions makes Sessions. Now defaults to the wall clock, Logger to silence.
func NewSessions(c SessionsConfig) *Sessions {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return &Sessions{c}
}

// SignIn opens a session. CodeInvalidCredentials for a wrong password, for an
// unknown user, and for an e-mail address whose account is unconfirmed: its owner is
// mailed a code instead. CodeNotConfirmed for an unconfirmed account of another name;
// CodeChallenge; CodeTooManyRequests.
func (s *Sessions) SignIn(ctx context.Context, username, password string) (Tokens, error) {
	name, err := FoldUsername(username)
	if err != nil {
		return Tokens{}, ErrCredentials(err) // nobody can have such a name
	}
	guess, err := s.Limits.SignIn(ctx, name)
	if err != nil {
		return Tokens{}, err
	}
	tokens, err := s.Directory.SignIn(ctx, name, NormalizePassword(password))
	if err == nil {
		guess.Right(ctx)
	}
	if CodeOf(err) == CodeNotConfirmed && IsEmail(name) {
		code, limited := s.Limits.Mail(ctx, name)
		if limited != nil {
			return Tokens{}, ErrCredentials(limited)
		}
		if err := resend(ctx, s.Claims, s.Directory, name, s.Now(), code, s.Logger); err != nil {
			s.Logger.WarnContext(ctx, "no code mailed to an unconfirmed account", "err", err)
		}
		return Tokens{}, ErrCredentials(err)
	}
	return tokens, err
}

// Refresh goes on with a session; the refresh token in the answer takes the place
// of the one sent. CodeInvalidToken.
func (s *Sessions) Refresh(ctx context.Context, refreshToken string) (Tokens, error) {
	return s.Directory.Refresh(ctx, refreshToken)
}

// SignOut ends the session of a refresh token. It is idempotent.
func (s *Sessions) SignOut(ctx context.Context, refreshToken string) error {
	return s.Directory.SignOut(ctx, refreshToken)
}

// SignOutEverywhere ends all sessions of the access token's user. CodeInvalidToken.
func (s *Sessions) SignOutEverywhere(ctx context.Context, accessToken string) error {
	return s.Directory.SignOutEverywhere(ctx, accessToken)
}

// resend has the directory send a new code to the address of a pending account,
// unless a mail about its name went out within MailInterval. Only a failure of the
// table is the caller's concern: it says nothing about the name.
func resend(ctx context.Context, claims Claims, dir Directory, name string, now time.Time, code Sending, log *slog.Logger) error {
	claim, err := claims.Find(ctx, name)
	switch {
	case CodeOf(err) == CodeNotFound:
		return nil
	case err != nil:
		return err
	case claim.Confirmed || claim.UserID == "" || claim.Email == "":
		return nil
	}
	due, err := claims.MarkMailed(ctx, name, now, MailInterval)
	if err != nil || !due {
		return err
	}
	if err := dir.ResendCode(ctx, name); err != nil {
		code.Failed(ctx)
		log.WarnContext(ctx, "code not sent again", "err", err)
	}
	return nil
}
