package accounttest

import (
	"context"
	"sync"
	"time"

	"spillway.example/services/internal/account"
)

// Counters is [account.Counters] in memory. The zero Counters are ready.
type Counters struct {
	mu sync.Mutex
	of map[string]account.Counter
}

var _ account.Counters = (*Counters)(nil)

func (c *Counters) change(key string, f func(account.Counter) account.Counter) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = map[string]account.Counter{}
	}
	c.of[key] = f(c.of[key])
}

// Take implements [account.Counters].
func (c *Counters) Take(_ context.Context, key string, l account.Limit, _ time.Duration, now time.Time) (taken account.Taken, err error) {
	c.change(key, func(old account.Counter) (next account.Counter) {
		next, taken = old.Take(l, now)
		return next
	})
	return taken, nil
}

// Trust implements [account.Counters].
func (c *Counters) Trust(_ context.Context, key string, until time.Time) error {
	c.change(key, func(account.Counter) account.Counter { return account.Counter{TrustedUntil: until} })
	return nil
}

// Refund implements [account.Counters].
func (c *Counters) Refund(_ context.Context, key string, l account.Limit) error {
	c.change(key, func(old account.Counter) account.Counter { return old.Refund(l) })
	return nil
}

// Keys gives every key that counts something.
func (c *Counters) Keys() (keys []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for k := range c.of {
		keys = append(keys, k)
	}
	return keys
}
