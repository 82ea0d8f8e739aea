package embedded

import (
	"context"
	"database/sql"

	"spillway.example/services/internal/account"
)

var _ account.SessionLister = (*Directory)(nil)

// ListSessions implements [account.SessionLister].
func (d *Directory) ListSessions(ctx context.Context, accessToken string) ([]account.Session, error) {
	const doing = "listing sessions"
	claims, err := d.store.verifier.Offline(ctx, accessToken)
	if err != nil {
		return nil, err
	}
	u, err := d.sessionUser(ctx, d.store.read, claims.SessionID, claims.UserID)
	if err != nil {
		return nil, failure(doing, err)
	}
	rows, err := d.store.read.QueryContext(ctx, `
		SELECT id, created_at, expires_at FROM sessions WHERE user_id = ? AND expires_at > ? ORDER BY created_at DESC, id`,
		u.ID, stamp(d.store.Now()))
	if err != nil {
		return nil, failure(doing, err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err says it
	var sessions []account.Session
	for rows.Next() {
		var s account.Session
		if err := rows.Scan(&s.ID, (*stamp)(&s.CreatedAt), (*stamp)(&s.ExpiresAt)); err != nil {
			return nil, failure(doing, err)
		}
		s.Current = s.ID == claims.SessionID
		sessions = append(sessions, s)
	}
	return sessions, failure(doing, rows.Err())
}

// EndSession implements [account.SessionLister].
func (d *Directory) EndSession(ctx context.Context, accessToken, id string) error {
	claims, err := d.store.verifier.Offline(ctx, accessToken)
	if err != nil {
		return err
	}
	return d.store.update(ctx, "ending a session", func(tx *sql.Tx) error {
		u, err := d.sessionUser(ctx, tx, claims.SessionID, claims.UserID)
		if err != nil {
			return err
		}
		ended, err := changed(tx.ExecContext(ctx, `DELETE FROM sessions WHERE id = ? AND user_id = ?`, id, u.ID))
		if err == nil && !ended {
			err = account.Errorf(account.CodeNotFound, nil, "There is no such session.")
		}
		if err != nil {
			return err
		}
		return d.store.denySession(ctx, tx, id, d.store.Now().Add(account.DenialLifetime))
	})
}
