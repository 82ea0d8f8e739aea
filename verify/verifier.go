package verify

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/lestrrat-go/jwx/v3/jws"
)

// DefaultSkew is how far the clocks of whoever makes and whoever checks tokens may be
// apart.
const DefaultSkew = 30 * time.Second

// Config is what a [Verifier] checks tokens against. Issuer and ClientIDs are required.
type Config struct {
	// Issuer is the `iss` that tokens must have: of a Cognito user pool
	// https://cognito-idp.REGION.amazonaws.com/POOL_ID.
	Issuer string
	// ClientIDs are the app clients whose tokens are good: the `client_id` of access
	// tokens, the `aud` of id tokens.
	ClientIDs []string
	// Use is what tokens must be for; empty means Access.
	Use Use
	// Scopes are what every token must have; what only some requests need is for
	// [RequireScopes].
	Scopes []string

	// JWKSURL is where the keys are; empty means Issuer + "/.well-known/jwks.json".
	JWKSURL string
	// Keys are the keys themselves, instead of JWKSURL.
	Keys Keys
	// HTTPClient fetches keys; nil means one with timeouts.
	HTTPClient *http.Client

	// Revocations is asked whether good tokens were revoked; nil means that a token is
	// good until it expires. Answers are kept; see RevokedWithin.
	Revocations Revocations
	// RevokedWithin is how long at most a revoked token goes on to be accepted; zero
	// means DefaultRevokedWithin. An answer of Revocations is used for a third of it.
	// While none can be had the last one is used for five sixths of it, and then the
	// check fails with ErrUnavailable.
	RevokedWithin time.Duration

	// Logger is told, at most once a minute each, why keys or Revocations cannot be had:
	// callers are not. nil means slog.Default.
	Logger *slog.Logger

	Skew time.Duration    // zero means DefaultSkew
	Now  func() time.Time // nil means the wall clock
}

// Verifier checks tokens. It is safe for concurrent use; a process needs one.
type Verifier struct {
	Config
	memo    memo
	revoked *revocationCache // nil where nobody is asked
}

// New makes a Verifier. It fetches nothing yet. The error names the field that is wrong.
func New(c Config) (*Verifier, error) {
	if c.Issuer == "" {
		return nil, errors.New("verify: Issuer is required")
	}
	if len(c.ClientIDs) == 0 || slices.Contains(c.ClientIDs, "") {
		return nil, errors.New("verify: ClientIDs are required, and none may be empty")
	}
	switch c.Use {
	case "":
		c.Use = Access
	case Access, ID:
	default:
		return nil, fmt.Errorf("verify: Use must be %q or %q", Access, ID)
	}
	if c.Use == ID && c.Revocations != nil {
		return nil, errors.New("verify: Revocations know access tokens alone, so they must be nil where Use is ID")
	}
	if c.Skew < 0 || c.RevokedWithin < 0 {
		return nil, errors.New("verify: Skew and RevokedWithin must not be negative")
	}
	if c.Skew == 0 {
		c.Skew = DefaultSkew
	}
	if c.RevokedWithin == 0 {
		c.RevokedWithin = DefaultRevokedWithin
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Keys == nil {
		if c.JWKSURL == "" {
			c.JWKSURL = strings.TrimSuffix(c.Issuer, "/") + "/.well-known/jwks.json"
		}
		if u, err := url.Parse(c.JWKSURL); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			return nil, fmt.Errorf("verify: JWKSURL must be set where Issuer is no http or https URL: %q is none", c.JWKSURL)
		}
		keys := NewJWKS(c.JWKSURL, c.HTTPClient, c.Now)
		keys.complaints = &complaints{log: c.Logger, clock: c.Now}
		c.Keys = keys
	}
	v := &Verifier{Config: c}
	if c.Revocations != nil {
		v.revoked = newRevocationCache(c.Revocations, c.RevokedWithin, c.Now, c.Logger)
	}
	return v, nil
}

// Verify checks a token and gives what it says. The error is an [*Error] and matches
// ErrInvalidToken, ErrInsufficientScope or ErrUnavailable.
func (v *Verifier) Verify(ctx context.Context, token string) (Claims, error) {
	if len(token) > maxToken {
		return Claims{}, invalid("the token is too long", nil)
	}
	sum := sha256.Sum256([]byte(token))
	t, known := v.memo.get(sum)
	if known {
		key, err := v.key(ctx, t.keyID)
		if err != nil {
			return Claims{}, err
		}
		known = key.public == t.key.public
	}
	if !known {
		var err error
		if t, err = v.signed(ctx, token); err != nil {
			return Claims{}, err
		}
	}
	c := t.claims
	if err := v.check(c, t.notBefore); err != nil {
		return Claims{}, err
	}
	if !known {
		v.memo.remember(sum, t)
	}
	if v.revoked == nil {
		return c, nil
	}
	switch revoked, err := v.revoked.ask(ctx, token, c); {
	case err != nil:
		return Claims{}, unavailable("whether the token was revoked is not known", err)
	case revoked:
		return Claims{}, invalid("the token was revoked", nil)
	}
	return c, nil
}

// signed checks a token's signature and reads its claims.
func (v *Verifier) signed(ctx context.Context, token string) (t signed, err error) {
	if t.keyID, err = keyID(token); err != nil {
		return t, invalid("the token is malformed", err)
	}
	if t.key, err = v.key(ctx, t.keyID); err != nil {
		return t, err
	}
	// It refuses a header whose `alg` is not the key's, and any critical extension
	// (RFC 7515 section 4.1.11).
	payload, err := jws.VerifyCompactFast(t.key.public, []byte(token), t.key.algorithm)
	if err != nil {
		return t, invalid("the token's signature does not hold", err)
	}
	if t.claims, t.notBefore, err = parseClaims(payload); err != nil {
		return t, invalid("the token's claims cannot be read", err)
	}
	return t, nil
}

// key gives the key of an id.
func (v *Verifier) key(ctx context.Context, id string) (Key, error) {
	switch key, err := v.Keys.Key(ctx, id); {
	case errors.Is(err, ErrUnknownKey):
		return Key{}, invalid("the token's key is not known", nil)
	case err != nil:
		return Key{}, unavailable("the keys cannot be had", err)
	case key.public == nil:
		return Key{}, invalid("the token's key is for nothing", nil)
	default:
		return key, nil
	}
}

// check holds claims whose signature is good to what is wanted of them.
func (v *Verifier) check(c Claims, notBefore time.Time) error {
	now := v.Now()
	switch {
	case c.Issuer != v.Issuer:
		return invalid("the token is another issuer's", nil)
	case c.Use != v.Use:
		return invalid("the token is for another use", nil)
	case !slices.Contains(v.ClientIDs, c.ClientID):
		return invalid("the token is another client's", nil)
	case c.Subject == "":
		return invalid("the token names nobody", nil)
	case c.ExpiresAt.IsZero() || c.IssuedAt.IsZero():
		return invalid("the token has no times", nil)
	case !now.Before(c.ExpiresAt.Add(v.Skew)):
		return invalid("the token has expired", nil)
	case c.IssuedAt.After(now.Add(v.Skew)), notBefore.After(now.Add(v.Skew)):
		return invalid("the token is not good yet", nil)
	}
	return c.Require(v.Scopes...)
}
