package token

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lestrrat-go/jwx/v3/jws"
	"github.com/lestrrat-go/jwx/v3/jwt"

	"spillway.example/services/internal/account"
)

// maxToken is the longest token that is looked at, in bytes. Cognito's have about
// one thousand.
const maxToken = 16 << 10

// DefaultSkew is how far the clocks of whoever makes and whoever checks tokens may
// be apart.
const DefaultSkew = 30 * time.Second

// Config is what a [Verifier] checks tokens against. Issuer, ClientID and Keys are
// required.
type Config struct {
	Issuer   string // the `iss` that tokens must have
	ClientID string // the `client_id`: Cognito's access tokens have no `aud`
	Keys     Keys
	Skew     time.Duration // zero means DefaultSkew
	Now      func() time.Time
}

// Verifier checks access tokens. It implements [account.Verifier].
type Verifier struct{ Config }

var _ account.Verifier = (*Verifier)(nil)

// NewVerifier makes a Verifier. Now defaults to the wall clock.
func NewVerifier(c Config) *Verifier {
	if c.Skew == 0 {
		c.Skew = DefaultSkew
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Verifier{c}
}

// Claims is what a good access token says.
type Claims struct{ account.Identity }

// Verify implements [account.Verifier].
func (v *Verifier) Verify(ctx context.Context, accessToken string) (account.Identity, error) {
	c, err := v.Claims(ctx, accessToken)
	return c.Identity, err
}

// Claims checks an access token and gives what it says. CodeInvalidToken for any
// token that is not good, CodeUnavailable where the keys cannot be had.
func (v *Verifier) Claims(ctx context.Context, accessToken string) (Claims, error) {
	if len(accessToken) > maxToken {
		return Claims{}, account.ErrToken(errors.New("the token is too long"))
	}
	raw := []byte(accessToken)
	key, err := v.key(ctx, raw)
	if err != nil {
		return Claims{}, err
	}
	// With a single key of a single algorithm the header's `alg` must be that one,
	// and critical extensions are refused (RFC 7515 section 4.1.11).
	t, err := jwt.Parse(raw,
		jwt.WithKey(key.Algorithm, key.Public),
		jwt.WithStrictStringClaims(true),
		jwt.WithIssuer(v.Issuer),
		jwt.WithClaimValue("client_id", v.ClientID),
		jwt.WithClaimValue("token_use", "access"),
		jwt.WithRequiredClaim(jwt.ExpirationKey),
		jwt.WithRequiredClaim(jwt.IssuedAtKey),
		jwt.WithAcceptableSkew(v.Skew),
		jwt.WithClock(jwt.ClockFunc(v.Now)),
	)
	if err != nil {
		return Claims{}, account.ErrToken(err)
	}
	return claims(t)
}

// key gives the key that the token's header names.
func (v *Verifier) key(ctx context.Context, raw []byte) (Key, error) {
	message, err := jws.Parse(raw, jws.WithCompact())
	if err != nil {
		return Key{}, account.ErrToken(errors.New("the token is no compact JWS"))
	}
	kid, ok := message.Signatures()[0].ProtectedHeaders().KeyID()
	if !ok {
		return Key{}, account.ErrToken(errors.New("the token names no key"))
	}
	switch key, err := v.Keys.Key(ctx, kid); {
	case errors.Is(err, ErrUnknownKey):
		return Key{}, account.ErrToken(err)
	case err != nil:
		return Key{}, account.ErrUnavailable(fmt.Errorf("looking up a key: %w", err))
	default:
		return key, nil
	}
}

func claims(t jwt.Token) (Claims, error) {
	var c Claims
	subject, _ := t.Subject()
	if subject == "" {
		return Claims{}, account.ErrToken(errors.New("the token names nobody"))
	}
	c.UserID = account.UserID(subject)
	c.ExpiresAt, _ = t.Expiration()
	c.Since, _ = t.IssuedAt()
	if t.Has("auth_time") {
		var at float64
		if err := t.Get("auth_time", &at); err != nil {
			return Claims{}, account.ErrToken(fmt.Errorf("reading auth_time: %w", err))
		}
		c.Since = time.Unix(int64(at), 0).UTC()
	}
	for name, to := range map[string]*string{"username": &c.Username, "origin_jti": &c.SessionID} {
		if !t.Has(name) {
			continue
		}
		if err := t.Get(name, to); err != nil {
			return Claims{}, account.ErrToken(fmt.Errorf("reading %s: %w", name, err))
		}
	}
	return c, nil
}
