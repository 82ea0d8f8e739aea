package embedded

import (
	"context"
	"database/sql"
	"errors"

	"spillway.example/services/internal/account"
)

// SetEmail implements [account.Directory].
func (d *Directory) SetEmail(ctx context.Context, username, email string) error {
	return d.store.update(ctx, "setting an address", func(tx *sql.Tx) error {
		u, _, err := findUser(ctx, tx, username)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE users SET email = ?, email_verified = true WHERE id = ?`, email, u.ID)
		return errors.Join(err, voidCodes(ctx, tx, u.ID)) // that went to the older address
	})
}

// PutEmailChange implements [account.Claims], and clears away wishes long past their time.
func (s *Store) PutEmailChange(ctx context.Context, c account.EmailChange) error {
	return s.update(ctx, "storing a change of address", func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM email_changes WHERE expires_at <= ?`, stamp(s.Now().Add(-account.EmailChangeKept))); err != nil {
			return err
		}
		if _, err := findProfile(ctx, tx, c.UserID); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `
			INSERT OR REPLACE INTO email_changes (user_id, email_from, email_to, salt, hash, tries, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
			c.UserID, c.From, c.To, c.Salt, c.Hash, c.Tries, stamp(c.ExpiresAt))
		return err
	})
}

// TryEmailChange implements [account.Claims].
func (s *Store) TryEmailChange(ctx context.Context, id account.UserID) (c account.EmailChange, err error) {
	err = s.update(ctx, "trying a code", func(tx *sql.Tx) error {
		c, err = emailChange(id, tx.QueryRowContext(ctx, `
			UPDATE email_changes SET tries = tries + 1 WHERE user_id = ? RETURNING email_from, email_to, salt, hash, tries, expires_at`, id))
		return err
	})
	return c, err
}

// FindEmailChange implements [account.Claims].
func (s *Store) FindEmailChange(ctx context.Context, id account.UserID) (account.EmailChange, error) {
	c, err := emailChange(id, s.read.QueryRowContext(ctx, `
		SELECT email_from, email_to, salt, hash, tries, expires_at FROM email_changes WHERE user_id = ?`, id))
	if err != nil {
		return account.EmailChange{}, failure("reading a change of address", err)
	}
	return c, nil
}

func emailChange(id account.UserID, row *sql.Row) (account.EmailChange, error) {
	c := account.EmailChange{UserID: id}
	err := row.Scan(&c.From, &c.To, &c.Salt, &c.Hash, &c.Tries, (*stamp)(&c.ExpiresAt))
	if errors.Is(err, sql.ErrNoRows) {
		return account.EmailChange{}, errNotFound()
	}
	return c, err
}

// DropEmailChange implements [account.Claims].
func (s *Store) DropEmailChange(ctx context.Context, id account.UserID) error {
	return s.update(ctx, "ending a change of address", func(tx *sql.Tx) error { return dropEmailChange(ctx, tx, id) })
}

func dropEmailChange(ctx context.Context, tx *sql.Tx, id account.UserID) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM email_changes WHERE user_id = ?`, id)
	return err
}

// MoveEmail implements [account.Claims].
func (s *Store) MoveEmail(ctx context.Context, m account.EmailMove) (owned bool, err error) {
	err = s.update(ctx, "moving to another address", func(tx *sql.Tx) error {
		held, err := findClaim(ctx, tx, m.Username)
		switch {
		case err != nil:
			return err
		case held.UserID != m.UserID || !held.Confirmed || !held.RetiredAt.IsZero():
			return errConflict()
		}
		p, err := findProfile(ctx, tx, m.UserID)
		if err != nil {
			return err
		}
		if owned, err = claimEmail(ctx, tx, m.To, m.UserID); err != nil || !owned || p.EmailVerified && p.Email == m.To {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM email_owners WHERE user_id = ? AND email <> ?`, m.UserID, m.To)
		p.Email, p.EmailVerified, p.UpdatedAt = m.To, true, m.At
		return errors.Join(err, updateProfile(ctx, tx, p))
	})
	return owned && err == nil, err
}
