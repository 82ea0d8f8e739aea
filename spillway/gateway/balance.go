package gateway

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// exchange is one request on its way, and what the access log will say of it.
type exchange struct {
	rule *rule
	body *body

	group, target string
	attempts      int
}

type exchangeKey struct{}

// balancer is the http.RoundTripper under httputil's reverse proxy: it finds a target
// and, where an attempt comes to nothing and another is safe, another.
type balancer struct {
	idleTimeout time.Duration
}

// RoundTrip implements http.RoundTripper. Its errors are *failure.
func (b *balancer) RoundTrip(r *http.Request) (*http.Response, error) {
	x := r.Context().Value(exchangeKey{}).(*exchange)
	ctx, cancel := context.WithCancelCause(r.Context())
	timer := time.AfterFunc(b.idleTimeout, func() { cancel(errTimeout) })
	res, f := x.attempt(r.WithContext(ctx))
	timer.Stop() // the answer has begun, and may take as long as it wants
	if f != nil {
		cancel(nil)
		return nil, f
	}
	res.Body = whenClosed(res.Body, func() { cancel(nil) })
	return res, nil
}

// attempt sends the request to one target after the other until one answers.
func (x *exchange) attempt(r *http.Request) (*http.Response, *failure) {
	var tried []*target
	var last *failure
	for refusals := 0; ; {
		g, t, f := x.choose(r.Context(), tried)
		if f != nil {
			if last != nil && errors.Is(f, errNoTarget) {
				return nil, last // says more than that there is nobody else
			}
			return nil, f
		}
		x.group, x.target, x.attempts = g.name, t.id, x.attempts+1
		res, f := t.backend.send(r, x.body, sync.OnceFunc(func() { g.release(t) }))
		if f == nil {
			return res, nil
		}
		last = f
		switch {
		case f.fate == unsent:
			g.refused(t, f.err)
			tried = append(tried, t)
		case f.fate == busy && x.body.again():
			if !backOff(r.Context(), refusals) {
				return nil, f
			}
			refusals++
		case f.fate == unknown && repeatable(r.Method) && x.body.again():
			tried = append(tried, t)
		default:
			return nil, f
		}
	}
}

// choose takes a slot of the target whose turn it is.
func (x *exchange) choose(ctx context.Context, tried []*target) (*group, *target, *failure) {
	for {
		g := x.rule.forward.next(func(g *group) bool { return g.usable(tried) })
		if g == nil {
			return nil, nil, failed(final, http.StatusServiceUnavailable, errNoTarget)
		}
		t, err := g.acquire(ctx, tried)
		switch {
		case err == nil:
			return g, t, nil
		case errors.Is(err, errNoTarget): // it went just now; there may be another group
		case errors.Is(err, errQueueFull):
			return nil, nil, failed(final, http.StatusServiceUnavailable, err)
		default:
			return nil, nil, failed(final, http.StatusGatewayTimeout, err)
		}
	}
}

// backOff waits before attempt n+1, from a few milliseconds to a quarter of a second
// with jitter, and says whether ctx still wants it.
func backOff(ctx context.Context, n int) bool {
	most := min(5*time.Millisecond<<min(n, 10), 250*time.Millisecond)
	timer := time.NewTimer(most/2 + rand.N(most/2)) //nolint:gosec // jitter needs no secrecy
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
