package verify

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// complainAfter is the least time between two lines of the log about what keeps tokens from
// being checked: a busy service meets it with every request.
const complainAfter = time.Minute

// complaints tell the operator what callers are not told. They are safe for concurrent use;
// nil says nothing.
type complaints struct {
	log   *slog.Logger
	clock clock

	mu   sync.Mutex
	last time.Time
}

// about logs what cannot be had, and why. err must hold neither a token nor a secret.
func (c *complaints) about(ctx context.Context, what string, err error) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.last.IsZero() && c.clock.since(c.last) < complainAfter {
		return
	}
	c.last = c.clock.now()
	c.log.WarnContext(ctx, "verify: "+what, "err", err)
}
