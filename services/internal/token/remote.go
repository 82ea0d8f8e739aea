package token

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

// Remote is a JWK Set (RFC 7517 section 5) at a URL, fetched at the first use and
// kept. It fetches anew when it is used and its keys are old, without keeping anybody
// waiting, and when a token names a key that is not there, at most twice a minute.
// While the endpoint is down it goes on with the keys it has.
//
// It works only when it is used, not by a timer as jwk.Cache does: a function's
// process stands still between two invocations, and after a failed first fetch
// jwk.Cache waits for its next round.
type Remote struct {
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

// NewRemote makes a Remote; it fetches nothing yet. client and now may be nil: a
// client with timeouts, and the wall clock.
func NewRemote(url string, client *http.Client, now func() time.Time) *Remote {
	if client == nil {
		client = &http.Client{Timeout: fetchTimeout}
	}
	if now == nil {
		now = time.Now
	}
	return &Remote{url: url, client: client, now: now}
}

var _ Keys = (*Remote)(nil)

// Key implements [Keys].
func (r *Remote) Key(ctx context.Context, id string) (Key, error) {
	if fetched := r.refresh(ctx, id); fetched != nil {
		select {
		case <-fetched:
		case <-ctx.Done():
			return Key{}, fmt.Errorf("waiting for the keys: %w", ctx.Err())
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	key, known := r.keys[id]
	switch {
	case known:
		return key, nil
	case r.keys == nil:
		return Key{}, r.failed
	}
	return Key{}, ErrUnknownKey
}

// refresh begins a fetch where one is due. It gives what is closed when a fetch is
// done that is worth waiting for, nil if there is none.
func (r *Remote) refresh(ctx context.Context, id string) <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, known := r.keys[id]
	since := r.now().Sub(r.tried)
	switch {
	case known && r.now().Sub(r.fetched) >= refreshAfter && since >= unknownAfter:
		r.fetch(ctx)
		return nil
	case known:
		return nil
	case r.fetching != nil, since >= unknownAfter, r.keys == nil && since >= retryAfter:
		return r.fetch(ctx)
	}
	return nil
}

// fetch begins a fetch unless one is under way, and gives what is closed when it is
// done; r.mu is held. The fetch outlives the caller, since others may wait for it.
func (r *Remote) fetch(ctx context.Context) <-chan struct{} {
	if r.fetching != nil {
		return r.fetching
	}
	done := make(chan struct{})
	r.fetching, r.tried = done, r.now()
	go func() {
		defer close(done)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTimeout)
		defer cancel()
		keys, err := r.get(ctx)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.fetching, r.failed = nil, err
		if err == nil {
			r.keys, r.fetched = keys, r.now()
		}
	}()
	return done
}

// get fetches the keys, and leaves out those that nobody can check with or that the
// library cannot read (RFC 7517 section 5).
func (r *Remote) get(ctx context.Context) (map[string]Key, error) {
	body, err := r.download(ctx)
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
		if key, ok := NewKey(k); ok {
			id, _ := k.KeyID()
			keys[id] = key
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("reading the keys fetched: none for RS256 or ES256")
	}
	return keys, nil
}

func (r *Remote) download(ctx context.Context) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url, nil)
	if err != nil {
		return nil, err
	}
	response, err := r.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %s", r.url, response.Status)
	}
	return io.ReadAll(io.LimitReader(response.Body, maxSet))
}
