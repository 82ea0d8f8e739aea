package embedded

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"time"

	"spillway.example/services/internal/account"
)

// passwordGiven says until when a user has a password that was given to them; zero where it
// is their own.
func passwordGiven(ctx context.Context, q queryer, id account.UserID) (until time.Time, err error) {
	err = q.QueryRowContext(ctx, `SELECT password_expires_at FROM users WHERE id = ?`, id).Scan((*stamp)(&until))
	return until, err
}

// challenge opens the challenge of a user whose password was given to them; nil where it
// is their own. CodeInvalidCredentials where it was given too long ago.
func (d *Directory) challenge(ctx context.Context, tx *sql.Tx, id account.UserID) (challenge, err error) {
	until, err := passwordGiven(ctx, tx, id)
	switch {
	case err != nil || until.IsZero():
		return nil, err
	case !d.store.Now().Before(until):
		return nil, account.ErrCredentials(errors.New("the temporary password has expired"))
	}
	session := rand.Text()
	if err := d.storeCode(ctx, tx, id, newPassword, session); err != nil {
		return nil, err
	}
	return account.ErrChallenge(account.Challenge{Name: account.NewPasswordRequired, Session: session}), nil
}

// RespondToChallenge implements [account.Directory]. Whatever comes of it costs one hash
// and one write.
func (d *Directory) RespondToChallenge(ctx context.Context, a account.ChallengeAnswer) (account.Tokens, error) {
	const doing = "taking a new password"
	if a.Name != account.NewPasswordRequired {
		return account.Tokens{}, account.Errorf(account.CodeUnsupported, nil, "The embedded store has no such challenge.")
	}
	hash, err := d.store.hasher.hash(ctx, a.Responses[account.NewPassword])
	if err != nil {
		return account.Tokens{}, failure(doing, err)
	}
	var ses session
	var refused error // a session that was tried stays tried
	err = d.store.update(ctx, doing, func(tx *sql.Tx) error {
		u, _, err := findUser(ctx, tx, a.Username)
		if err != nil && account.CodeOf(err) != account.CodeNotFound {
			return err
		}
		if refused, err = d.useCode(ctx, tx, u.ID, newPassword, a.Session); refused != nil || err != nil {
			return err
		}
		if err := errors.Join(setPassword(ctx, tx, u.ID, hash, time.Time{}), d.endSessions(ctx, tx, u.ID)); err != nil {
			return err
		}
		ses, err = d.openSession(ctx, tx, u)
		return err
	})
	switch {
	case err != nil:
		return account.Tokens{}, err
	case refused != nil:
		return account.Tokens{}, account.ErrCredentials(refused)
	}
	return d.store.issue(ctx, ses)
}

// SetTemporaryPassword implements [account.Directory].
func (d *Directory) SetTemporaryPassword(ctx context.Context, username, password string) error {
	const doing = "giving a password"
	hash, err := d.store.hasher.hash(ctx, password)
	if err != nil {
		return failure(doing, err)
	}
	until := d.store.Now().Add(account.TemporaryPasswordLifetime)
	return d.store.update(ctx, doing, func(tx *sql.Tx) error {
		u, _, err := findUser(ctx, tx, username)
		switch {
		case err != nil:
			return err
		case !u.Confirmed:
			return account.Errorf(account.CodeNotFound, nil, "There is no such user.")
		}
		return errors.Join(setPassword(ctx, tx, u.ID, hash, until), d.endSessions(ctx, tx, u.ID))
	})
}
