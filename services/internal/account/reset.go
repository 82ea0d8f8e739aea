package account

import (
	"context"
	"errors"
	"time"
)

// ForgotPassword sends a code for a new password to the proven address of an account, at
// most once in [MailInterval], and to an address that is no account's username the news
// that there is none. It says nothing of what it did: any name gets the same answer,
// before anything is looked up. CodeInvalid where nobody can have such a name;
// CodeTooManyRequests.
func (s *Sessions) ForgotPassword(ctx context.Context, username string) error {
	name, err := FoldUsername(username)
	if err != nil {
		return err
	}
	code, err := s.Limits.Mail(ctx, MailReset, name)
	if err != nil {
		return err
	}
	return s.Background.Do(ctx, func(ctx context.Context) {
		s.unseen().code(ctx, name, s.Now(), code, wanted{MailReset, s.Directory.ForgotPassword, insteadOfReset})
	})
}

func (s *Sessions) unseen() unseen {
	return unseen{s.Claims, s.Directory, s.Mailer, s.Count, s.Logger}
}

// Reset is a request for a new password, as it came in.
type Reset struct {
	Username string
	Code     string // the newest one that ForgotPassword sent
	Password string // the new one
}

// ResetPassword gives an account another password by the code that [Sessions.ForgotPassword]
// sent, ends all its sessions with their access tokens, and tells its owner by mail.
// CodeInvalid; CodeMismatch, also for an unknown name; CodeExpired; CodeTooManyRequests.
func (s *Sessions) ResetPassword(ctx context.Context, in Reset) error {
	name, err := FoldUsername(in.Username)
	if err != nil {
		return err
	}
	password := NormalizePassword(in.Password)
	if err := CheckPassword(password, name); err != nil {
		return err
	}
	guess, err := s.Limits.Code(ctx, name)
	if err != nil {
		return err
	}
	if err := s.Breaches.Check(ctx, password); err != nil {
		return err
	}
	if err := s.Directory.ResetPassword(ctx, name, in.Code, password); err != nil {
		if CodeOf(err) == CodeUnavailable {
			s.revokeIfReset(ctx, name, password)
		}
		return err
	}
	guess.Right(ctx)
	s.tell(ctx, name, passwordChanged)
	// The code is used up, so nobody can ask for this again.
	ctx, cancel := toTheEnd(ctx, endWithin)
	defer cancel()
	if err := s.revokeNamed(ctx, name, nil); err != nil {
		again := s.Background.Do(ctx, func(ctx context.Context) {
			if err := s.revokeNamed(ctx, name, nil); err != nil {
				s.Logger.ErrorContext(ctx, "access tokens are good until they expire", "err", err)
			}
		})
		return errors.Join(err, again)
	}
	return nil
}

const (
	// endTries is how often the sessions of an account are tried to be ended whose password was
	// reset, endPause the time between two tries.
	endTries = 3
	endPause = 2 * time.Second
)

// revokeIfReset ends the sessions, and voids the access tokens, of an account whose directory
// did not say whether it has made the password this one and ended them, if it has. It does so in
// the background: nobody may learn by the answer, or its time, whether a password is right.
func (s *Sessions) revokeIfReset(ctx context.Context, name, password string) {
	err := s.Background.Do(ctx, func(ctx context.Context) {
		tokens, err := s.Directory.SignIn(ctx, name, password)
		changed, err := PasswordFits(err)
		if err != nil {
			s.Logger.ErrorContext(ctx, "access tokens may be good until they expire", "err", err)
		}
		if !changed {
			return
		}
		var end func(context.Context) error
		if tokens.AccessToken != "" { // none where a further step is asked for
			end = func(ctx context.Context) error { return s.Directory.SignOutEverywhere(ctx, tokens.AccessToken) }
		}
		for try := 1; ; try++ {
			if err = s.revokeNamed(ctx, name, end); err == nil {
				return
			}
			if try == endTries || s.Revoker.Wait(ctx, endPause) != nil {
				break
			}
		}
		s.Logger.ErrorContext(ctx, "sessions go on after a reset, and access tokens may be good until they expire", "err", err)
	})
	if err != nil {
		s.Logger.ErrorContext(ctx, "access tokens may be good until they expire", "err", err)
	}
}

// revokeNamed voids the access tokens of whoever has a name; for end see [Revoker.RevokeUser].
func (s *Sessions) revokeNamed(ctx context.Context, name string, end func(context.Context) error) error {
	user, err := s.Directory.FindUser(ctx, name)
	switch {
	case CodeOf(err) == CodeNotFound:
		return nil // the account was deleted meanwhile, and its tokens voided with it
	case err != nil:
		return err
	}
	return s.Revoker.RevokeUser(ctx, user.ID, end)
}

// endWithin is how long what has begun may take once the caller has gone: who wants
// somebody else out must not have to keep the connection for it.
const endWithin = 20 * time.Second

// toTheEnd gives a context that goes on when the caller has gone, for d at most.
func toTheEnd(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), d)
}

// tell mails the owner of an account a notice at its proven address, on a best effort.
func (s *Sessions) tell(ctx context.Context, name string, notice func(User) Mail) {
	later(ctx, s.Background, s.Logger, "notice not sent", func(ctx context.Context) error {
		user, err := s.Directory.FindUser(ctx, name)
		if err == nil && user.EmailVerified {
			err = s.Mailer.Send(ctx, notice(user))
		}
		return err
	})
}
