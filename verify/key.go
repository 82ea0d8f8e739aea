package verify

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"

	"github.com/lestrrat-go/jwx/v3/jwa"
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

// Key is a public key with the one algorithm that it is for: a token does not get to
// choose (RFC 8725 section 3.1). See [NewKey].
type Key struct {
	algorithm jwa.SignatureAlgorithm
	public    crypto.PublicKey
}

// minRSA is the least size of an RSA key, in bits (RFC 7518 section 3.3).
const minRSA = 2048

// NewKey takes an RSA key of 2048 bits or more, for RS256, or one on P-256, for ES256.
// These are what Cognito and the embedded store sign with.
func NewKey(public crypto.PublicKey) (Key, error) {
	switch k := public.(type) {
	case *rsa.PublicKey:
		if k.N == nil || k.N.BitLen() < minRSA {
			return Key{}, errors.New("the RSA key has less than 2048 bits")
		}
		return Key{jwa.RS256(), k}, nil
	case *ecdsa.PublicKey:
		if k.Curve != elliptic.P256() {
			return Key{}, errors.New("the key is not on P-256")
		}
		return Key{jwa.ES256(), k}, nil
	}
	return Key{}, errors.New("the key is for neither RS256 nor ES256")
}
