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

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"

	"spillway.example/verify"
)

// signer signs tokens with the newest key of the file: ES256, where Cognito has
// RS256. Each sign-in and refresh makes two signatures, and an ECDSA one is some
// thirty times cheaper than RSA's; the key is made in no time at the first start; and
// the tokens are shorter. Whoever takes the algorithm from the JWK Set, as
// verifiers do, sees no difference.
type signer struct{ key jwk.Key }

// loadSigner reads the newest key, and makes one where there is none.
func (s *Store) loadSigner(ctx context.Context) (*signer, error) {
	var private []byte
	err := s.update(ctx, "reading signing keys", func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, `SELECT private FROM signing_keys ORDER BY created_at DESC LIMIT 1`).Scan(&private)
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		var id string
		if id, private, err = newKey(); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO signing_keys (id, private, created_at) VALUES (?, ?, ?)`,
			id, private, stamp(s.Now()))
		return err
	})
	if err != nil {
		return nil, err
	}
	key, err := parseKey(private)
	if err != nil {
		return nil, err
	}
	return &signer{key}, nil
}

func newKey() (id string, private []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", nil, fmt.Errorf("making a signing key: %w", err)
	}
	if private, err = x509.MarshalPKCS8PrivateKey(key); err != nil {
		return "", nil, fmt.Errorf("encoding a signing key: %w", err)
	}
	parsed, err := parseKey(private)
	if err != nil {
		return "", nil, err
	}
	id, _ = parsed.KeyID()
	return id, private, nil
}

// parseKey makes a JWK of a stored key, with the thumbprint as its id (RFC 7638).
func parseKey(private []byte) (jwk.Key, error) {
	raw, err := x509.ParsePKCS8PrivateKey(private)
	if err != nil {
		return nil, fmt.Errorf("reading a signing key: %w", err)
	}
	key, err := jwk.Import(raw)
	if err != nil {
		return nil, fmt.Errorf("reading a signing key: %w", err)
	}
	thumbprint, err := key.Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("naming a signing key: %w", err)
	}
	return key, errors.Join(
		key.Set(jwk.KeyIDKey, base64.RawURLEncoding.EncodeToString(thumbprint)),
		key.Set(jwk.AlgorithmKey, jwa.ES256()),
		key.Set(jwk.KeyUsageKey, jwk.ForSignature),
	)
}

// Key implements [verify.Keys]: any key that the file holds is good, and one that
// another process has just made is found.
func (s *Store) Key(ctx context.Context, id string) (verify.Key, error) {
	if known, ok := s.known.Load(id); ok {
		return known.(verify.Key), nil
	}
	var private []byte
	err := s.read.QueryRowContext(ctx, `SELECT private FROM signing_keys WHERE id = ?`, id).Scan(&private)
	if errors.Is(err, sql.ErrNoRows) {
		return verify.Key{}, verify.ErrUnknownKey
	}
	if err != nil {
		return verify.Key{}, failure("reading a signing key", err)
	}
	raw, err := x509.ParsePKCS8PrivateKey(private)
	if err != nil {
		return verify.Key{}, failure("reading a signing key", err)
	}
	signer, ok := raw.(crypto.Signer)
	if !ok {
		return verify.Key{}, failure("reading a signing key", errors.New("it is none"))
	}
	key, err := verify.NewKey(signer.Public())
	if err != nil {
		return verify.Key{}, failure("reading a signing key", err)
	}
	s.known.Store(id, key)
	return key, nil
}

// JWKS gives the public keys that tokens may be signed with, for others to check them
// by (RFC 7517 section 5). It marshals to JSON.
func (s *Store) JWKS(ctx context.Context) (jwk.Set, error) {
	const doing = "reading signing keys"
	rows, err := s.read.QueryContext(ctx, `SELECT private FROM signing_keys ORDER BY created_at DESC`)
	if err != nil {
		return nil, failure(doing, err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err says it
	set := jwk.NewSet()
	for rows.Next() {
		var private []byte
		if err := rows.Scan(&private); err != nil {
			return nil, failure(doing, err)
		}
		key, err := parseKey(private)
		if err != nil {
			return nil, failure(doing, err)
		}
		public, err := key.PublicKey()
		if err != nil {
			return nil, failure(doing, err)
		}
		if err := set.AddKey(public); err != nil {
			return nil, failure(doing, err)
		}
	}
	return set, failure(doing, rows.Err())
}
