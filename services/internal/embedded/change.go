package embedded

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"spillway.example/services/internal/account"
)

// ChangePassword implements [account.Directory].
func (d *Directory) ChangePassword(ctx context.Context, accessToken, current, password string) error {
	const doing = "changing a password"
	u, err := d.GetUser(ctx, accessToken)
	if err != nil {
		return err
	}
	_, stored, err := findUser(ctx, d.store.read, u.Username)
	if account.CodeOf(err) == account.CodeNotFound {
		return account.ErrToken(errEnded)
	}
	if err != nil {
		return failure(doing, err)
	}
	fits, _, err := d.store.hasher.check(ctx, current, stored)
	switch {
	case err != nil:
		return failure(doing, err)
	case !fits:
		return account.ErrCredentials(errors.New("wrong password"))
	}
	hash, err := d.store.hasher.hash(ctx, password)
	if err != nil {
		return failure(doing, err)
	}
	return d.store.update(ctx, doing, func(tx *sql.Tx) error {
		// Hashing takes its time; the user may be gone, or the password another.
		_, now, err := findUser(ctx, tx, u.Username)
		switch {
		case account.CodeOf(err) == account.CodeNotFound, err == nil && now != stored:
			return account.ErrCredentials(errors.New("the user has changed meanwhile"))
		case err != nil:
			return err
		}
		return setPassword(ctx, tx, u.ID, hash, time.Time{})
	})
}
