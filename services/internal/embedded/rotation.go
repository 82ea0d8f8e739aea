package embedded

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"

	"spillway.example/services/internal/account"
)

const (
	// KeyLead is how long a new key is published before it signs: whoever keeps our JWK
	// Set has fetched it by then.
	KeyLead = 24 * time.Hour
	// DefaultKeyMaxAge is how long a key signs where nothing else is said.
	DefaultKeyMaxAge = 90 * 24 * time.Hour
	// MinKeyMaxAge is the least time for which a key may sign.
	MinKeyMaxAge = 2 * KeyLead
	// keysAge is how old at most the keys are that a process goes by.
	keysAge = time.Minute
	// keyMargin is how much longer than its last token a key stays, for those who take a
	// token a little past its time (verify.DefaultSkew), and for a process that could not
	// read the file for a while.
	keyMargin = 10 * time.Minute
)

// keyring is the keys of the file as this process last read them.
type keyring struct {
	mu   sync.Mutex
	keys []signingKey // the one that signs last comes first
	read time.Time
}

// keyring gives the keys, read anew if they are a minute old or fresh says so. Where the
// file cannot be read it goes on with those that it has, unless they must be fresh.
func (s *Store) keyring(ctx context.Context, fresh bool) ([]signingKey, error) {
	s.keys.mu.Lock()
	defer s.keys.mu.Unlock()
	now := s.Now()
	old := now.Sub(s.keys.read) >= keysAge || now.Before(s.keys.read)
	if !old && !fresh {
		return s.keys.keys, nil
	}
	keys, err := s.readKeys(ctx)
	if err == nil && old && s.due(keys, now) {
		if err = s.update(ctx, "rotating keys", func(tx *sql.Tx) error { return s.rotateKeys(ctx, tx, now) }); err == nil {
			keys, err = s.readKeys(ctx)
		}
	}
	switch {
	case err == nil:
		s.keys.keys, s.keys.read = keys, now
	case len(keys) == 0 && (fresh || len(s.keys.keys) == 0):
		return nil, err
	case len(keys) > 0: // only their rotation failed: another minute will do
		s.Logger.WarnContext(ctx, "signing keys not rotated", "err", err)
		s.keys.keys, s.keys.read = keys, now
	}
	return s.keys.keys, nil
}

// readKeys reads the keys of the file. There is always one: Open sees to it.
func (s *Store) readKeys(ctx context.Context) (keys []signingKey, err error) {
	const doing = "reading signing keys"
	rows, err := s.read.QueryContext(ctx, `SELECT id, private, signs_from FROM signing_keys ORDER BY signs_from DESC, id`)
	if err != nil {
		return nil, failure(doing, err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err says it
	for rows.Next() {
		var id string
		var private []byte
		var from time.Time
		if err := rows.Scan(&id, &private, (*stamp)(&from)); err != nil {
			return nil, failure(doing, err)
		}
		k, err := s.keys.parse(id, private)
		if err != nil {
			return nil, failure(doing, err)
		}
		k.signsFrom = from
		keys = append(keys, k)
	}
	if err := rows.Err(); err != nil {
		return nil, failure(doing, err)
	}
	if len(keys) == 0 {
		return nil, failure(doing, errors.New("there are none"))
	}
	return keys, nil
}

// parse reads a key as it is stored, unless it is known already; r.mu is held.
func (r *keyring) parse(id string, private []byte) (signingKey, error) {
	for _, k := range r.keys {
		if k.id == id {
			return k, nil
		}
	}
	return parseKey(private)
}

// forget has the keys read anew when they are next used.
func (r *keyring) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.read = time.Time{}
}

// signer gives the key that signs now. A successor is known a day before it signs, but
// another process may have replaced all keys a moment ago, by one of which we know nothing:
// what an older one signed then would be good for nobody.
func (s *Store) signer(ctx context.Context) (key signingKey, err error) {
	for _, fresh := range []bool{false, true} {
		keys, err := s.keyring(ctx, fresh)
		if err != nil {
			return signingKey{}, err
		}
		key = keys[signing(keys, s.Now())]
		var there bool
		if err := s.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM signing_keys WHERE id = ?)`, key.id).Scan(&there); err != nil {
			return signingKey{}, failure("looking for the signing key", err)
		}
		if there {
			break
		}
	}
	return key, nil
}

// signing gives the place of the key that signs at a time: the last one to begin. Of keys
// that all begin later, by a clock that was turned back, it is the first.
func signing(keys []signingKey, at time.Time) int {
	for i, k := range keys {
		if !k.signsFrom.After(at) {
			return i
		}
	}
	return len(keys) - 1
}

// due says whether the newest key needs a successor, or the oldest is of no use any more.
func (s *Store) due(keys []signingKey, now time.Time) bool {
	return s.old(keys[0].signsFrom, now) || signing(keys, now.Add(-s.keyRest())) < len(keys)-1
}

// old says whether a key that signs from then on has reached the age at which its
// successor is published.
func (s *Store) old(signsFrom, now time.Time) bool {
	return !signsFrom.Add(s.KeyMaxAge - KeyLead).After(now)
}

// keyRest is how long a key is kept once its successor signs: until its last token has
// expired. No process signs with it any longer, since all have known the successor for a
// day (see signer).
func (s *Store) keyRest() time.Duration { return s.AccessLifetime + keyMargin }

// rotateKeys publishes a successor for a key that gets old, and forgets those whose last
// token has expired. Another process may have done so a moment ago.
func (s *Store) rotateKeys(ctx context.Context, tx *sql.Tx, now time.Time) error {
	var newest time.Time
	if err := tx.QueryRowContext(ctx, `SELECT max(signs_from) FROM signing_keys`).Scan((*stamp)(&newest)); err != nil {
		return err
	}
	if s.old(newest, now) {
		id, err := insertKey(ctx, tx, now, now.Add(KeyLead))
		if err != nil {
			return err
		}
		s.Logger.InfoContext(ctx, "a new signing key is published", "kid", id, "signs_from", now.Add(KeyLead))
	}
	_, err := tx.ExecContext(ctx, `
		DELETE FROM signing_keys WHERE signs_from < (SELECT max(signs_from) FROM signing_keys WHERE signs_from <= ?)`,
		stamp(now.Add(-s.keyRest())))
	return err
}

// SigningKey is what may be told of a signing key.
type SigningKey struct {
	ID        string    // the tokens' `kid`
	SignsFrom time.Time // when it signs, or began to
	Signs     bool      // whether it is the one that signs now
}

// SigningKeys lists the keys, the last to sign first. CodeUnavailable.
func (s *Store) SigningKeys(ctx context.Context) ([]SigningKey, error) {
	keys, err := s.keyring(ctx, true)
	if err != nil {
		return nil, err
	}
	current, list := signing(keys, s.Now()), make([]SigningKey, len(keys))
	for i, k := range keys {
		list[i] = SigningKey{ID: k.id, SignsFrom: k.signsFrom, Signs: i == current}
	}
	return list, nil
}

// RotateKeys publishes a new key, that signs after [KeyLead]. CodeConflict where one is
// published already and does not sign yet.
func (s *Store) RotateKeys(ctx context.Context) error {
	defer s.keys.forget()
	return s.update(ctx, "rotating keys", func(tx *sql.Tx) error {
		now := s.Now()
		var waiting int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM signing_keys WHERE signs_from > ?`, stamp(now)).Scan(&waiting); err != nil {
			return err
		}
		if waiting > 0 {
			return account.Errorf(account.CodeConflict, nil, "A new key is published already and does not sign yet.")
		}
		_, err := insertKey(ctx, tx, now, now.Add(KeyLead))
		return err
	})
}

// ReplaceKeys makes a new key that signs at once, and forgets all others, for when one may
// have been stolen: from then on no process signs with an older one, and within a minute
// none takes an access token that was signed before. Sessions go on, with their refresh tokens.
func (s *Store) ReplaceKeys(ctx context.Context) error {
	defer s.keys.forget()
	return s.update(ctx, "replacing keys", func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM signing_keys`); err != nil {
			return err
		}
		_, err := insertKey(ctx, tx, s.Now(), s.Now())
		return err
	})
}

// firstKey makes a key where there is none.
func (s *Store) firstKey(ctx context.Context) error {
	return s.update(ctx, "making the first signing key", func(tx *sql.Tx) error {
		var there bool
		if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM signing_keys)`).Scan(&there); err != nil || there {
			return err
		}
		_, err := insertKey(ctx, tx, s.Now(), s.Now())
		return err
	})
}
