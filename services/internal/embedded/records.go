package embedded

import (
	"context"
	"database/sql"
	"time"

	"spillway.example/services/internal/account"
)

var _ account.Records = (*Store)(nil)

// Begin implements [account.Records]. It also clears away those past their time.
func (s *Store) Begin(ctx context.Context, r account.Record, now time.Time) (standing account.Record, begun bool, err error) {
	err = s.update(ctx, "beginning a request", func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM records WHERE expires_at <= ?`, stamp(now)); err != nil {
			return err
		}
		begun, err = changed(tx.ExecContext(ctx, `
			INSERT INTO records (key, fingerprint, owner, attempt, lease_until, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
			ON CONFLICT (key) DO UPDATE SET attempt = ?4, lease_until = ?5, expires_at = ?6
			WHERE answer IS NULL AND fingerprint = ?2 AND (lease_until <= ?7 OR attempt = ?4)`,
			r.Key, r.Fingerprint, r.Owner, r.Attempt, stamp(r.LeaseUntil), stamp(r.ExpiresAt), stamp(now)))
		if err != nil || begun {
			return err
		}
		standing.Key = r.Key
		return tx.QueryRowContext(ctx, `
			SELECT fingerprint, owner, attempt, lease_until, answer, expires_at FROM records WHERE key = ?`, r.Key).
			Scan(&standing.Fingerprint, &standing.Owner, &standing.Attempt, (*stamp)(&standing.LeaseUntil), &standing.Answer, (*stamp)(&standing.ExpiresAt))
	})
	return standing, begun && err == nil, err
}

// Finish implements [account.Records].
func (s *Store) Finish(ctx context.Context, r account.Record) error {
	return s.update(ctx, "keeping an answer", func(tx *sql.Tx) error {
		ours, err := changed(tx.ExecContext(ctx, `
			UPDATE records SET answer = ?, expires_at = ? WHERE key = ? AND attempt = ?`,
			r.Answer, stamp(r.ExpiresAt), r.Key, r.Attempt))
		if err == nil && !ours {
			return errConflict()
		}
		return err
	})
}

// Abandon implements [account.Records].
func (s *Store) Abandon(ctx context.Context, r account.Record) error {
	return s.update(ctx, "abandoning a request", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM records WHERE key = ? AND attempt = ? AND answer IS NULL`, r.Key, r.Attempt)
		return err
	})
}

// Forget implements [account.Records].
func (s *Store) Forget(ctx context.Context, owner string, _ time.Time) error {
	return s.update(ctx, "forgetting requests", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM records WHERE owner = ?`, owner)
		return err
	})
}
