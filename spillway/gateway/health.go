package gateway

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

var errCheckTimeout = errors.New("the health check timed out")

// watch checks a target's health, at once and then at intervals, until ctx is done.
func (g *group) watch(ctx context.Context, t *target) {
	tick := time.NewTicker(g.cfg.HealthCheck.Interval)
	defer tick.Stop()
	for {
		g.check(ctx, t)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// check makes one health check. It takes a slot as any request does; waiting for the
// slot is no failure, since whatever holds it shows that the target works or will time
// out by itself.
func (g *group) check(ctx context.Context, t *target) {
	var f *failure
	for attempt := 0; ; attempt++ {
		if g.acquireOnly(ctx, t) != nil {
			return // ctx is done, or the target is leaving
		}
		timed, cancel := context.WithTimeoutCause(ctx, g.cfg.HealthCheck.Timeout, errCheckTimeout)
		f = t.backend.check(timed, sync.OnceFunc(func() { g.release(t) }))
		cancel()
		if f == nil || f.fate != busy || !backOff(ctx, attempt) {
			break
		}
	}
	switch {
	case ctx.Err() != nil:
	case f == nil:
		g.report(t, nil)
	case errors.Is(f, context.DeadlineExceeded):
		g.report(t, errCheckTimeout)
	default:
		g.report(t, f)
	}
}

// report counts a health check's outcome and moves the target to another state when it
// reaches a threshold.
func (g *group) report(t *target, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !t.firstChecked {
		t.firstChecked = true
		defer close(t.checked)
	}
	if t.state == Draining {
		return
	}
	if err == nil {
		t.passes, t.fails = t.passes+1, 0
		if t.state == Initial || t.state == Unhealthy && t.passes >= g.cfg.HealthCheck.HealthyThreshold {
			g.move(t, Healthy, "")
		}
		return
	}
	t.passes, t.fails = 0, t.fails+1
	switch {
	case t.state == Unhealthy:
		t.reason = err.Error()
	case t.state == Initial || t.fails >= g.cfg.HealthCheck.UnhealthyThreshold:
		g.move(t, Unhealthy, err.Error())
	}
}

// refused marks a target unhealthy at once: it took no connection.
func (g *group) refused(t *target, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if t.state == Healthy {
		t.passes = 0
		g.move(t, Unhealthy, err.Error())
	}
}

// move changes a target's state and does what follows from it. Call it with the mutex
// held.
func (g *group) move(t *target, to State, reason string) {
	attrs := []any{slog.String("group", g.name), slog.String("target", t.id),
		slog.String("from", string(t.state)), slog.String("to", string(to))}
	if reason != "" {
		attrs = append(attrs, slog.String("reason", reason))
	}
	t.state, t.reason = to, reason
	switch to {
	case Unhealthy:
		g.log.Warn("target", attrs...)
	default:
		g.log.Info("target", attrs...)
	}
	if to != Healthy {
		t.backend.drop()
	}
	g.serveQueue()
}
