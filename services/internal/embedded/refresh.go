package embedded

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"time"

	"spillway.example/services/internal/account"
)

// grace is how long a refresh token goes on to work once it was replaced: two tabs of
// one browser may send the same one at the same time, and an answer may be lost.
const grace = 10 * time.Second

// rotations is how often a session's refresh token is replaced within the grace. Tabs share one
// replacement; a longer chain would be walked for each old token that comes, while nobody else
// can write.
const rotations = 16

// refreshToken is a refresh token: what it has in common with all others of its
// session, and what is its own. Only hashes of it are stored. Any token of a session
// tells which session it was, so that an old one betrays its theft without a list of
// all that ever were.
type refreshToken [familySize + secretSize]byte

const familySize, secretSize = 16, sha256.Size

func newRefreshToken() *refreshToken {
	var t refreshToken
	_, _ = rand.Read(t[:]) // never fails
	return &t
}

func parseRefreshToken(s string) (*refreshToken, bool) {
	raw, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(raw) != len(refreshToken{}) {
		return nil, false
	}
	t := (*refreshToken)(raw)
	return t, t.String() == s // the decoder overlooks line breaks and stray bits
}

// String gives the token as it travels.
func (t *refreshToken) String() string { return base64.RawURLEncoding.EncodeToString(t[:]) }

func (t *refreshToken) hash() []byte       { h := sha256.Sum256(t[:]); return h[:] }
func (t *refreshToken) familyHash() []byte { h := sha256.Sum256(t[:familySize]); return h[:] }

// next gives the token that replaces t. It follows from t and a random salt, so that
// whoever sends t again within the grace gets the same one, and a session never has
// two that both go on: a thief's and the owner's.
func (t *refreshToken) next(salt []byte) *refreshToken {
	var n refreshToken
	copy(n[:], t[:familySize])
	h := hmac.New(sha256.New, salt)
	h.Write(t[:])
	h.Sum(n[:familySize])
	return &n
}

// Refresh implements [account.Directory]. Each refresh replaces the token, but the
// one just replaced works for [grace], and gives what took its place. One replaced
// longer ago can only be stolen, or sent by somebody stolen from: that ends the
// session, and its access tokens (RFC 9700 section 4.14.2).
func (d *Directory) Refresh(ctx context.Context, refreshToken string) (account.Tokens, error) {
	token, ok := parseRefreshToken(refreshToken)
	if !ok {
		return account.Tokens{}, account.ErrToken(errors.New("no refresh token of ours"))
	}
	var ses session
	var refused error // ending a session must stand
	err := d.store.update(ctx, "refreshing", func(tx *sql.Tx) error {
		var err error
		if ses, err = d.findSession(ctx, tx, token); err != nil {
			return err
		}
		newest, err := d.replace(ctx, tx, ses.id, token)
		if errors.Is(err, errReused) {
			refused = account.ErrToken(err)
			return d.endSession(ctx, tx, ses.id)
		}
		if err != nil {
			return err
		}
		ses.refresh = newest.String()
		return nil
	})
	switch {
	case err != nil:
		return account.Tokens{}, err
	case refused != nil:
		d.store.Logger.WarnContext(ctx, "a refresh token was used again; its session has ended", "user_id", ses.user.ID)
		return account.Tokens{}, refused
	}
	return d.store.issue(ctx, ses)
}

// findSession finds the session of a refresh token, old or new. CodeInvalidToken.
func (d *Directory) findSession(ctx context.Context, tx *sql.Tx, t *refreshToken) (session, error) {
	var ses session
	err := tx.QueryRowContext(ctx, `
		SELECT sessions.id, sessions.created_at, `+userColumns+`
		FROM sessions JOIN users ON users.id = sessions.user_id
		WHERE sessions.family = ? AND sessions.expires_at > ?`, t.familyHash(), stamp(d.store.Now())).
		Scan(append([]any{&ses.id, (*stamp)(&ses.since)}, userFields(&ses.user)...)...)
	if errors.Is(err, sql.ErrNoRows) {
		return ses, account.ErrToken(errEnded)
	}
	return ses, err
}

var errReused = errors.New("the refresh token was replaced before")

// replace gives the newest refresh token of a session: a new one in the place of the
// one that came, or, within the grace, the one that took its place. errReused
// otherwise.
func (d *Directory) replace(ctx context.Context, tx *sql.Tx, session string, t *refreshToken) (*refreshToken, error) {
	now := d.store.Now()
	for came := t; ; {
		var replaced time.Time
		var salt []byte
		err := tx.QueryRowContext(ctx, `SELECT replaced_at, salt FROM refresh_tokens WHERE hash = ? AND session_id = ?`,
			t.hash(), session).Scan((*stamp)(&replaced), &salt)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return nil, errReused
		case err != nil:
			return nil, err
		case replaced.IsZero() && t != came:
			return t, nil
		case replaced.IsZero():
			return d.rotate(ctx, tx, session, t)
		case now.Sub(replaced) >= grace:
			return nil, errReused
		}
		t = t.next(salt)
	}
}

// rotate replaces a session's newest refresh token, and forgets those whose grace is
// over.
func (d *Directory) rotate(ctx context.Context, tx *sql.Tx, session string, t *refreshToken) (*refreshToken, error) {
	now := d.store.Now()
	var recent int
	var oldest time.Time
	err := tx.QueryRowContext(ctx, `SELECT count(*), min(replaced_at) FROM refresh_tokens WHERE session_id = ? AND replaced_at > ?`,
		session, stamp(now.Add(-grace))).Scan(&recent, (*stamp)(&oldest))
	switch {
	case err != nil:
		return nil, err
	case recent >= rotations:
		return nil, &account.Error{
			Code: account.CodeTooManyRequests, Message: "The session was refreshed too often; go on with the token that you have.",
			RetryAfter: oldest.Add(grace).Sub(now),
		}
	}
	salt := make([]byte, secretSize)
	_, _ = rand.Read(salt) // never fails
	next := t.next(salt)
	for _, step := range []struct {
		query string
		args  []any
	}{
		{`DELETE FROM refresh_tokens WHERE session_id = ? AND replaced_at <= ?`, []any{session, stamp(now.Add(-grace))}},
		{`UPDATE refresh_tokens SET replaced_at = ?, salt = ? WHERE hash = ?`, []any{stamp(now), salt, t.hash()}},
		{`INSERT INTO refresh_tokens (hash, session_id) VALUES (?, ?)`, []any{next.hash(), session}},
	} {
		if _, err := tx.ExecContext(ctx, step.query, step.args...); err != nil {
			return nil, err
		}
	}
	return next, nil
}
