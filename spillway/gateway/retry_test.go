package gateway_test

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"spillway.example/spillway/gateway"
)

// A target that takes no connection gets no second chance before a health check, and
// the request goes elsewhere, of whatever method, and to another group if need be.
func TestRefusedConnection(t *testing.T) {
	t.Parallel()
	dying := httptest.NewServer(http.HandlerFunc(ok))
	defer dying.Close()
	gone := dying.Listener.Addr().String()
	e := newEmulator(t, 1, ok, nil)
	g := start(t, config(httpGroup(once, gone), lambdaGroup(once, e)))
	dying.Close()
	for range 2 {
		if status, _ := do(t, http.MethodPost, g.url, "x"); status != http.StatusOK {
			t.Errorf("got %d, want the request to go to the other group", status)
		}
	}
	if got := g.state(t, gone); got != gateway.Unhealthy {
		t.Errorf("the target that refused is %s, want unhealthy at once", got)
	}
}

func TestRefusedByAll(t *testing.T) {
	t.Parallel()
	dying := httptest.NewServer(http.HandlerFunc(ok))
	defer dying.Close()
	g := start(t, config(httpGroup(once, dying.Listener.Addr().String())))
	dying.Close()
	for _, want := range []int{http.StatusBadGateway, http.StatusServiceUnavailable} {
		if status, _ := do(t, http.MethodGet, g.url, ""); status != want {
			t.Errorf("got %d, want %d: first nobody takes it, then nobody is healthy", status, want)
		}
	}
}

// breaking is an HTTP target that breaks off after it got a request, unless it is a
// health check or a repeat.
func breaking(t *testing.T, calls *atomic.Int64) string {
	t.Helper()
	return server(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if r.UserAgent() != "ELB-HealthChecker/2.0" && calls.Add(1) == 1 {
			panic(http.ErrAbortHandler)
		}
	})
}

// What may have run is sent again only where that is safe; what has not run always is.
func TestRetry(t *testing.T) {
	t.Parallel()
	onHTTP := func(t *testing.T, calls *atomic.Int64) string {
		t.Helper()
		return httpGroup(once, breaking(t, calls), breaking(t, calls))
	}
	onEmulators := func(first func(http.ResponseWriter, map[string]any) bool) func(*testing.T, *atomic.Int64) string {
		return func(t *testing.T, calls *atomic.Int64) string {
			t.Helper()
			before := func(w http.ResponseWriter, event map[string]any) bool {
				return calls.Add(1) == 1 && first(w, event)
			}
			return lambdaGroup(once, newEmulator(t, 1, ok, before), newEmulator(t, 1, ok, before))
		}
	}
	notIdle := func(w http.ResponseWriter, _ map[string]any) bool { unavailable(w); return true }
	silent := func(http.ResponseWriter, map[string]any) bool { return true }
	tests := []struct {
		name   string
		group  func(*testing.T, *atomic.Int64) string
		method string
		status int
		calls  int64
	}{
		{"broken off, GET", onHTTP, http.MethodGet, 200, 2},
		{"broken off, PUT", onHTTP, http.MethodPut, 200, 2},
		{"broken off, POST", onHTTP, http.MethodPost, 502, 1},
		{"no idle runtime, GET", onEmulators(notIdle), http.MethodGet, 200, 2},
		{"no idle runtime, POST", onEmulators(notIdle), http.MethodPost, 200, 2},
		{"shut down, DELETE", onEmulators(shutDown), http.MethodDelete, 200, 2},
		{"shut down, POST", onEmulators(shutDown), http.MethodPost, 502, 1},
		{"broken off by an emulator, GET", onEmulators(emptyReply), http.MethodGet, 200, 2},
		{"broken off by an emulator, POST", onEmulators(emptyReply), http.MethodPost, 502, 1},
		{"empty reply, GET", onEmulators(silent), http.MethodGet, 200, 2},
		{"empty reply, PATCH", onEmulators(silent), http.MethodPatch, 502, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var calls atomic.Int64
			g := start(t, config(tt.group(t, &calls)))
			body := "x"
			if tt.method == http.MethodGet {
				body = ""
			}
			if status, _ := do(t, tt.method, g.url, body); status != tt.status || calls.Load() != tt.calls {
				t.Errorf("got %d after %d calls, want %d after %d", status, calls.Load(), tt.status, tt.calls)
			}
		})
	}
}

// The only target is asked again when it had no idle runtime.
func TestRetryOnSameEmulator(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	e := newEmulator(t, 1, ok, func(w http.ResponseWriter, _ map[string]any) bool {
		if calls.Add(1) > 3 {
			return false
		}
		unavailable(w)
		return true
	})
	g := start(t, config(lambdaGroup(once, e)))
	if status, _ := do(t, http.MethodPost, g.url, "x"); status != http.StatusOK || calls.Load() != 4 {
		t.Errorf("got %d after %d calls, want 200 after 4", status, calls.Load())
	}
}

// closing is a connection that its peer closes after the first answer, unnoticed: what
// is written then goes nowhere.
type closing struct {
	net.Conn
	asked, closed chan struct{}
	ask, shut     sync.Once
	answered      atomic.Bool
	sent          []byte
}

func (c *closing) Read(b []byte) (int, error) {
	<-c.asked
	if c.answered.Swap(true) {
		<-c.closed
		return 0, io.EOF
	}
	return copy(b, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), nil
}

func (c *closing) Write(b []byte) (int, error) {
	if c.answered.Load() {
		return 0, syscall.EPIPE
	}
	c.sent = append(c.sent, b...)
	if bytes.HasSuffix(c.sent, []byte("\r\n\r\nx")) {
		c.ask.Do(func() { close(c.asked) })
	}
	return len(b), nil
}

func (c *closing) Close() error {
	c.shut.Do(func() { close(c.closed) })
	return nil
}

// A connection that was closed while it lay idle is nobody's fault: nothing was sent on
// it, so any request may go out on another.
func TestStaleConnection(t *testing.T) {
	t.Parallel()
	transport := gateway.NewTransport(func() net.Conn { return &closing{asked: make(chan struct{}), closed: make(chan struct{})} })
	post := func() error {
		var s gateway.Sending
		r, err := http.NewRequestWithContext(gateway.Follow(&s, t.Context()), http.MethodPost, "http://target", io.MultiReader(strings.NewReader("x")))
		if err != nil {
			t.Fatal(err)
		}
		r.ContentLength = 1
		res, err := transport.RoundTrip(r)
		if err != nil {
			return gateway.FailureOf(&s, t.Context(), err)
		}
		return res.Body.Close()
	}
	if err := post(); err != nil {
		t.Fatal(err)
	}
	if err := post(); err == nil || !gateway.HasNotRun(err) {
		t.Errorf("got %v, want a failure that may be tried again", err)
	}
}
