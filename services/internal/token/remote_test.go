package token_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/account/accounttest"
	"spillway.example/services/internal/token"
)

// endpoint serves a JWK Set, counts who asks, and can be down.
type endpoint struct {
	*httptest.Server
	asked atomic.Int64
	down  atomic.Bool
	// If hold is not nil, answers wait for it to be closed; arrived tells of each
	// that is asked for.
	hold, arrived chan struct{}

	mu  sync.Mutex
	set jwk.Set
}

func newEndpoint(t *testing.T, pairs ...pair) *endpoint {
	t.Helper()
	e := &endpoint{arrived: make(chan struct{}, 10)}
	e.serve(t, pairs...)
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		e.asked.Add(1)
		if e.hold != nil {
			e.arrived <- struct{}{}
			<-e.hold
		}
		if e.down.Load() {
			http.Error(w, "down", http.StatusServiceUnavailable)
			return
		}
		e.mu.Lock()
		defer e.mu.Unlock()
		_ = json.NewEncoder(w).Encode(e.set)
	}))
	t.Cleanup(e.Close)
	return e
}

// serve has the endpoint serve the public halves of pairs from now on.
func (e *endpoint) serve(t *testing.T, pairs ...pair) {
	t.Helper()
	set := jwk.NewSet()
	for _, p := range pairs {
		public, err := p.private.PublicKey()
		if err == nil {
			err = set.AddKey(public)
		}
		if err != nil {
			t.Fatalf("making a set: %v", err)
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.set = set
}

func (e *endpoint) wantAsked(t *testing.T, when string, want int64) {
	t.Helper()
	if got := e.asked.Load(); got != want {
		t.Errorf("%s: the endpoint was asked %d times, want %d", when, got, want)
	}
}

func wantKey(t *testing.T, r *token.Remote, id string, want bool) {
	t.Helper()
	_, err := r.Key(context.Background(), id)
	if (err == nil) != want || err != nil && !errors.Is(err, token.ErrUnknownKey) {
		t.Errorf("key %s: got %v; want it known: %v", id, err, want)
	}
}

func TestUnknownKeyIsFetchedOnce(t *testing.T) {
	t.Parallel()
	k1, k2 := newPair(t, "k1", jwa.RS256()), newPair(t, "k2", jwa.ES256())
	e := newEndpoint(t, k1)
	clock := &accounttest.Clock{}
	r := token.NewRemote(e.URL, nil, clock.Now)
	e.wantAsked(t, "before the first use", 0)
	for range 3 {
		wantKey(t, r, "k1", true)
	}
	e.wantAsked(t, "after uses of one key", 1)
	for range 100 {
		wantKey(t, r, "made up", false)
	}
	e.wantAsked(t, "after a flood of made-up keys at once", 1)
	clock.Advance(30 * time.Second)
	e.serve(t, k1, k2)
	wantKey(t, r, "k2", true)
	for range 100 {
		wantKey(t, r, "made up", false)
	}
	e.wantAsked(t, "after a new key", 2)
}

func TestEndpointDownThenBack(t *testing.T) {
	t.Parallel()
	k1, k2 := newPair(t, "k1", jwa.RS256()), newPair(t, "k2", jwa.RS256())
	e := newEndpoint(t, k1)
	e.down.Store(true)
	clock := &accounttest.Clock{}
	v := token.NewVerifier(token.Config{
		Issuer: issuer, ClientID: client, Keys: token.NewRemote(e.URL, nil, clock.Now), Now: func() time.Time { return now },
	})
	want := func(when string, p pair, want account.Code) {
		t.Helper()
		_, err := v.Verify(context.Background(), sign(t, p, good(nil), nil))
		if got := account.CodeOf(err); got != want {
			t.Errorf("%s: got %q (%v), want %q", when, got, err, want)
		}
	}
	for range 10 {
		want("down from the first", k1, account.CodeUnavailable)
	}
	e.wantAsked(t, "ten checks at once while it is down", 1)
	clock.Advance(time.Second)
	want("still down", k1, account.CodeUnavailable)
	e.wantAsked(t, "a second later", 2)
	e.down.Store(false)
	clock.Advance(time.Second)
	want("back", k1, "")

	// Down again: what is known works on, what is not is not good.
	e.down.Store(true)
	clock.Advance(time.Hour)
	want("down again", k1, "")
	want("a new key while it is down", k2, account.CodeInvalidToken)
}

func TestOldKeysAreFetchedBehindTheBack(t *testing.T) {
	t.Parallel()
	k1, k2 := newPair(t, "k1", jwa.ES256()), newPair(t, "k2", jwa.ES256())
	e := newEndpoint(t, k1)
	clock := &accounttest.Clock{}
	r := token.NewRemote(e.URL, nil, clock.Now)
	wantKey(t, r, "k1", true)
	clock.Advance(15 * time.Minute)
	e.hold = make(chan struct{})
	e.serve(t, k2)
	for range 3 {
		wantKey(t, r, "k1", true) // at once, although the endpoint hangs
	}
	<-e.arrived
	close(e.hold)
	wantKey(t, r, "k2", true) // waits for the same fetch
	e.wantAsked(t, "after a refresh", 2)
	wantKey(t, r, "k1", false) // withdrawn
}

func TestManyWaitForOneFetch(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t, newPair(t, "k1", jwa.ES256()))
	e.hold = make(chan struct{})
	r := token.NewRemote(e.URL, nil, nil)
	impatient, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Key(impatient, "k1"); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller whose context is done: got %v, want %v", err, context.Canceled)
	}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { wantKey(t, r, "k1", true) })
	}
	close(e.hold)
	wg.Wait()
	e.wantAsked(t, "twenty-one at once", 1)
}

// TestMixedSet takes the good keys out of a set that has others.
func TestMixedSet(t *testing.T) {
	t.Parallel()
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	public, err := newPair(t, "k1", jwa.ES256()).private.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	set := map[string]any{"keys": []any{
		map[string]any{"kty": "oct", "kid": "secret", "k": "c2VjcmV0"},
		map[string]any{
			"kty": "RSA", "kid": "small", "alg": "RS256", "e": "AQAB",
			"n": base64.RawURLEncoding.EncodeToString(small.N.Bytes()),
		},
		map[string]any{"kty": "new", "kid": "new", "x": "y"},
		public,
	}}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(set) }))
	t.Cleanup(s.Close)
	r := token.NewRemote(s.URL, nil, nil)
	wantKey(t, r, "k1", true)
	for _, id := range []string{"secret", "small", "new"} {
		wantKey(t, r, id, false)
	}
}

func TestSetWithoutGoodKeys(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{"keys":[]}`, `{}`, `nonsense`, `{"keys":[{"kty":"oct","kid":"k1","k":"c2VjcmV0"}]}`} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }))
		_, err := token.NewRemote(s.URL, nil, nil).Key(t.Context(), "k1")
		if err == nil || errors.Is(err, token.ErrUnknownKey) {
			t.Errorf("%s: got %v, want an error that says the keys are not there", body, err)
		}
		s.Close()
	}
}
