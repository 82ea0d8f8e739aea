package gateway

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// healthChecker is what health checks call themselves.
const healthChecker = "ELB-HealthChecker/2.0"

// httpTarget is a server.
type httpTarget struct {
	address   string
	path      string // of the health check
	transport *http.Transport
	checks    *http.Transport // with connections of its own: does the server still accept?
}

func newHTTPTarget(address string, cfg TargetGroup) *httpTarget {
	checks := newTransport()
	checks.DisableKeepAlives = true
	return &httpTarget{address, cfg.HealthCheck.Path, newTransport(), checks}
}

func (t *httpTarget) send(r *http.Request, b *body, done func()) (*http.Response, *failure) {
	var s sending
	out := r.WithContext(s.trace(r.Context()))
	u := *r.URL
	u.Scheme, u.Host = "http", t.address
	out.URL = &u
	b.attach(out)
	res, err := t.transport.RoundTrip(out)
	if err != nil {
		done()
		return nil, s.failure(r.Context(), err)
	}
	res.Body = whenClosed(res.Body, done)
	return res, nil
}

func (t *httpTarget) check(ctx context.Context, done func()) *failure {
	defer done()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+t.address+t.path, nil)
	if err != nil {
		return failed(final, 0, err)
	}
	r.Header.Set("User-Agent", healthChecker)
	res, err := t.checks.RoundTrip(r)
	if err != nil {
		return failed(unknown, 0, err)
	}
	defer func() { _ = res.Body.Close() }() // what matters of it was read
	return checkStatus(res.StatusCode)
}

func checkStatus(status int) *failure {
	if status != http.StatusOK {
		return failed(final, 0, fmt.Errorf("the health check got %d", status))
	}
	return nil
}

func (t *httpTarget) drop() { t.transport.CloseIdleConnections() }

// whenClosed has f called once, when the body is closed. The body of an upgraded
// connection stays one that can be written.
func whenClosed(b io.ReadCloser, f func()) io.ReadCloser {
	c := &closeHook{ReadCloser: b, f: sync.OnceFunc(f)}
	if w, ok := b.(io.Writer); ok {
		return struct {
			*closeHook
			io.Writer
		}{c, w}
	}
	return c
}

type closeHook struct {
	io.ReadCloser
	f func()
}

func (c *closeHook) Close() error {
	defer c.f()
	return c.ReadCloser.Close()
}
