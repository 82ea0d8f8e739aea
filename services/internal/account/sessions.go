package account

import (
	"context"
	"log/slog"
	"time"
)

// SessionsConfig is what [Sessions] stands on. Directory, Claims, Mailer, Verifier and
// Revoker are required.
type SessionsConfig struct {
	Directory  Directory
	Verifier   Verifier
	Revoker    *Revoker
	Claims     Claims
	Mailer     Mailer     // for notices to the owners of accounts
	Background Background // for what no answer may wait for; Inline where it is nil
	Limits     *Limits    // nil is none
	Breaches   *BreachCheck
	Count      Count // of MailsFailed
	Now        func() time.Time
	Logger     *slog.Logger
}

// Sessions signs people in and out.
type Sessions struct{ SessionsConfig }

// NewSessions makes Sessions. Now defaults to the wall clock, Logger to silence.
func NewSessions(c SessionsConfig) *Sessions {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Background == nil {
		c.Background = Inline{}
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
		if err := s.resend(ctx, name); err != nil {
			s.Logger.WarnContext(ctx, "no code mailed to an unconfirmed account", "err", err)
		}
		return Tokens{}, ErrCredentials(err)
	}
	return tokens, s.sealed(name, err)
}

// Refresh goes on with a session; the refresh token in the answer takes the place
// of the one sent. CodeInvalidToken.
func (s *Sessions) Refresh(ctx context.Context, refreshToken string) (Tokens, error) {
	return s.Directory.Refresh(ctx, refreshToken)
}

// SignOut ends the session of a refresh token, and voids its access tokens where one of
// them is given: a directory's refresh token need not tell which session it is of. It is
// idempotent; an access token that is not good any more is no error.
func (s *Sessions) SignOut(ctx context.Context, refreshToken, accessToken string) error {
	if err := s.Directory.SignOut(ctx, refreshToken); err != nil || accessToken == "" {
		return err
	}
	who, err := s.Verifier.Verify(ctx, accessToken)
	switch CodeOf(err) {
	case "":
		return s.Revoker.RevokeSession(ctx, who.SessionID)
	case CodeInvalidToken:
		return nil
	}
	return err
}

// SignOutEverywhere ends all sessions of the access token's user, and voids their access
// tokens. CodeInvalidToken.
//
// The directory takes the token only once, so the deny list comes before: what fails there
// can be done again. The directory also comes first, to say that the token's session goes
// on: nobody may void another's tokens by one that was revoked.
func (s *Sessions) SignOutEverywhere(ctx context.Context, accessToken string) error {
	user, err := s.Directory.GetUser(ctx, accessToken)
	if err != nil {
		return err
	}
	ctx, cancel := toTheEnd(ctx, endWithin)
	defer cancel()
	return s.Revoker.RevokeUser(ctx, user.ID, func(ctx context.Context) error {
		return s.Directory.SignOutEverywhere(ctx, accessToken)
	})
}

// resend has a new code sent to the address of a pending account, in the background:
// what it counts and looks up must not show in the time that the answer takes.
func (s *Sessions) resend(ctx context.Context, name string) error {
	return s.Background.Do(ctx, func(ctx context.Context) {
		code := s.Limits.sending()
		admitted, err := code.Unseen(ctx, mailOfSignIn, name)
		if err != nil {
			s.Logger.WarnContext(ctx, "code not sent again", "err", err)
		}
		if admitted {
			s.unseen().code(ctx, name, s.Now(), code, wanted{MailConfirmation, s.Directory.ResendCode, insteadOfConfirming})
		}
	})
}
