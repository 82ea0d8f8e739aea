package verify_test

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

	"spillway.example/verify"
)

// clock is a clock that tests turn.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: now} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

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
	e := &endpoint{arrived: make(chan struct{}, 100)}
	e.serve(t, pairs...)
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		e.asked.Add(1)
		if hold := e.hold; hold != nil {
			e.arrived <- struct{}{}
			<-hold
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

func wantKey(t *testing.T, r *verify.JWKS, id string, want bool) {
	t.Helper()
	_, err := r.Key(context.Background(), id)
	if (err == nil) != want || err != nil && !errors.Is(err, verify.ErrUnknownKey) {
		t.Errorf("key %s: got %v; want it known: %v", id, err, want)
	}
}

func TestUnknownKeyIsFetchedOnce(t *testing.T) {
	t.Parallel()
	k1, k2 := newPair(t, "k1", jwa.RS256()), newPair(t, "k2", jwa.ES256())
	e := newEndpoint(t, k1)
	clock := newClock()
	r := verify.NewJWKS(e.URL, nil, clock.now)
	e.wantAsked(t, "before the first use", 0)
	for range 3 {
		wantKey(t, r, "k1", true)
	}
	e.wantAsked(t, "after uses of one key", 1)
	for range 100 {
		wantKey(t, r, "made up", false)
	}
	e.wantAsked(t, "after a flood of made-up keys at once", 1)
	clock.advance(30 * time.Second)
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
	clock := newClock()
	v := newVerifier(t, verify.NewJWKS(e.URL, nil, clock.now))
	want := func(when string, p pair, want error) {
		t.Helper()
		_, err := v.Verify(context.Background(), sign(t, p, good(nil), nil))
		wantKind(t, when, err, want)
	}
	for range 10 {
		want("down from the first", k1, verify.ErrUnavailable)
	}
	e.wantAsked(t, "ten checks at once while it is down", 1)
	clock.advance(time.Second)
	want("still down", k1, verify.ErrUnavailable)
	e.wantAsked(t, "a second later", 2)
	e.down.Store(false)
	clock.advance(time.Second)
	want("back", k1, nil)

	// Down again: what is known works on. Whether there is another key is not known, and is
	// not asked for each token that says so.
	e.down.Store(true)
	clock.advance(30 * time.Second)
	for range 10 {
		want("a new key while it is down", k2, verify.ErrUnavailable)
		want("a known key while it is down", k1, nil)
	}
	e.wantAsked(t, "ten new keys while it is down", 4)
	e.serve(t, k1, k2)
	e.down.Store(false)
	clock.advance(4 * time.Second)
	want("a new key before it is asked again", k2, verify.ErrUnavailable)
	clock.advance(time.Second)
	want("a new key when it is back", k2, nil)
	want("a made-up key when it is back", newPair(t, "made up", jwa.ES256()), verify.ErrInvalidToken)
	e.wantAsked(t, "when it is back", 5)
}

// TestMadeUpKeysHurtNobody sends tokens of made-up keys all the time, and the endpoint
// hangs: known keys are good at once.
func TestMadeUpKeysHurtNobody(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t, newPair(t, "k1", jwa.ES256()))
	clock := newClock()
	r := verify.NewJWKS(e.URL, nil, clock.now)
	wantKey(t, r, "k1", true)
	e.hold = make(chan struct{})
	clock.advance(30 * time.Second)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { wantKey(t, r, "made up", false) })
	}
	<-e.arrived
	soon, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := r.Key(soon, "k1"); err != nil {
		t.Errorf("a known key while the endpoint hangs: %v", err)
	}
	close(e.hold)
	wg.Wait()
	e.wantAsked(t, "after twenty", 2)
}

// TestOldKeysCountNoMore has a key withdrawn while nobody asks for any.
func TestOldKeysCountNoMore(t *testing.T) {
	t.Parallel()
	k1, k2 := newPair(t, "k1", jwa.ES256()), newPair(t, "k2", jwa.ES256())
	e := newEndpoint(t, k1)
	clock := newClock()
	v := newVerifier(t, verify.NewJWKS(e.URL, nil, clock.now), func(c *verify.Config) { c.Now = clock.now })
	old := sign(t, k1, good(func(c map[string]any) { c["exp"] = now.Add(24 * time.Hour).Unix() }), nil)
	fresh := sign(t, k2, good(func(c map[string]any) { c["exp"] = now.Add(24 * time.Hour).Unix() }), nil)
	want := func(when, token string, want error) {
		t.Helper()
		_, err := v.Verify(context.Background(), token)
		wantKind(t, when, err, want)
	}
	want("before", old, nil)
	clock.advance(time.Hour - time.Second)
	e.down.Store(true)
	want("an outage of nearly an hour", old, nil)
	clock.advance(time.Second)
	for range 10 {
		want("an outage of an hour", old, verify.ErrUnavailable)
		want("another key", fresh, verify.ErrUnavailable)
	}
	e.serve(t, k2)
	e.down.Store(false)
	clock.advance(time.Second)
	want("a key that was withdrawn meanwhile", old, verify.ErrInvalidToken)
	want("the key in its place", fresh, nil)

	e.serve(t, k1)
	clock.advance(time.Hour)
	want("withdrawn while nobody asked", fresh, verify.ErrInvalidToken)
	// A clock that is set back makes nothing younger.
	e.serve(t, k2)
	clock.advance(-time.Hour)
	want("withdrawn, and the clock set back", old, verify.ErrInvalidToken)
}

func TestOldKeysAreFetchedBehindTheBack(t *testing.T) {
	t.Parallel()
	k1, k2 := newPair(t, "k1", jwa.ES256()), newPair(t, "k2", jwa.ES256())
	e := newEndpoint(t, k1)
	clock := newClock()
	r := verify.NewJWKS(e.URL, nil, clock.now)
	wantKey(t, r, "k1", true)
	clock.advance(15 * time.Minute)
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

// TestFrozenFetch freezes a function while it fetches keys behind the back of an invocation
// that has ended: the next one, hours later, does not go by what became of that.
func TestFrozenFetch(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t, newPair(t, "k1", jwa.ES256()))
	clock := newClock()
	r := verify.NewJWKS(e.URL, nil, clock.now)
	wantKey(t, r, "k1", true)
	hold := make(chan struct{})
	e.hold = hold
	clock.advance(15 * time.Minute)
	wantKey(t, r, "k1", true)
	<-e.arrived
	e.hold = nil
	e.serve(t, newPair(t, "k2", jwa.ES256()))
	clock.advance(3 * time.Hour)
	wantKey(t, r, "k2", true)
	wantKey(t, r, "k1", false)
	e.down.Store(true)
	close(hold) // the older fetch fails, and that is no news
	e.Close()   // when it has ended
	wantKey(t, r, "made up", false)
}

func TestManyWaitForOneFetch(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t, newPair(t, "k1", jwa.ES256()))
	e.hold = make(chan struct{})
	r := verify.NewJWKS(e.URL, nil, nil)
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
	private := newPair(t, "private", jwa.ES256()).private // whoever serves that has no secret any more
	set := map[string]any{"keys": []any{
		map[string]any{"kty": "oct", "kid": "secret", "k": "c2VjcmV0"},
		map[string]any{
			"kty": "RSA", "kid": "small", "alg": "RS256", "e": "AQAB",
			"n": base64.RawURLEncoding.EncodeToString(small.N.Bytes()),
		},
		map[string]any{"kty": "new", "kid": "new", "x": "y"},
		relabelled(t, public, map[string]any{"kid": "encryption", "use": "enc"}),
		relabelled(t, public, map[string]any{"kid": "other algorithm", "alg": "ES384"}),
		relabelled(t, public, map[string]any{"kid": ""}),
		private,
		public,
	}}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(set) }))
	t.Cleanup(s.Close)
	r := verify.NewJWKS(s.URL, nil, nil)
	wantKey(t, r, "k1", true)
	for _, id := range []string{"secret", "small", "new", "encryption", "other algorithm", "", "private"} {
		wantKey(t, r, id, false)
	}
}

// relabelled gives a key with other members.
func relabelled(t *testing.T, k jwk.Key, members map[string]any) jwk.Key {
	t.Helper()
	other, err := k.Clone()
	for name, v := range members {
		if err == nil {
			err = other.Set(name, v)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return other
}

func TestSetWithoutGoodKeys(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{"keys":[]}`, `{}`, `nonsense`, `{"keys":[{"kty":"oct","kid":"k1","k":"c2VjcmV0"}]}`} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }))
		_, err := verify.NewJWKS(s.URL, nil, nil).Key(t.Context(), "k1")
		if err == nil || errors.Is(err, verify.ErrUnknownKey) {
			t.Errorf("%s: got %v, want an error that says the keys are not there", body, err)
		}
		s.Close()
	}
}
