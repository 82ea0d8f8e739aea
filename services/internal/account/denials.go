package account

import (
	"context"
	"time"
)

// DenialLifetime is how long an entry of the deny list is kept: the longest that an
// access token can live (Cognito allows a day), and an hour for clocks that differ.
const DenialLifetime = 25 * time.Hour

// Denials is the deny list: whose access tokens are void although they have not
// expired and their signature is good. Both methods that write are idempotent. Every
// method fails with an [*Error]: CodeTooManyRequests, CodeUnavailable or CodeInternal.
type Denials interface {
	// DenyUser voids the access tokens of all sessions of a user that began by the
	// given second. Of two entries for one user the later counts. The entry may be
	// forgotten after until.
	DenyUser(ctx context.Context, id UserID, began, until time.Time) error
	// DenySession voids the access tokens of one session. The entry may be forgotten
	// after until.
	DenySession(ctx context.Context, session string, until time.Time) error
	// Denied says whether an access token of that bearer is void, seeing every write
	// that came before.
	Denied(ctx context.Context, who Identity) (bool, error)
}

// RevokerConfig is what a [Revoker] stands on. Denials is required.
type RevokerConfig struct {
	Denials Denials
	Now     func() time.Time
	// Wait waits so long, or until ctx is done: then it gives the context's error.
	Wait func(ctx context.Context, d time.Duration) error
}

// Revoker voids access tokens before their time. Whoever checks tokens learns of it
// within the time that docs/tokens.md states. It ends no session: that is the
// directory's, and whoever ends sessions there calls the Revoker as well.
type Revoker struct{ RevokerConfig }

// NewRevoker makes a Revoker. Now and Wait default to the wall clock.
func NewRevoker(c RevokerConfig) *Revoker {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Wait == nil {
		c.Wait = wait
	}
	return &Revoker{c}
}

// clockMargin is how far the directory's clock may be from ours. Ahead, it dates sessions
// that end with RevokeUser later than that; behind, it dates one that somebody opens just
// after RevokeUser earlier.
const clockMargin = 250 * time.Millisecond

// RevokeUser voids all access tokens that a user has: after a sign-out everywhere, and a
// change or reset of the password. end, where it is not nil, ends the sessions at the
// directory: what begins before it has done so ends with them, tokens and all.
//
// Tokens tell the second in which their session began, no less, so RevokeUser returns only
// when the last such second is over (at most 1.5 s after end): a session that begins after
// it has returned is good.
func (r *Revoker) RevokeUser(ctx context.Context, id UserID, end func(context.Context) error) error {
	began := r.second()
	if err := r.denyUser(ctx, id, began); err != nil {
		return err
	}
	if end != nil {
		if err := end(ctx); err != nil {
			return err
		}
		if ended := r.second(); ended.After(began) {
			began = ended
			if err := r.denyUser(ctx, id, began); err != nil {
				return err
			}
		}
	}
	if err := r.Wait(ctx, began.Add(time.Second+clockMargin).Sub(r.Now())); err != nil {
		return ErrUnavailable(err)
	}
	return nil
}

// second gives the second that the directory's clock may have reached.
func (r *Revoker) second() time.Time { return r.Now().Add(clockMargin).Truncate(time.Second) }

func (r *Revoker) denyUser(ctx context.Context, id UserID, began time.Time) error {
	return r.Denials.DenyUser(ctx, id, began, r.Now().Add(DenialLifetime))
}

// RevokeDeleted voids all access tokens of a user who is no more: ids are never used again,
// so no session that is yet to begin can be meant.
func (r *Revoker) RevokeDeleted(ctx context.Context, id UserID) error {
	until := r.Now().Add(DenialLifetime)
	return r.Denials.DenyUser(ctx, id, until, until)
}

// RevokeSession voids all access tokens of one session. Tokens that name none cannot be
// told from others of their user's, so of those it voids none.
func (r *Revoker) RevokeSession(ctx context.Context, session string) error {
	if session == "" {
		return nil
	}
	return r.Denials.DenySession(ctx, session, r.Now().Add(DenialLifetime))
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
