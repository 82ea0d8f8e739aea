package verify_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"

	"spillway.example/verify"
)

// TestMiddleware holds the answers to RFC 6750 section 3.
func TestMiddleware(t *testing.T) {
	t.Parallel()
	p := newPair(t, "k1", jwa.ES256())
	signed := sign(t, p, good(nil), nil)
	expired := sign(t, p, good(func(c map[string]any) { c["exp"] = 1 }), nil)
	whoAmI := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, ok := verify.FromContext(r.Context())
		if !ok {
			t.Error("a request came through without claims")
		}
		_ = json.NewEncoder(w).Encode(c.Username)
	})
	scoped := verify.RequireScopes("orders/read", "orders/write")(whoAmI)
	v := newVerifier(t, keys{p})
	for _, tt := range []struct {
		name          string
		handler       http.Handler
		authorization []string
		status        int
		challenge     string // what it must hold; "" is no challenge
	}{
		{"a good token", v.Middleware(whoAmI), []string{"Bearer " + signed}, 200, ""},
		{"in other letters", v.Middleware(whoAmI), []string{"bEARER  " + signed + " "}, 200, ""},
		{"no header", v.Middleware(whoAmI), nil, 401, `Bearer realm="api"`},
		{"another scheme", v.Middleware(whoAmI), []string{"Basic YTpi"}, 401, `Bearer realm="api"`},
		{"no token", v.Middleware(whoAmI), []string{"Bearer "}, 400, `error="invalid_request"`},
		{"two tokens", v.Middleware(whoAmI), []string{"Bearer " + signed + " " + signed}, 400, `error="invalid_request"`},
		{"two headers", v.Middleware(whoAmI), []string{"Bearer " + signed, "Bearer " + signed}, 400, `error="invalid_request"`},
		{"an expired token", v.Middleware(whoAmI), []string{"Bearer " + expired}, 401, `error="invalid_token", error_description="the token has expired"`},
		{"a token with too few scopes", v.Middleware(scoped), []string{"Bearer " + signed}, 403, `error="insufficient_scope", error_description="the token lacks a scope", scope="orders/read orders/write"`},
		{"scopes without a middleware before", scoped, []string{"Bearer " + signed}, 401, `Bearer realm="api"`},
		{"no keys to check by", newVerifier(t, away{}).Middleware(whoAmI), []string{"Bearer " + signed}, 503, ""},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		for _, a := range tt.authorization {
			r.Header.Add("Authorization", a)
		}
		w := httptest.NewRecorder()
		tt.handler.ServeHTTP(w, r)
		challenge := w.Header().Get("WWW-Authenticate")
		if w.Code != tt.status || !strings.Contains(challenge, tt.challenge) || (challenge == "") != (tt.challenge == "") {
			t.Errorf("%s: got %d with %q, want %d with %q", tt.name, w.Code, challenge, tt.status, tt.challenge)
		}
		// An error code would tell a client that sent nothing that it sent something wrong.
		if tt.challenge == `Bearer realm="api"` && challenge != tt.challenge {
			t.Errorf("%s: got the challenge %q, want %q alone", tt.name, challenge, tt.challenge)
		}
		if got := w.Header().Get("Retry-After"); (got != "") != (tt.status == 503) {
			t.Errorf("%s: got Retry-After %q", tt.name, got)
		}
		if strings.Contains(w.Body.String()+challenge, "eyJ") {
			t.Errorf("%s: the answer holds a token", tt.name)
		}
	}
}

// A token whose key is not known is no bad one while the keys cannot be fetched: its bearer
// is to come again, and not to sign in again.
func TestMiddlewareWhileKeysAreAway(t *testing.T) {
	t.Parallel()
	k1, k2 := newPair(t, "k1", jwa.ES256()), newPair(t, "k2", jwa.ES256())
	e := newEndpoint(t, k1)
	clock := newClock()
	h := newVerifier(t, verify.NewJWKS(e.URL, nil, clock.now)).Middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	want := func(when string, p pair, status int) {
		t.Helper()
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Authorization", "Bearer "+sign(t, p, good(nil), nil))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != status || (w.Header().Get("Retry-After") != "") != (status == http.StatusServiceUnavailable) {
			t.Errorf("%s: got %d with Retry-After %q, want %d", when, w.Code, w.Header().Get("Retry-After"), status)
		}
	}
	want("a known key", k1, http.StatusOK)
	want("an unknown key", k2, http.StatusUnauthorized)
	e.down.Store(true)
	clock.advance(30 * time.Second)
	want("an unknown key while they are away", k2, http.StatusServiceUnavailable)
	want("a known key while they are away", k1, http.StatusOK)
}
