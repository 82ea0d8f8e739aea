package embedded

import (
	"cmp"
	"context"
	"database/sql"
	"errors"

	"github.com/google/uuid"

	"spillway.example/services/internal/account"
)

// SignIn implements [account.Directory]. An unknown user, a wrong password and an
// unconfirmed user all cost one look-up and one hash.
func (d *Directory) SignIn(ctx context.Context, username, password string) (account.Tokens, error) {
	const doing = "signing in"
	u, stored, err := findUser(ctx, d.store.read, username)
	unknown := account.CodeOf(err) == account.CodeNotFound
	if err != nil && !unknown {
		return account.Tokens{}, failure(doing, err)
	}
	fits, old, err := d.store.hasher.check(ctx, password, stored)
	switch {
	case err != nil:
		return account.Tokens{}, failure(doing, err)
	case unknown:
		return account.Tokens{}, account.ErrCredentials(errors.New("unknown user"))
	case !fits:
		return account.Tokens{}, account.ErrCredentials(errors.New("wrong password"))
	case !u.Confirmed:
		return account.Tokens{}, account.ErrNotConfirmed(nil)
	}
	renewed := stored
	if old {
		if renewed, err = d.store.hasher.hash(ctx, password); err != nil {
			return account.Tokens{}, failure(doing, err)
		}
	}
	var ses session
	var challenge error
	err = d.store.update(ctx, doing, func(tx *sql.Tx) error {
		// Hashing takes its time; the user may be gone, or the password another.
		now, current, err := findUser(ctx, tx, username)
		switch {
		case err != nil && account.CodeOf(err) != account.CodeNotFound:
			return err
		case now.ID != u.ID || current != stored:
			return account.ErrCredentials(errors.New("the user has changed meanwhile"))
		case old:
			if _, err := tx.ExecContext(ctx, `UPDATE users SET password = ? WHERE id = ?`, renewed, u.ID); err != nil {
				return err
			}
		}
		if challenge, err = d.challenge(ctx, tx, u.ID); challenge != nil || err != nil {
			return err
		}
		ses, err = d.openSession(ctx, tx, u)
		return err
	})
	if err != nil || challenge != nil {
		return account.Tokens{}, cmp.Or(err, challenge)
	}
	return d.store.issue(ctx, ses)
}

// openSession makes a new session, and clears away those past their time.
func (d *Directory) openSession(ctx context.Context, tx *sql.Tx, u account.User) (session, error) {
	now := d.store.Now()
	if _, err := tx.ExecContext(ctx, `DELETE FROM sessions WHERE expires_at <= ?`, stamp(now)); err != nil {
		return session{}, err
	}
	token := newRefreshToken()
	ses := session{id: uuid.NewString(), since: now, user: u, refresh: token.String()}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO sessions (id, family, user_id, created_at, expires_at) VALUES (?, ?, ?, ?, ?)`,
		ses.id, token.familyHash(), u.ID, stamp(now), stamp(now.Add(d.store.RefreshLifetime)))
	if err != nil {
		return session{}, err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO refresh_tokens (hash, session_id) VALUES (?, ?)`, token.hash(), ses.id)
	return ses, err
}

// SignOut implements [account.Directory].
func (d *Directory) SignOut(ctx context.Context, refreshToken string) error {
	token, ok := parseRefreshToken(refreshToken)
	if !ok {
		return nil
	}
	return d.store.update(ctx, "signing out", func(tx *sql.Tx) error {
		var id string
		err := tx.QueryRowContext(ctx, `SELECT id FROM sessions WHERE family = ?`, token.familyHash()).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return errors.Join(err, d.endSession(ctx, tx, id))
	})
}

// endSession ends a session, and its access tokens, which others check without asking us.
func (d *Directory) endSession(ctx context.Context, tx *sql.Tx, id string) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM sessions WHERE id = ?`, id); err != nil {
		return err
	}
	return d.store.denySession(ctx, tx, id, d.store.Now().Add(account.DenialLifetime))
}

// SignOutEverywhere implements [account.Directory].
func (d *Directory) SignOutEverywhere(ctx context.Context, accessToken string) error {
	claims, err := d.store.verifier.Offline(ctx, accessToken)
	if err != nil {
		return err
	}
	return d.store.update(ctx, "signing out everywhere", func(tx *sql.Tx) error {
		u, err := d.sessionUser(ctx, tx, claims.SessionID, claims.UserID)
		if err != nil {
			return err
		}
		return d.endSessions(ctx, tx, u.ID)
	})
}

// endSessions ends all sessions of a user, with their access tokens: no crash comes in between.
func (d *Directory) endSessions(ctx context.Context, tx *sql.Tx, id account.UserID) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO denied_sessions (id, expires_at) SELECT id, ? FROM sessions WHERE user_id = ?
		ON CONFLICT (id) DO UPDATE SET expires_at = max(expires_at, excluded.expires_at)`,
		stamp(d.store.Now().Add(account.DenialLifetime)), id)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM sessions WHERE user_id = ?`, id)
	return err
}

// GetUser implements [account.Directory].
func (d *Directory) GetUser(ctx context.Context, accessToken string) (account.User, error) {
	claims, err := d.store.verifier.Offline(ctx, accessToken)
	if err != nil {
		return account.User{}, err
	}
	u, err := d.sessionUser(ctx, d.store.read, claims.SessionID, claims.UserID)
	return u, failure("reading a session", err)
}

// sessionUser gives the user of a session that has not ended. CodeInvalidToken.
func (d *Directory) sessionUser(ctx context.Context, q queryer, session string, id account.UserID) (account.User, error) {
	var u account.User
	err := q.QueryRowContext(ctx, `
		SELECT `+userColumns+` FROM sessions JOIN users ON users.id = sessions.user_id
		WHERE sessions.id = ? AND users.id = ? AND sessions.expires_at > ?`, session, id, stamp(d.store.Now())).
		Scan(userFields(&u)...)
	if errors.Is(err, sql.ErrNoRows) {
		return u, account.ErrToken(errEnded)
	}
	return u, err
}

var errEnded = errors.New("the session has ended")
