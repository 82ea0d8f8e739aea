package embedded

import (
	"context"
	"sync"
	"time"

	"spillway.example/services/internal/account"
)

// rereadAfter is the least time between two readings of the file that tokens with unknown
// key ids can cause: anybody can make such tokens.
const rereadAfter = time.Second

// rereading is the next reading of the file for tokens with unknown key ids.
type rereading struct {
	mu   sync.Mutex
	next *reading  // nil where nobody waits for one
	last time.Time // when the last one began
}

// reading is one reading of the file, once done is closed.
type reading struct {
	done chan struct{}
	keys []signingKey
	err  error
}

// reread gives the keys as the file has them. Who comes while another reading is due waits
// for that, which finds all that was there when they came: so a token whose key another
// process made a moment ago is good, and a flood of those with made-up keys has the file
// read once a second. Whose key is known does not wait for that to be due.
func (s *Store) reread(ctx context.Context) ([]signingKey, error) {
	r := s.rereading.join(func() ([]signingKey, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.BusyTimeout) // others wait, too
		defer cancel()
		return s.keyring(ctx, true)
	})
	select {
	case <-r.done:
		return r.keys, r.err
	case <-ctx.Done():
		return nil, account.ErrUnavailable(ctx.Err())
	}
}

// join gives the next reading, and has it made when it is time.
func (r *rereading) join(read func() ([]signingKey, error)) *reading {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.next != nil {
		return r.next
	}
	next := &reading{done: make(chan struct{})}
	r.next = next
	time.AfterFunc(time.Until(r.last.Add(rereadAfter)), func() {
		defer close(next.done)
		r.mu.Lock()
		r.next, r.last = nil, time.Now() // whoever comes now may have what this one misses
		r.mu.Unlock()
		next.keys, next.err = read()
	})
	return next
}
