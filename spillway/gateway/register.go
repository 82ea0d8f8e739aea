package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Errors of registering and deregistering.
var (
	errUnknownGroup  = errors.New("there is no such target group")
	errUnknownTarget = errors.New("the target is not registered")
	errStillDraining = errors.New("the target is still draining")
	errBadTarget     = errors.New("this is no target of the group")
)

// add registers a target and has it checked until it is deregistered or ctx is done.
// A target that is registered already stays as it is.
func (g *group) add(ctx context.Context, id string, b backend) (*target, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if t := g.find(id); t != nil {
		if t.state == Draining {
			return nil, errStillDraining
		}
		return t, nil
	}
	ctx, stop := context.WithCancel(ctx)
	t := &target{
		id: id, backend: b, slots: g.cfg.MaxInFlight, stop: stop,
		state: Initial, reason: "not checked yet", checked: make(chan struct{}), drained: make(chan struct{}),
	}
	g.targets = append(g.targets, t)
	go g.watch(ctx, t)
	return t, nil
}

// remove deregisters a target: it gets nothing new, and remove waits until nothing is
// in flight on it, but no longer than the group's delay. It gives what was left then.
func (g *group) remove(ctx context.Context, id string) (left int, err error) {
	g.mu.Lock()
	t := g.find(id)
	if t == nil {
		g.mu.Unlock()
		return 0, errUnknownTarget
	}
	if t.state == Draining {
		g.mu.Unlock()
		return 0, errStillDraining
	}
	g.move(t, Draining, "deregistered")
	if t.inFlight == 0 {
		close(t.drained)
	}
	g.mu.Unlock()
	t.stop()

	// The delay runs to its end even where the caller goes away: what is in flight
	// is other people's.
	delay := time.NewTimer(g.cfg.DeregistrationDelay)
	select {
	case <-t.drained:
		delay.Stop()
		return g.forget(t), nil
	case <-delay.C:
		return g.forget(t), nil
	case <-ctx.Done():
		go func() {
			select {
			case <-t.drained:
			case <-delay.C:
			}
			g.forget(t)
		}()
		return 0, fmt.Errorf("waiting for the target to drain: %w", ctx.Err())
	}
}

// forget takes a drained target out of the group and gives what is still in flight.
func (g *group) forget(t *target) (left int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.targets = slices.DeleteFunc(g.targets, func(other *target) bool { return other == t })
	g.log.Info("target deregistered", "group", g.name, "target", t.id, "in_flight", t.inFlight)
	t.backend.drop()
	g.serveQueue()
	return t.inFlight
}

// find gives a registered target, nil where there is none. Call it with the mutex held.
func (g *group) find(id string) *target {
	if i := slices.IndexFunc(g.targets, func(t *target) bool { return t.id == id }); i >= 0 {
		return g.targets[i]
	}
	return nil
}
