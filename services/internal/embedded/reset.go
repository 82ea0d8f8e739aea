package embedded

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"spillway.example/services/internal/account"
)

// ForgotPassword implements [account.Directory]. A mail that cannot be sent is as good as
// one that is lost: whoever waits for it asks again.
func (d *Directory) ForgotPassword(ctx context.Context, username string) error {
	var email, code string
	err := d.store.update(ctx, "making a code for a new password", func(tx *sql.Tx) error {
		u, _, err := findUser(ctx, tx, username)
		switch {
		case account.CodeOf(err) == account.CodeNotFound, err == nil && (!u.Confirmed || !u.EmailVerified):
			return decoy(ctx, tx)
		case err != nil:
			return err
		}
		if until, err := passwordGiven(ctx, tx, u.ID); !until.IsZero() || err != nil { // its owner asks whoever gave it
			return errors.Join(err, decoy(ctx, tx))
		}
		email = u.Email
		code, err = d.newCode(ctx, tx, u.ID, resetPassword)
		return err
	})
	switch {
	case err != nil:
		return err
	case email == "":
		return account.Errorf(account.CodeNotFound, nil, "There is nobody, or no proven address, to send a code to.")
	}
	if err := d.mailCode(ctx, email, resetPassword, code); err != nil {
		return account.ErrUnavailable(err)
	}
	return nil
}

// ResetPassword implements [account.Directory]. Whatever comes of it costs one hash and
// one write.
func (d *Directory) ResetPassword(ctx context.Context, username, code, password string) error {
	const doing = "resetting a password"
	hash, err := d.store.hasher.hash(ctx, password)
	if err != nil {
		return failure(doing, err)
	}
	var refused error // a code that was tried stays tried
	err = d.store.update(ctx, doing, func(tx *sql.Tx) error {
		u, _, err := findUser(ctx, tx, username)
		if err != nil && account.CodeOf(err) != account.CodeNotFound {
			return err
		}
		// An unknown user has no id, and so no code.
		if refused, err = d.useCode(ctx, tx, u.ID, resetPassword, code); refused != nil || err != nil {
			return err
		}
		if err := setPassword(ctx, tx, u.ID, hash, time.Time{}); err != nil {
			return err
		}
		return d.endSessions(ctx, tx, u.ID)
	})
	if err != nil {
		return err
	}
	return refused
}
