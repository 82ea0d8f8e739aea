package verify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwk"
)

const (
	// refreshAfter is the age at which a use of the keys fetches them anew, behind
	// the back of whoever uses them.
	refreshAfter = 15 * time.Minute
	// unknownAfter is the least time between two fetches that tokens with unknown
	// key ids can cause: anybody can make such tokens.
	unknownAfter = 30 * time.Second
	// retryAfter is the least time between two fetches while there are no keys.
	retryAfter = time.Second
	// fetchTimeout bounds one fetch.
	fetchTimeout = 5 * time.Second
	// maxSet is how much of a set is read, in bytes; Cognito's have about one thousand.
	maxSet = 1 << 20
)

// JWKS is a JWK Set (RFC 7517 section 5) at a URL, fetched at the first use and kept.
// It fetches anew when it is used and its keys are a quarter of an hour old, without
// keeping anybody waiting, and when a token names a key that is not there, at most twice
// a minute however many do. While the endpoint is down it goes on with the keys it has.
//
// It works only when it is used, not by a timer as jwk.Cache does: a function's process
// stands still between two invocations, and after a failed first fetch jwk.Cache waits
// for its next round.
type JWKS struct {
	url    string
	client *http.Client
	now    func() time.Time

	mu       sync.Mutex
	keys     map[string]Key // nil until the first fetch that works
	fetched  time.Time      // when keys were fetched
	tried    time.Time      // when the last fetch began
	failed   error          // of the last fetch
	fetching chan struct{}  // closed when the fetch under way is done; nil if none is
}

// NewJWKS makes a JWKS; it fetches nothing yet. client and now may be nil: a client with
// timeouts, and the wall clock.
func NewJWKS(url string, client *http.Client, now func() time.Time) *JWKS {
	if client == nil {
		client = &http.Client{Timeout: fetchTimeout}
	}
	if now == nil {
		now = time.Now
	}
	return &JWKS{url: url, client: client, now: now}
}

var _ Keys = (*JWKS)(nil)

// Key implements [Keys].
func (s *JWKS) Key(ctx context.Context, id string) (Key, error) {
	if fetched := s.refresh(ctx, id); fetched != nil {
		select {
		case <-fetched:
		case <-ctx.Done():
			return Key{}, fmt.Errorf("waiting for the keys: %w", ctx.Err())
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key, known := s.keys[id]
	switch {
	case known:
		return key, nil
	case s.keys == nil:
		return Key{}, s.failed
	}
	return Key{}, ErrUnknownKey
}

// refresh begins a fetch where one is due. It gives what is closed when a fetch is
// done that is worth waiting for, nil if there is none.
func (s *JWKS) refresh(ctx context.Context, id string) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, known := s.keys[id]
	since := s.now().Sub(s.tried)
	switch {
	case known && s.now().Sub(s.fetched) >= refreshAfter && since >= unknownAfter:
		s.fetch(ctx)
		return nil
	case known:
		return nil
	case s.fetching != nil, since >= unknownAfter, s.keys == nil && since >= retryAfter:
		return s.fetch(ctx)
	}
	return nil
}

// fetch begins a fetch unless one is under way, and gives what is closed when it is
// done; s.mu is held. The fetch outlives the caller, since others may wait for it.
func (s *JWKS) fetch(ctx context.Context) <-chan struct{} {
	if s.fetching != nil {
		return s.fetching
	}
	done := make(chan struct{})
	s.fetching, s.tried = done, s.now()
	go func() {
		defer close(done)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTimeout)
		defer cancel()
		keys, err := s.get(ctx)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.fetching, s.failed = nil, err
		if err == nil {
			s.keys, s.fetched = keys, s.now()
		}
	}()
	return done
}

// get fetches the keys, and leaves out those that nobody can check with or that the
// library cannot read (RFC 7517 section 5).
func (s *JWKS) get(ctx context.Context) (map[string]Key, error) {
	body, err := s.download(ctx)
	if err != nil {
		return nil, fmt.Errorf("fetching keys: %w", err)
	}
	set, err := jwk.Parse(body, jwk.WithIgnoreParseError(true))
	if err != nil {
		return nil, fmt.Errorf("reading the keys fetched: %w", err)
	}
	keys := make(map[string]Key, set.Len())
	for i := range set.Len() {
		k, _ := set.Key(i)
		if id, key, ok := fromJWK(k); ok {
			keys[id] = key
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("reading the keys fetched: none for RS256 or ES256")
	}
	return keys, nil
}

func (s *JWKS) download(ctx context.Context) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil) //nolint:gosec // the URL is the configuration's
	if err != nil {
		return nil, err
	}
	response, err := s.client.Do(request) //nolint:gosec // the same
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %s", s.url, response.Status)
	}
	return io.ReadAll(io.LimitReader(response.Body, maxSet))
}

// fromJWK gives the key of a JWK and its id. It gives false for any that is not for
// RS256 or ES256: symmetric keys, private keys, keys for encryption, and keys without an
// id among them.
func fromJWK(k jwk.Key) (id string, key Key, ok bool) {
	if id, ok = k.KeyID(); !ok || id == "" {
		return "", Key{}, false
	}
	if use, ok := k.KeyUsage(); ok && use != "" && use != jwk.ForSignature.String() {
		return "", Key{}, false
	}
	var raw any
	if err := jwk.Export(k, &raw); err != nil {
		return "", Key{}, false
	}
	key, err := NewKey(raw)
	if err != nil {
		return "", Key{}, false
	}
	if named, ok := k.Algorithm(); ok && named.String() != key.algorithm.String() {
		return "", Key{}, false
	}
	return id, key, true
}
