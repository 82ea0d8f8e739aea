package embedded

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"spillway.example/services/internal/account"
)

// findClaim reads the claim on a name. CodeNotFound.
func findClaim(ctx context.Context, q queryer, username string) (account.Claim, error) {
	c := account.Claim{Username: username}
	err := q.QueryRowContext(ctx, `
		SELECT attempt, token_hash, user_id, email, confirmed, lease_until, mailed_at, mailed_confirmation_at, mailed_reset_at, created_at, retired_at
		FROM claims WHERE username = ?`, username).
		Scan(&c.Attempt, &c.TokenHash, &c.UserID, &c.Email, &c.Confirmed,
			(*stamp)(&c.LeaseUntil), (*stamp)(&c.Mailed.SignUp), (*stamp)(&c.Mailed.Confirmation), (*stamp)(&c.Mailed.Reset),
			(*stamp)(&c.CreatedAt), (*stamp)(&c.RetiredAt))
	if errors.Is(err, sql.ErrNoRows) {
		return account.Claim{}, errNotFound()
	}
	return c, err
}

// ours reads the claim on a name and holds it to be an attempt's. CodeConflict.
func ours(ctx context.Context, tx *sql.Tx, username, attempt string) (account.Claim, error) {
	c, err := findClaim(ctx, tx, username)
	if account.CodeOf(err) == account.CodeNotFound || err == nil && c.Attempt != attempt {
		return c, errConflict()
	}
	return c, err
}

// storeClaim stores c in the place of whatever claim there is on the name.
func storeClaim(ctx context.Context, tx *sql.Tx, c account.Claim) error {
	_, err := tx.ExecContext(ctx, `
		INSERT OR REPLACE INTO claims
			(username, attempt, token_hash, user_id, email, confirmed, lease_until, mailed_at, mailed_confirmation_at, mailed_reset_at, created_at, retired_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		c.Username, c.Attempt, c.TokenHash, c.UserID, c.Email, c.Confirmed,
		stamp(c.LeaseUntil), stamp(c.Mailed.SignUp), stamp(c.Mailed.Confirmation), stamp(c.Mailed.Reset), stamp(c.CreatedAt), stamp(c.RetiredAt))
	return err
}

// Acquire implements [account.Claims]. It writes whether the name is free or not.
func (s *Store) Acquire(ctx context.Context, c account.Claim) (held account.Claim, acquired bool, err error) {
	err = s.update(ctx, "claiming a name", func(tx *sql.Tx) error {
		held, err = findClaim(ctx, tx, c.Username)
		switch {
		case err == nil:
			acquired = held.Attempt == c.Attempt // by a call whose answer was lost
			return decoy(ctx, tx)
		case account.CodeOf(err) != account.CodeNotFound:
			return err
		}
		held, acquired = c, true
		return storeClaim(ctx, tx, c)
	})
	if err != nil {
		return account.Claim{}, false, err
	}
	return held, acquired, nil
}

// Supersede implements [account.Claims].
func (s *Store) Supersede(ctx context.Context, old, c account.Claim) error {
	return s.update(ctx, "superseding a claim", func(tx *sql.Tx) error {
		held, err := findClaim(ctx, tx, old.Username)
		switch {
		case account.CodeOf(err) == account.CodeNotFound:
			return errConflict()
		case err != nil:
			return err
		case held.Attempt == c.Attempt:
			return nil // by a call whose answer was lost
		case held.Attempt != old.Attempt || held.Confirmed || !held.LeaseUntil.Equal(old.LeaseUntil):
			return errConflict()
		}
		return errors.Join(deleteProfile(ctx, tx, held.UserID), storeClaim(ctx, tx, c))
	})
}

// Find implements [account.Claims].
func (s *Store) Find(ctx context.Context, username string) (account.Claim, error) {
	c, err := findClaim(ctx, s.read, username)
	return c, failure("reading a claim", err)
}

// Attach implements [account.Claims].
func (s *Store) Attach(ctx context.Context, c account.Claim, p account.Profile) error {
	return s.update(ctx, "attaching a profile", func(tx *sql.Tx) error {
		held, err := ours(ctx, tx, c.Username, c.Attempt)
		if err != nil {
			return err
		}
		absent, err := insertProfile(ctx, tx, p)
		switch {
		case err != nil:
			return err
		case !absent && held.UserID == c.UserID:
			return nil // by a call whose answer was lost
		case !absent || held.Confirmed:
			return errConflict()
		}
		held.UserID, held.TokenHash = c.UserID, c.TokenHash
		return storeClaim(ctx, tx, held)
	})
}

// Extend implements [account.Claims].
func (s *Store) Extend(ctx context.Context, username, attempt string, until time.Time) error {
	var refused error
	err := s.update(ctx, "extending a lease", func(tx *sql.Tx) error {
		held, err := ours(ctx, tx, username, attempt)
		switch {
		case account.CodeOf(err) == account.CodeConflict, err == nil && held.Confirmed:
			refused = errConflict()
			return decoy(ctx, tx)
		case err != nil:
			return err
		}
		held.LeaseUntil = until
		return storeClaim(ctx, tx, held)
	})
	if err != nil {
		return err
	}
	return refused
}

// Release implements [account.Claims].
func (s *Store) Release(ctx context.Context, username, attempt string) error {
	return s.update(ctx, "releasing a claim", func(tx *sql.Tx) error {
		held, err := ours(ctx, tx, username, attempt)
		switch {
		case account.CodeOf(err) == account.CodeConflict, held.Confirmed:
			return nil
		case err != nil:
			return err
		}
		if err := deleteProfile(ctx, tx, held.UserID); err != nil {
			return err
		}
		return deleteClaim(ctx, tx, username)
	})
}

func deleteClaim(ctx context.Context, tx *sql.Tx, username string) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM claims WHERE username = ?`, username)
	return err
}

// marks are the columns that say when the last mail of a use went out.
var marks = map[account.MailUse]string{
	account.MailSignUp: "mailed_at", account.MailConfirmation: "mailed_confirmation_at", account.MailReset: "mailed_reset_at",
}

// MarkMailed implements [account.Claims].
func (s *Store) MarkMailed(ctx context.Context, username string, use account.MailUse, now time.Time, interval time.Duration) (due bool, err error) {
	err = s.update(ctx, "marking a mail", func(tx *sql.Tx) error {
		due, err = changed(tx.ExecContext(ctx, `
			UPDATE claims SET `+marks[use]+` = ? WHERE username = ? AND coalesce(`+marks[use]+`, 0) <= ?`,
			stamp(now), username, stamp(now.Add(-interval))))
		if err == nil && !due {
			err = decoy(ctx, tx)
		}
		return err
	})
	return due && err == nil, err
}
