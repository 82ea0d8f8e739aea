package embedded

import (
	"context"
	"database/sql"
	"time"

	"spillway.example/services/internal/account"
)

var _ account.Denials = (*Store)(nil)

// DenyUser implements [account.Denials].
func (s *Store) DenyUser(ctx context.Context, id account.UserID, began, until time.Time) error {
	return s.update(ctx, "denying a user's tokens", func(tx *sql.Tx) error {
		if err := s.forgetDenials(ctx, tx); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `
			INSERT INTO denied_users (user_id, began, expires_at) VALUES (?, ?, ?)
			ON CONFLICT (user_id) DO UPDATE SET
				began = max(began, excluded.began), expires_at = max(expires_at, excluded.expires_at)`,
			id, began.Unix(), stamp(until))
		return err
	})
}

// DenySession implements [account.Denials].
func (s *Store) DenySession(ctx context.Context, session string, until time.Time) error {
	return s.update(ctx, "denying a session's tokens", func(tx *sql.Tx) error {
		return s.denySession(ctx, tx, session, until)
	})
}

func (s *Store) denySession(ctx context.Context, tx *sql.Tx, session string, until time.Time) error {
	if err := s.forgetDenials(ctx, tx); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO denied_sessions (id, expires_at) VALUES (?, ?)
		ON CONFLICT (id) DO UPDATE SET expires_at = max(expires_at, excluded.expires_at)`, session, stamp(until))
	return err
}

// forgetDenials clears away what is past its time.
func (s *Store) forgetDenials(ctx context.Context, tx *sql.Tx) error {
	now := stamp(s.Now())
	if _, err := tx.ExecContext(ctx, `DELETE FROM denied_users WHERE expires_at <= ?`, now); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `DELETE FROM denied_sessions WHERE expires_at <= ?`, now)
	return err
}

// Denied implements [account.Denials].
func (s *Store) Denied(ctx context.Context, who account.Identity) (denied bool, err error) {
	err = s.read.QueryRowContext(ctx, `
		SELECT EXISTS (SELECT 1 FROM denied_sessions WHERE id = ?)
			OR EXISTS (SELECT 1 FROM denied_users WHERE user_id = ? AND began >= ?)`,
		who.SessionID, who.UserID, who.Since.Unix()).Scan(&denied)
	return denied, failure("reading the deny list", err)
}
