package httpapi

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// Secret is embedded in the input of an operation that takes a secret which services share.
type Secret struct {
	shown  string
	bearer bool // it came as a bearer token
}

// Resolve takes it from the Authorization header: a bearer token (RFC 6750), or the
// password of Basic authentication, whose user name is anything (RFC 6749 section 2.3.1).
func (s *Secret) Resolve(ctx huma.Context) []error {
	scheme, shown, _ := strings.Cut(ctx.Header("Authorization"), " ")
	switch shown = strings.TrimSpace(shown); strings.ToLower(scheme) {
	case "bearer":
		s.shown, s.bearer = shown, true // of any form: it is for us alone, and no token
	case "basic":
		if decoded, err := base64.StdEncoding.DecodeString(shown); err == nil {
			_, s.shown, _ = strings.Cut(string(decoded), ":")
		}
	}
	return nil
}

// basicChallenge offers Basic authentication (RFC 7617 section 2).
const basicChallenge = `Basic realm="token introspection"`

// Refusal gives the answer to a request that showed none of the secrets. It says in which
// ways one may be shown (RFC 6749 section 5.2, RFC 6750 section 3).
func (s *Secret) Refusal(ctx context.Context) error {
	p := edgeProblem(ctx, http.StatusUnauthorized)
	p.challenges = []string{basicChallenge, "Bearer"}
	if s.bearer {
		p.challenges[1] = `Bearer error="invalid_token"`
	}
	return p
}

// Is says whether one of some secrets was shown. The time tells neither how much of one was
// right nor how long it is.
func (s *Secret) Is(secrets ...string) bool {
	plain, err := url.QueryUnescape(s.shown) // OAuth has it form-encoded in Basic authentication; many do not
	if err != nil {
		plain = s.shown
	}
	shown, decoded, right := sha256.Sum256([]byte(s.shown)), sha256.Sum256([]byte(plain)), 0
	for _, known := range secrets {
		sum := sha256.Sum256([]byte(known))
		right |= subtle.ConstantTimeCompare(shown[:], sum[:]) | subtle.ConstantTimeCompare(decoded[:], sum[:])
	}
	return right == 1
}
