package verify_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"

	"spillway.example/verify"
)

// TestTroubleIsLogged holds that whoever runs a service learns what keeps tokens from being
// checked, from a log that no caller can flood.
func TestTroubleIsLogged(t *testing.T) {
	t.Parallel()
	const secret = "not the secret that login has"
	introspection := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }))
	t.Cleanup(introspection.Close)
	revocations, err := verify.NewIntrospector(introspection.URL, secret, nil)
	if err != nil {
		t.Fatal(err)
	}
	k := newPair(t, "k", jwa.ES256())
	keys, clock := newEndpoint(t, k), newClock()
	var log bytes.Buffer
	v, err := verify.New(verify.Config{
		Issuer: issuer, ClientIDs: []string{client}, JWKSURL: keys.URL, Revocations: revocations,
		Logger: slog.New(slog.NewTextHandler(&log, nil)), Now: clock.now,
	})
	if err != nil {
		t.Fatal(err)
	}
	token := sign(t, k, good(func(c map[string]any) { c["exp"] = now.Add(24 * time.Hour).Unix() }), nil)
	check := func() {
		t.Helper()
		_, err := v.Verify(context.Background(), token)
		wantKind(t, "no list, or no keys", err, verify.ErrUnavailable)
	}
	wantLines := func(when, of string, want int) {
		t.Helper()
		if got := strings.Count(log.String(), of); got != want {
			t.Errorf("%s: %d lines say %q, want %d:\n%s", when, got, of, want, log.String())
		}
	}
	for range 30 {
		check()
		clock.advance(time.Second)
	}
	wantLines("for half a minute", "401 Unauthorized", 1)
	clock.advance(time.Minute)
	check()
	wantLines("a minute later", "401 Unauthorized", 2)

	keys.down.Store(true)
	clock.advance(time.Hour) // the keys that are known count no more
	for range 30 {
		check()
		clock.advance(time.Second)
	}
	wantLines("half a minute without keys", "the keys cannot be had", 1)
	if strings.Contains(log.String(), token) || strings.Contains(log.String(), secret) {
		t.Errorf("the log has a token or a secret:\n%s", log.String())
	}
}
