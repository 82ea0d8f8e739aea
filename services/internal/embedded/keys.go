package embedded

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"

	"spillway.example/verify"
)

// signingKey is a key that tokens are signed with: ES256, where Cognito has RS256. Each
// sign-in and refresh makes two signatures, and an ECDSA one is some thirty times cheaper
// than RSA's; the key is made in no time; and the tokens are shorter. Whoever takes the
// algorithm from the JWK Set, as verifiers do, sees no difference.
type signingKey struct {
	id        string  // the thumbprint (RFC 7638)
	private   jwk.Key // names id, algorithm and use
	public    verify.Key
	signsFrom time.Time
}

// newKey makes a key as it is stored.
func newKey() (id string, private []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", nil, fmt.Errorf("making a signing key: %w", err)
	}
	if private, err = x509.MarshalPKCS8PrivateKey(key); err != nil {
		return "", nil, fmt.Errorf("encoding a signing key: %w", err)
	}
	parsed, err := parseKey(private)
	return parsed.id, private, err
}

// parseKey reads a key as it is stored.
func parseKey(private []byte) (k signingKey, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("reading a signing key: %w", err)
		}
	}()
	parsed, err := x509.ParsePKCS8PrivateKey(private)
	if err != nil {
		return k, err
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok {
		return k, errors.New("it is no ECDSA key")
	}
	if k.public, err = verify.NewKey(key.Public()); err != nil {
		return k, err
	}
	if k.private, err = jwk.Import(key); err != nil {
		return k, err
	}
	thumbprint, err := k.private.Thumbprint(crypto.SHA256)
	if err != nil {
		return k, err
	}
	k.id = base64.RawURLEncoding.EncodeToString(thumbprint)
	return k, errors.Join(
		k.private.Set(jwk.KeyIDKey, k.id),
		k.private.Set(jwk.AlgorithmKey, jwa.ES256()),
		k.private.Set(jwk.KeyUsageKey, jwk.ForSignature),
	)
}

// insertKey adds a new key to the file, that signs from then on.
func insertKey(ctx context.Context, tx *sql.Tx, now, signsFrom time.Time) (id string, err error) {
	id, private, err := newKey()
	if err != nil {
		return "", err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO signing_keys (id, private, created_at, signs_from) VALUES (?, ?, ?, ?)`,
		id, private, stamp(now), stamp(signsFrom))
	return id, err
}

// Key implements [verify.Keys]: any key that the file holds is good, and one that another
// process has just made is found.
func (s *Store) Key(ctx context.Context, id string) (verify.Key, error) {
	for _, read := range []func(context.Context) ([]signingKey, error){s.known, s.reread} {
		ring, err := read(ctx)
		if err != nil {
			return verify.Key{}, err
		}
		for _, k := range ring {
			if k.id == id {
				return k.public, nil
			}
		}
	}
	return verify.Key{}, verify.ErrUnknownKey
}

// known gives the keys that this process goes by.
func (s *Store) known(ctx context.Context) ([]signingKey, error) { return s.keyring(ctx, false) }

// JWKS gives the public keys that tokens are, were, or are about to be signed with, for
// others to check them by (RFC 7517 section 5). It marshals to JSON.
func (s *Store) JWKS(ctx context.Context) (jwk.Set, error) {
	ring, err := s.keyring(ctx, false)
	if err != nil {
		return nil, err
	}
	set := jwk.NewSet()
	for _, k := range ring {
		public, err := k.private.PublicKey()
		if err == nil {
			err = set.AddKey(public)
		}
		if err != nil {
			return nil, failure("making a set of keys", err)
		}
	}
	return set, nil
}
