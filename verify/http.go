package verify

import (
	"context"
	"errors"
	"net/http"
	"strings"
)

// realm names what is protected, in challenges: they must say something (RFC 6750
// section 3), and this says nothing.
const realm = "api"

type contextKey struct{}

// NewContext gives a context that carries claims.
func NewContext(ctx context.Context, c Claims) context.Context {
	return context.WithValue(ctx, contextKey{}, c)
}

// FromContext gives the claims that [Verifier.Middleware], or an interceptor, has put into
// a request's context.
func FromContext(ctx context.Context) (Claims, bool) {
	c, ok := ctx.Value(contextKey{}).(Claims)
	return c, ok
}

// Middleware lets requests with a good bearer token through, with its claims in their
// context, and answers the others as [WriteError] does.
func (v *Verifier) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := v.VerifyHeader(r.Context(), r.Header)
		if err != nil {
			WriteError(w, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(NewContext(r.Context(), c)))
	})
}

// RequireScopes lets requests through whose token has all these scopes. It goes behind
// [Verifier.Middleware].
func RequireScopes(scopes ...string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c, ok := FromContext(r.Context())
			if !ok {
				WriteError(w, &Error{Kind: ErrNoToken, Reason: "there is no token"})
				return
			}
			if err := c.Require(scopes...); err != nil {
				WriteError(w, err)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// VerifyHeader checks the bearer token of a request's Authorization header (RFC 6750
// section 2.1). ErrNoToken and ErrInvalidRequest, beside what [Verifier.Verify] says.
func (v *Verifier) VerifyHeader(ctx context.Context, h http.Header) (Claims, error) {
	token, err := BearerToken(h)
	if err != nil {
		return Claims{}, err
	}
	return v.Verify(ctx, token)
}

// BearerToken takes the token out of the Authorization header. ErrNoToken;
// ErrInvalidRequest for more than one header, and for a token that can be none.
func BearerToken(h http.Header) (string, error) {
	values := h.Values("Authorization")
	if len(values) > 1 {
		return "", &Error{Kind: ErrInvalidRequest, Reason: "there is more than one Authorization header"}
	}
	if len(values) == 0 {
		return "", &Error{Kind: ErrNoToken, Reason: "there is no token"}
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", &Error{Kind: ErrNoToken, Reason: "there is no token"}
	}
	if token = strings.TrimSpace(token); token == "" || strings.ContainsAny(token, " \t,") {
		return "", &Error{Kind: ErrInvalidRequest, Reason: "the Authorization header must be Bearer and one token"}
	}
	return token, nil
}

// Challenge gives the status of a failed check, and the WWW-Authenticate header that goes
// with it, empty where none does (RFC 6750 section 3).
func Challenge(err error) (status int, challenge string) {
	reason := ""
	if e, ok := errors.AsType[*Error](err); ok {
		reason = e.Reason
	}
	with := func(code string) string {
		c := `Bearer realm="` + realm + `", error="` + code + `"`
		if reason != "" {
			c += `, error_description="` + reason + `"`
		}
		if e, ok := errors.AsType[*Error](err); ok && len(e.Scopes) > 0 {
			c += `, scope="` + strings.Join(e.Scopes, " ") + `"`
		}
		return c
	}
	switch {
	case errors.Is(err, ErrNoToken):
		return http.StatusUnauthorized, `Bearer realm="` + realm + `"`
	case errors.Is(err, ErrInvalidRequest):
		return http.StatusBadRequest, with("invalid_request")
	case errors.Is(err, ErrInvalidToken):
		return http.StatusUnauthorized, with("invalid_token")
	case errors.Is(err, ErrInsufficientScope):
		return http.StatusForbidden, with("insufficient_scope")
	}
	return http.StatusServiceUnavailable, ""
}

// WriteError answers a request whose token was not good as RFC 6750 says: 401 without a
// good token, 403 where it lacks a scope, 400 for a malformed header, and 503 where tokens
// cannot be checked.
func WriteError(w http.ResponseWriter, err error) {
	status, challenge := Challenge(err)
	if challenge != "" {
		w.Header().Set("WWW-Authenticate", challenge)
	} else {
		w.Header().Set("Retry-After", "5")
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, http.StatusText(status), status)
}
