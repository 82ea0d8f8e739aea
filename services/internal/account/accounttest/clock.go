package accounttest

import (
	"context"
	"sync"
	"time"
)

// Clock is a clock that tests turn. The zero Clock stands at a fixed day.
type Clock struct {
	mu     sync.Mutex
	passed time.Duration
}

// epoch is in the future, or a table's own time to live would end what is not over by this
// clock.
var epoch = time.Date(2096, 3, 1, 12, 0, 0, 0, time.UTC)

// Now gives the time on the clock.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return epoch.Add(c.passed)
}

// Wait moves the clock on instead of waiting.
func (c *Clock) Wait(_ context.Context, d time.Duration) error {
	c.Advance(d)
	return nil
}

// Advance moves the clock on.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.passed += d
}

// Pass gives a wait that takes no time but moves the clock on.
func Pass(c *Clock) func(context.Context, time.Duration) error {
	return func(_ context.Context, d time.Duration) error { c.Advance(d); return nil }
}
