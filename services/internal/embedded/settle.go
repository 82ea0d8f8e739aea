package embedded

import (
	"context"
	"database/sql"
	"errors"

	"spillway.example/services/internal/account"
)

// Settle implements [account.Claims].
func (s *Store) Settle(ctx context.Context, st account.Settlement) (emailOwned bool, err error) {
	err = s.update(ctx, "settling a claim", func(tx *sql.Tx) error {
		held, err := ours(ctx, tx, st.Username, st.Attempt)
		if err != nil {
			return err
		}
		p, err := findProfile(ctx, tx, st.UserID)
		switch {
		case account.CodeOf(err) == account.CodeNotFound, err == nil && held.UserID != st.UserID:
			return errConflict()
		case err != nil:
			return err
		case held.Confirmed: // by a call whose answer was lost
			emailOwned, err = ownsEmail(ctx, tx, st.Email, st.UserID)
			return err
		}
		if st.Email != "" {
			if emailOwned, err = claimEmail(ctx, tx, st.Email, st.UserID); err != nil {
				return err
			}
			p.Email, p.EmailVerified = "", false
			if emailOwned {
				p.Email, p.EmailVerified = st.Email, true
			}
		}
		p.UpdatedAt = st.At
		held.Confirmed = true
		return errors.Join(updateProfile(ctx, tx, p), storeClaim(ctx, tx, held))
	})
	return emailOwned && err == nil, err
}

// claimEmail makes a user the owner of an address unless another one is.
func claimEmail(ctx context.Context, tx *sql.Tx, email string, id account.UserID) (owned bool, err error) {
	_, err = tx.ExecContext(ctx, `INSERT INTO email_owners (email, user_id) VALUES (?, ?) ON CONFLICT (email) DO NOTHING`, email, id)
	if err != nil {
		return false, err
	}
	return ownsEmail(ctx, tx, email, id)
}

func ownsEmail(ctx context.Context, q queryer, email string, id account.UserID) (bool, error) {
	owner, err := emailOwner(ctx, q, email)
	if account.CodeOf(err) == account.CodeNotFound {
		return false, nil
	}
	return owner == id, err
}

// EmailOwner implements [account.Claims].
func (s *Store) EmailOwner(ctx context.Context, email string) (account.UserID, error) {
	id, err := emailOwner(ctx, s.read, email)
	return id, failure("reading an address's owner", err)
}

// emailOwner reads the owner of an address. CodeNotFound.
func emailOwner(ctx context.Context, q queryer, email string) (id account.UserID, err error) {
	err = q.QueryRowContext(ctx, `SELECT user_id FROM email_owners WHERE email = ?`, email).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", errNotFound()
	}
	return id, err
}
