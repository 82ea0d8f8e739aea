package gateway

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
)

// group is a target group at work: who is in it, who is healthy, and whose turn it is.
type group struct {
	name string
	cfg  TargetGroup
	log  *slog.Logger

	mu      sync.Mutex
	targets []*target
	turn    int       // where the search for a target begins
	waiting []*waiter // for a free slot, first come first served
}

// waiter waits for a slot of any target that it wants.
type waiter struct {
	wants  func(*target) bool
	check  bool         // a health check, which the queue's bound is not for
	chosen chan *target // gets the target, or nil when there is none left to wait for
}

var (
	errNoTarget  = errors.New("no healthy target")
	errQueueFull = errors.New("too many requests wait for a free emulator")
)

// acquire takes a slot of a healthy target that is not among tried, and waits for one
// where all are taken. The error is errNoTarget, errQueueFull or the context's.
func (g *group) acquire(ctx context.Context, tried []*target) (*target, error) {
	return g.take(ctx, &waiter{
		wants:  func(t *target) bool { return t.state == Healthy && !slices.Contains(tried, t) },
		chosen: make(chan *target, 1),
	})
}

// acquireOnly takes a slot of one target, for a health check.
func (g *group) acquireOnly(ctx context.Context, t *target) error {
	_, err := g.take(ctx, &waiter{
		wants:  func(other *target) bool { return other == t && t.state != Draining },
		check:  true,
		chosen: make(chan *target, 1),
	})
	return err
}

func (g *group) take(ctx context.Context, w *waiter) (*target, error) {
	g.mu.Lock()
	t, wait := g.offer(w)
	switch {
	case t != nil:
		g.mu.Unlock()
		return t, nil
	case !wait:
		g.mu.Unlock()
		return nil, errNoTarget
	case !w.check && g.queued() >= g.cfg.MaxQueue:
		g.mu.Unlock()
		return nil, errQueueFull
	}
	g.waiting = append(g.waiting, w)
	g.mu.Unlock()
	select {
	case t := <-w.chosen:
		if t == nil {
			return nil, errNoTarget
		}
		return t, nil
	case <-ctx.Done():
		g.abandon(w)
		return nil, context.Cause(ctx)
	}
}

// offer gives w the free target with the least in flight and takes a slot of it; else
// it says whether w can wait for one. Call it with the mutex held.
func (g *group) offer(w *waiter) (t *target, wait bool) {
	for i := range g.targets {
		c := g.targets[(g.turn+i)%len(g.targets)]
		if !w.wants(c) {
			continue
		}
		wait = true
		if c.free() && (t == nil || c.inFlight < t.inFlight) {
			t = c
		}
	}
	if t != nil {
		t.inFlight++
		if !w.check {
			g.turn++
		}
	}
	return t, wait
}

// queued counts the requests that wait. Call it with the mutex held.
func (g *group) queued() (n int) {
	for _, w := range g.waiting {
		if !w.check {
			n++
		}
	}
	return n
}

// abandon takes w off the queue; a slot that it was given meanwhile goes to the next.
func (g *group) abandon(w *waiter) {
	g.mu.Lock()
	i := slices.Index(g.waiting, w)
	if i >= 0 {
		g.waiting = slices.Delete(g.waiting, i, i+1)
	}
	g.mu.Unlock()
	if i < 0 {
		if t := <-w.chosen; t != nil {
			g.release(t)
		}
	}
}

// release gives a slot back.
func (g *group) release(t *target) {
	g.mu.Lock()
	defer g.mu.Unlock()
	t.inFlight--
	if t.state == Draining && t.inFlight == 0 {
		close(t.drained)
	}
	g.serveQueue()
}

// serveQueue gives what is free to those who wait, and sends away those with nothing
// left to wait for. Call it with the mutex held, after whatever may change either.
func (g *group) serveQueue() {
	g.waiting = slices.DeleteFunc(g.waiting, func(w *waiter) bool {
		t, wait := g.offer(w)
		if t == nil && wait {
			return false
		}
		w.chosen <- t
		return true
	})
}

// usable says whether a request that has tried some targets could go to another here.
func (g *group) usable(tried []*target) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.ContainsFunc(g.targets, func(t *target) bool {
		return t.state == Healthy && !slices.Contains(tried, t)
	})
}
