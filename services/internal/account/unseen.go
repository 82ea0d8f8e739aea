package account

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"time"
)

// registerUnseen signs somebody up under an e-mail address, in the background, so that
// neither the answer nor its time depends on what comes of it. A code or a notice goes
// out: known or not, it counts.
func (r *Registrar) registerUnseen(ctx context.Context, user NewUser, token string) error {
	code, err := r.Limits.Mail(ctx, MailSignUp, user.Email)
	if err != nil {
		return err
	}
	return r.Background.Do(ctx, func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(code.watched(ctx), leaseWork)
		defer cancel()
		_, err := r.enlist(ctx, r.claim(ctx, user, token), user, code)
		if CodeOf(err) == CodeUsernameTaken {
			err = r.refuse(ctx, user, errors.Is(err, errOwned))
		}
		if err != nil {
			r.Count.Add(ctx, "SignUpsFailed")
			r.Logger.WarnContext(ctx, "sign-up came to nothing", "err", err)
			err = r.Mailer.Send(ctx, signUpFailed(user.Email, err))
		}
		if err != nil {
			code.Failed(ctx)
			r.Logger.WarnContext(ctx, "notice not sent", "err", err)
		}
	})
}

// refuse does for an address that is taken what else an account for it would have cost:
// whoever keeps the service busy must not learn by how busy it is. Whoever has the address,
// there are three look-ups, two writes and a sign-up at the directory. What they give is of
// no use, so that their failures are none.
func (r *Registrar) refuse(ctx context.Context, user NewUser, owned bool) error {
	if owned {
		_, _ = r.Claims.MarkMailed(ctx, user.Username, MailSignUp, r.Now(), MailInterval)
	} else {
		_, _ = r.Claims.EmailOwner(ctx, user.Email)
		_, _ = r.Profiles.Get(ctx, nobody())
	}
	return r.Directory.PretendSignUp(ctx, user)
}

// nobody gives an id that no user has.
func nobody() UserID { return UserID(rand.Text()) }

// errOwned is behind the refusal of an address that an account of another name has.
var errOwned = errors.New("the address is another account's")

// refuseOwned stops where the address already belongs to an account of another
// name. The claim is left to its lease, so that whoever asks again and again does
// not fill the owner's mailbox.
func (r *Registrar) refuseOwned(ctx context.Context, c Claim) error {
	owned, err := r.owned(ctx, c.Email, "")
	switch {
	case err != nil:
		return err
	case !owned: // the look-ups that an owner would have taken
		_, _ = r.Profiles.Get(ctx, nobody())
		_, _ = r.Directory.FindUser(ctx, c.Username)
		return nil
	}
	r.send(ctx, alreadyRegistered(c.Email))
	taken := errTaken
	taken.Err = errOwned
	return &taken
}

// unseen mails what is asked for under a name that nobody may learn anything about.
type unseen struct {
	claims    Claims
	directory Directory
	mailer    Mailer
	count     Count
	logger    *slog.Logger
}

// wanted is a code that somebody asks for.
type wanted struct {
	use MailUse
	ask func(ctx context.Context, username string) error // has the directory send it
	// instead gives the mail that goes to an address of nobody whom the code would serve,
	// nil where the code is the mail.
	instead func(User) notice
}

// code has a code sent, at most once for its use in [MailInterval]. Where the name is an address of
// nobody whom a code would serve, the address is told so: whoever has it, the same calls
// are made and one mail goes out.
func (u unseen) code(ctx context.Context, name string, now time.Time, sending Sending, w wanted) {
	ctx = sending.watched(ctx)
	if err := u.tryCode(ctx, name, now, sending, w); err != nil {
		sending.Failed(ctx)
		u.count.Add(ctx, "MailsFailed")
		u.logger.WarnContext(ctx, "code not sent", "err", err)
	}
}

func (u unseen) tryCode(ctx context.Context, name string, now time.Time, sending Sending, w wanted) error {
	_, err := u.claims.Find(ctx, name)
	claimed := CodeOf(err) != CodeNotFound // the directory may have users that were not made here
	if err != nil && claimed {
		return err
	}
	due, err := u.claims.MarkMailed(ctx, name, w.use, now, MailInterval)
	if err != nil {
		return err
	}
	user, err := u.directory.FindUser(ctx, name)
	if err != nil && CodeOf(err) != CodeNotFound {
		return err
	}
	owner, err := u.claims.EmailOwner(ctx, cmp.Or(user.Email, name))
	switch {
	case err != nil && CodeOf(err) != CodeNotFound:
		return err
	case claimed && !due:
		u.logger.InfoContext(ctx, "code not sent: the last one went out less than a minute ago")
		return nil
	case claimed && user.Confirmed && user.EmailVerified && owner != user.ID:
		// The table decides whose an address is. Whoever has an access token can give
		// the account another at Cognito itself, and would have it mailed this code.
		u.logger.WarnContext(ctx, "code not sent: the directory has an address that was not proven here")
		return u.notify(ctx, name, noAccount)
	}
	notice := w.instead(user)
	if user.Email != "" && user.Email != name && notice == nil {
		// The request was counted under its name: many names may have one mailbox.
		if admitted, err := sending.Unseen(ctx, w.use, user.Email); err != nil || !admitted {
			return err
		}
	}
	switch err := w.ask(ctx, name); CodeOf(err) {
	case "", CodeNotFound, CodeAlreadyConfirmed: // what instead knows already
	default:
		return err
	}
	return u.notify(ctx, name, notice)
}

// notify mails a notice, if there is one, to a name that is an address.
func (u unseen) notify(ctx context.Context, name string, n notice) error {
	if n == nil || !IsEmail(name) {
		return nil
	}
	return u.mailer.Send(ctx, n(name))
}

// insteadOfConfirming is for somebody who asked for a code to confirm an account with.
func insteadOfConfirming(u User) notice {
	switch {
	case u.ID == "":
		return noAccount
	case u.Confirmed:
		return alreadyRegistered
	}
	return nil
}

// insteadOfReset is for somebody who asked for a code for a new password.
func insteadOfReset(u User) notice {
	if u.Confirmed && u.EmailVerified {
		return nil
	}
	return noAccount
}
