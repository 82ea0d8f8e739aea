package token

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
)

// ErrUnknownKey says that there is no key of that id.
var ErrUnknownKey = errors.New("no such key")

// Keys gives the keys that tokens may be signed with. Implementations are safe for
// concurrent use.
type Keys interface {
	// Key gives the key of an id (`kid`). It fails with [ErrUnknownKey] where there
	// is none, and with any other error where that cannot be known now.
	Key(ctx context.Context, id string) (Key, error)
}

// Key is a public key with the one algorithm that it is for: a token does not get
// to choose (RFC 8725 section 3.1). See [NewKey].
type Key struct {
	Algorithm jwa.SignatureAlgorithm
	Public    jwk.Key
}

// NewKey takes a public key for checking signatures out of a JWK. It gives false for
// any key that is not for RS256 or ES256: symmetric keys, keys for encryption, and keys
// without an id among them. (RSA keys of less than 2048 bits are no JWKs to the
// library.)
func NewKey(k jwk.Key) (Key, bool) {
	if id, ok := k.KeyID(); !ok || id == "" {
		return Key{}, false
	}
	if use, ok := k.KeyUsage(); ok && use != "" && use != jwk.ForSignature.String() {
		return Key{}, false
	}
	public, err := k.PublicKey()
	if err != nil {
		return Key{}, false
	}
	var raw any
	if err := jwk.Export(public, &raw); err != nil {
		return Key{}, false
	}
	var alg jwa.SignatureAlgorithm
	switch raw := raw.(type) {
	case *rsa.PublicKey:
		alg = jwa.RS256()
	case *ecdsa.PublicKey:
		if raw.Curve != elliptic.P256() {
			return Key{}, false
		}
		alg = jwa.ES256()
	default:
		return Key{}, false
	}
	if named, ok := k.Algorithm(); ok && named.String() != alg.String() {
		return Key{}, false
	}
	return Key{Algorithm: alg, Public: public}, true
}
