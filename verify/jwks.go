package verify

import (
	"cmp"
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
	// maxAge is the age at which keys count no more: one of them may have been withdrawn
	// since. An outage of the endpoint that lasts longer outlasts most tokens, too.
	maxAge = time.Hour
	// unknownAfter is the least time between two fetches that tokens with unknown
	// key ids can cause: anybody can make such tokens.
	unknownAfter = 30 * time.Second
	// unknownAgain is the same once a fetch has failed: the token may be a good one.
	unknownAgain = 5 * time.Second
	// retryAfter is the least time between two fetches while no key counts.
	retryAfter = time.Second
	// fetchTimeout bounds one fetch.
	fetchTimeout = 5 * time.Second
	// maxSet is how much of a set is read, in bytes; Cognito's have about one thousand.
	maxSet = 1 << 20
)

// JWKS is a JWK Set (RFC 7517 section 5) at a URL, fetched at the first use and kept.
//
//   - Keys of a quarter of an hour are fetched anew when they are used, without keeping
//     anybody waiting.
//   - Keys of an hour count no more: whoever asks waits for a fetch, and has an error
//     where it fails. So a key that was withdrawn counts for an hour at most, however long
//     nobody asked, and the endpoint may be away for three quarters of one.
//   - A token that names a key which is not there has them fetched, at most twice a minute
//     however many such tokens come. Only a set that could be fetched says that there is
//     no such key: after a fetch that failed it is not known, and asked again at most
//     every five seconds. Known keys are good all the while.
//
// It works only when it is used, not by a timer as jwk.Cache does: a function's process
// stands still between two invocations, and after a failed first fetch jwk.Cache waits
// for its next round.
type JWKS struct {
	url    string
	client *http.Client
	clock  clock
	// complaints are about fetches that fail, while older keys still count, too.
	complaints *complaints

	mu       sync.Mutex
	keys     map[string]Key // nil until the first fetch that works
	fetched  time.Time      // when the fetch of keys began
	tried    time.Time      // when the last fetch began
	failed   error          // of the last fetch; nil where it worked
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
	return &JWKS{url: url, client: client, clock: now}
}

var _ Keys = (*JWKS)(nil)

// Key implements [Keys].
func (s *JWKS) Key(ctx context.Context, id string) (Key, error) {
	for fetched := s.refresh(ctx, id); fetched != nil; fetched = s.underWay(fetched) {
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
	case s.expired():
		return Key{}, cmp.Or(s.failed, errExpired)
	case known:
		return key, nil
	}
	return Key{}, cmp.Or(s.failed, ErrUnknownKey)
}

// underWay gives what is closed when the fetch is done that took the place of one, nil if
// none did.
func (s *JWKS) underWay(instead <-chan struct{}) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fetching == nil || s.fetching == instead {
		return nil
	}
	return s.fetching
}

var errExpired = errors.New("the keys are too old")

// expired says whether no key counts; s.mu is held.
func (s *JWKS) expired() bool { return s.keys == nil || s.clock.since(s.fetched) >= maxAge }

// refresh begins a fetch where one is due. It gives what is closed when a fetch is
// done that is worth waiting for, nil if there is none.
func (s *JWKS) refresh(ctx context.Context, id string) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, known := s.keys[id]
	known = known && !s.expired()
	rest := unknownAfter
	switch {
	case s.expired():
		rest = retryAfter
	case !known && s.failed != nil:
		rest = unknownAgain
	}
	due := s.clock.since(s.tried) >= rest
	switch {
	case known && due && s.clock.since(s.fetched) >= refreshAfter:
		s.fetch(ctx)
		return nil
	case !known && (due || s.fetching != nil):
		return s.fetch(ctx)
	}
	return nil
}

// fetch begins a fetch unless one is under way, and gives what is closed when it is
// done; s.mu is held. The fetch outlives the caller, since others may wait for it. One that
// a function was frozen in has lost its connection, and nobody need wait for that.
func (s *JWKS) fetch(ctx context.Context) <-chan struct{} {
	if s.fetching != nil && s.clock.since(s.tried) <= fetchTimeout {
		return s.fetching
	}
	done, began := make(chan struct{}), s.clock.now()
	s.fetching, s.tried = done, began
	go func() {
		defer close(done)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTimeout)
		defer cancel()
		keys, err := s.get(ctx)
		if err != nil {
			s.complaints.about(ctx, "the keys cannot be had", err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.fetching != done {
			return // another took its place
		}
		s.fetching, s.failed = nil, err
		if err == nil {
			s.keys, s.fetched = keys, began
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
