package account

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"time"
)

// Delete removes the account of whoever a verified access token belongs to, with all that
// is held of it: sessions and access tokens, directory user, profile, proven address,
// requests that may come again, and the claim on the name, which is free again then. It
// takes the password, since a token may be stolen. CodeWrongPassword; CodeNotFound
// where the account is gone; CodeTooManyRequests; CodeUnavailable, also where it has begun
// and goes on by itself.
//
// It is a saga as sign-up is: the claim is retired first, which nobody takes back, and
// goes last. Whatever interrupts it, [Registrar.FinishDeletions], the next sign-up for the
// name, and the same request again while its token is good, go on from there. See
// docs/deletion.md.
func (r *Registrar) Delete(ctx context.Context, who Identity, password string) error {
	ctx, cancel := context.WithTimeout(ctx, leaseWork)
	defer cancel()
	claim, err := r.Claims.Find(ctx, who.Username)
	if err != nil && CodeOf(err) != CodeNotFound {
		return err
	}
	if claim.UserID != who.UserID || claim.RetiredAt.IsZero() {
		user, err := r.prove(ctx, who, password)
		if err != nil {
			return err
		}
		if claim, err = r.retire(ctx, claim, user); err != nil {
			return err
		}
	}
	ctx, cancel = toTheEnd(ctx, leaseWork) // once begun it is ended
	defer cancel()
	if err := r.erase(ctx, claim); err != nil {
		r.eraseLater(ctx, claim)
		return &Error{Code: CodeUnavailable, Message: "The deletion has begun, and goes on by itself.", Err: err}
	}
	return nil
}

// prove holds a password to be that of the account, and gives its user.
func (r *Registrar) prove(ctx context.Context, who Identity, password string) (User, error) {
	user, err := r.Directory.FindUser(ctx, who.Username)
	switch {
	case err != nil:
		return User{}, orGone(err)
	case user.ID != who.UserID:
		return User{}, ErrGone(nil)
	}
	guess, err := r.Limits.SignIn(ctx, who.Username)
	if err != nil {
		return User{}, err
	}
	tokens, failed := r.Directory.SignIn(ctx, who.Username, NormalizePassword(password))
	switch right, err := PasswordFits(failed); {
	case err != nil:
		return User{}, err
	case !right && CodeOf(failed) == CodeInvalidCredentials:
		return User{}, ErrWrongPassword("password", failed)
	case !right:
		return User{}, failed
	}
	// Whoever has an access token has passed a further step before, but not from here.
	if failed == nil {
		guess.Right(ctx)
	}
	r.end(ctx, tokens)
	return user, nil
}

// end ends a session that was opened to prove a password, and that nobody holds.
func (r *Registrar) end(ctx context.Context, opened Tokens) {
	if opened.RefreshToken == "" {
		return
	}
	later(ctx, r.Background, r.Logger, "a session that nobody holds goes on", func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, endWithin)
		defer cancel()
		return unlessNotFound(r.Directory.SignOut(ctx, opened.RefreshToken))
	})
}

// retire marks the account of a user, whose name held claims, as one that is being deleted.
// From then on it will be.
func (r *Registrar) retire(ctx context.Context, held Claim, u User) (Claim, error) {
	err := r.makePermanent(ctx, held, u)
	if err == nil {
		err = r.Claims.Retire(ctx, u.Username, u.ID, r.Now())
	}
	switch CodeOf(err) {
	case "":
		return Claim{Username: u.Username, UserID: u.ID}, nil // all that erasing takes
	case CodeConflict, CodeUsernameTaken:
		return Claim{}, ErrUnavailable(err) // somebody has changed the claim meanwhile
	}
	return Claim{}, err
}

// makePermanent has the claim on a name be the user's and confirmed, so that nobody takes the
// name while the user is there: the table may not have been told yet of a confirmation, or
// never of this user, whom an operator made.
func (r *Registrar) makePermanent(ctx context.Context, held Claim, u User) error {
	now := r.Now()
	c := Claim{Username: u.Username, Attempt: rand.Text(), UserID: u.ID, Directory: r.DirectoryID, Confirmed: true, LeaseUntil: now, CreatedAt: now}
	switch {
	case held.UserID == u.ID && held.Confirmed:
		return nil
	case held.UserID == u.ID:
		return r.settle(ctx, held, u.provenEmail())
	case held.Confirmed:
		if cleared, err := r.clear(ctx, held.Username, held.UserID); err != nil || !cleared {
			return cmp.Or(err, ErrUnavailable(errors.New("the name is an account's of another directory")))
		}
	case held.Attempt != "":
		return r.Claims.Supersede(ctx, held, c)
	}
	_, _, err := r.Claims.Acquire(ctx, c)
	return err
}

// erase goes on with the deletion of an account from wherever it is.
func (r *Registrar) erase(ctx context.Context, c Claim) error {
	// By id: under the name there may be another user by now, whom an operator made by hand,
	// or, where somebody else has ended this deletion meanwhile, whoever has the name next.
	if err := r.Directory.DeleteUser(ctx, c.UserID); err != nil {
		return err
	}
	if r.Revoker != nil {
		if err := r.Revoker.RevokeDeleted(ctx, c.UserID); err != nil {
			return err
		}
	}
	if r.Replays != nil {
		if err := r.Replays.Forget(ctx, c.Username, c.UserID); err != nil {
			return err
		}
	}
	return r.Claims.Erase(ctx, c.Username, c.UserID)
}

// erasePause is how long to wait before a deletion that failed is gone on with.
const erasePause = 2 * time.Second

// eraseLater goes on with a deletion that failed: whoever asked for it may not be able to
// ask again, since their tokens are void.
func (r *Registrar) eraseLater(ctx context.Context, c Claim) {
	later(ctx, r.Background, r.Logger, "deletion not finished; it is on the list", func(ctx context.Context) error {
		if err := r.Wait(ctx, erasePause); err != nil {
			return err
		}
		return r.erase(ctx, c)
	})
}

// stalled is how long a deletion takes at most: one that began before that was interrupted.
const stalled = Lease

// FinishDeletions goes on with every deletion that was interrupted. Run it when a process
// starts, and now and then.
func (r *Registrar) FinishDeletions(ctx context.Context) error {
	claims, err := r.Claims.Retired(ctx)
	failures := []error{err}
	for _, c := range claims {
		if r.Now().Sub(c.RetiredAt) > stalled {
			failures = append(failures, r.erase(ctx, c))
		}
	}
	return errors.Join(failures...)
}
