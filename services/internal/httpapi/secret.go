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

// sharing lets those through who show one of the secrets that services share. It comes before
// all else that an operation looks at (RFC 6749 section 5.2): others learn nothing of that, and
// have no body read.
func sharing(secrets []string) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		shown, bearer := shownSecret(ctx.Header("Authorization"))
		if !isOneOf(secrets, shown) {
			refuse(ctx, secretNeeded(ctx.Context(), bearer))
			return
		}
		next(ctx)
	}
}

// shownSecret gives what an Authorization header shows: a bearer token (RFC 6750), or the
// password of Basic authentication, whose user name is anything (RFC 6749 section 2.3.1).
func shownSecret(authorization string) (secret string, bearer bool) {
	scheme, shown, _ := strings.Cut(authorization, " ")
	switch shown = strings.TrimSpace(shown); strings.ToLower(scheme) {
	case "bearer":
		return shown, true // of any form: it is for us alone, and no token
	case "basic":
		if decoded, err := base64.StdEncoding.DecodeString(shown); err == nil {
			_, secret, _ = strings.Cut(string(decoded), ":")
		}
	}
	return secret, false
}

// basicChallenge offers Basic authentication (RFC 7617 section 2).
const basicChallenge = `Basic realm="token introspection"`

// secretNeeded is the answer to a request that shows none of the secrets. It says in which
// ways one may be shown (RFC 6749 section 5.2, RFC 6750 section 3).
func secretNeeded(ctx context.Context, bearer bool) *Problem {
	p := edgeProblem(ctx, http.StatusUnauthorized)
	challenges := []string{basicChallenge, "Bearer"}
	if bearer {
		challenges[1] = `Bearer error="invalid_token"`
	}
	p.header = http.Header{"Www-Authenticate": challenges}
	return p
}

// isOneOf says whether what was shown is one of the secrets. The time tells neither how much
// of one was right nor how long it is.
func isOneOf(secrets []string, shown string) bool {
	plain, err := url.QueryUnescape(shown) // OAuth has it form-encoded in Basic authentication; many do not
	if err != nil {
		plain = shown
	}
	asIs, decoded, right := sha256.Sum256([]byte(shown)), sha256.Sum256([]byte(plain)), 0
	for _, known := range secrets {
		sum := sha256.Sum256([]byte(known))
		right |= subtle.ConstantTimeCompare(asIs[:], sum[:]) | subtle.ConstantTimeCompare(decoded[:], sum[:])
	}
	return right == 1
}
