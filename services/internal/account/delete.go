package account

import (
	"context"
	"crypto/rand"
	"errors"
)

// Delete removes the account of whoever a verified access token belongs to, with all that
// is held of it: sessions and access tokens, directory user, profile, proven address, requests that may come
// again, and the claim on the name, which is free again then. It takes the password, since
// a token may be stolen. CodeInvalidCredentials; CodeNotFound where the account is gone;
// CodeTooManyRequests.
//
// It is a saga as sign-up is: the claim is retired first, which nobody takes back, and
// goes last. Whatever interrupts it, the same request again, [Registrar.FinishDeletions]
// and the next sign-up for the name go on from there. See docs/deletion.md.
func (r *Registrar) Delete(ctx context.Context, who Identity, password string) error {
	ctx, cancel := context.WithTimeout(ctx, leaseWork)
	defer cancel()
	claim, err := r.Claims.Find(ctx, who.Username)
	if err != nil && CodeOf(err) != CodeNotFound {
		return err
	}
	if claim.UserID != who.UserID || claim.RetiredAt.IsZero() {
		if err := r.prove(ctx, who, password); err != nil {
			return err
		}
		if claim, err = r.retire(ctx, who); err != nil {
			return err
		}
	}
	ctx, cancel = toTheEnd(ctx, leaseWork) // once begun it is ended
	defer cancel()
	return r.erase(ctx, claim)
}

// prove holds a password to be that of the account.
func (r *Registrar) prove(ctx context.Context, who Identity, password string) error {
	user, err := r.Directory.FindUser(ctx, who.Username)
	if err == nil && user.ID != who.UserID {
		err = Errorf(CodeNotFound, nil, "The account is gone.")
	}
	if err != nil {
		return err
	}
	guess, err := r.Limits.SignIn(ctx, who.Username)
	if err != nil {
		return err
	}
	// The session that this opens ends with the account. A challenge follows the right
	// password alone, and whoever has an access token has passed it before.
	_, err = r.Directory.SignIn(ctx, who.Username, NormalizePassword(password))
	if err != nil && CodeOf(err) != CodeChallenge {
		return err
	}
	guess.Right(ctx)
	return nil
}

// retire marks the account as one that is being deleted. From then on it will be.
func (r *Registrar) retire(ctx context.Context, who Identity) (Claim, error) {
	now := r.Now()
	err := r.Claims.Retire(ctx, who.Username, who.UserID, now)
	if CodeOf(err) == CodeNotFound {
		// The table was never told of this user. It claims the name first, so that
		// nobody takes it while the user is there.
		c := Claim{Username: who.Username, Attempt: rand.Text(), UserID: who.UserID, Confirmed: true, LeaseUntil: now, CreatedAt: now}
		if _, _, err := r.Claims.Acquire(ctx, c); err != nil {
			return Claim{}, err
		}
		err = r.Claims.Retire(ctx, who.Username, who.UserID, now)
	}
	if err != nil {
		return Claim{}, err
	}
	return r.Claims.Find(ctx, who.Username)
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

// stalled is how long a deletion takes at most: one that began before that was interrupted.
const stalled = Lease

// FinishDeletions goes on with every deletion that was interrupted. Run it now and then:
// when a process starts, for one.
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
