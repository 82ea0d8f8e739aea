package gateway_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"spillway.example/spillway/gateway"
)

// A target leaves after as many failed checks in a row as the threshold says, and
// comes back after as many passed ones.
func TestHealthThresholds(t *testing.T) {
	t.Parallel()
	// What the target answers to its checks in turn; the last one for ever.
	script := []int{200, 500, 500, 200, 500, 500, 500, 200, 500, 500, 500, 200, 200}
	var checks atomic.Int64
	var agent atomic.Value
	var states []string // the state after each check, as the log tells the changes
	target := server(t, func(w http.ResponseWriter, r *http.Request) {
		agent.Store(r.UserAgent() + " " + r.URL.Path)
		n := min(int(checks.Add(1)), len(script))
		w.WriteHeader(script[n-1])
	})
	changes := &logLines{}
	g := start(t, config(`type: http, targets: ["`+target+`"], health_check: {path: /up, interval: 2ms, healthy_threshold: 2, unhealthy_threshold: 3}`), changes.use)
	eventually(t, "the script is through", func() bool { return checks.Load() > int64(len(script)) })
	eventually(t, "the target is healthy again", func() bool { return g.state(t, target) == gateway.Healthy })
	for _, line := range changes.containing("msg=target ") {
		from, to := field(line, "from"), field(line, "to")
		states = append(states, from+"→"+to)
	}
	want := "initial→healthy healthy→unhealthy unhealthy→healthy"
	if got := strings.Join(states, " "); got != want {
		t.Errorf("got the changes %s, want %s", got, want)
	}
	if agent.Load() != "ELB-HealthChecker/2.0 /up" {
		t.Errorf("the check was %v", agent.Load())
	}
}

// The threshold that takes a target out is kept to the check.
func TestUnhealthyAfterExactlyThreshold(t *testing.T) {
	t.Parallel()
	var checks, failures atomic.Int64
	hold := make(chan struct{})
	target := server(t, func(w http.ResponseWriter, _ *http.Request) {
		switch n := checks.Add(1); {
		case n == 1:
		case n <= 3:
			failures.Add(1)
			w.WriteHeader(http.StatusServiceUnavailable)
		default: // the third failure waits to be let go
			<-hold
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	g := start(t, config(`type: http, targets: ["`+target+`"], health_check: {interval: 2ms, timeout: 1m, unhealthy_threshold: 3}`))
	eventually(t, "the third failure is on its way", func() bool { return checks.Load() == 4 })
	if got := g.state(t, target); got != gateway.Healthy {
		t.Errorf("after 2 failures of 3: %s", got)
	}
	close(hold)
	eventually(t, "the target is unhealthy", func() bool { return g.state(t, target) == gateway.Unhealthy })
}

func TestHealthCheckTimesOut(t *testing.T) {
	t.Parallel()
	hang := make(chan struct{})
	defer close(hang)
	target := server(t, func(http.ResponseWriter, *http.Request) { <-hang })
	g := start(t, config(`type: http, targets: ["`+target+`"], health_check: {interval: 1h, timeout: 10ms}`))
	if s := g.targets(t)[0]; s.State != gateway.Unhealthy || s.Reason != "the health check timed out" {
		t.Errorf("got %+v", s)
	}
	if status, _ := do(t, http.MethodGet, g.url, ""); status != http.StatusServiceUnavailable {
		t.Errorf("with no healthy target: got %d, want 503", status)
	}
}

// An emulator's check is the load balancer's own event, in the group's form, and takes
// one of its slots.
func TestLambdaHealthCheck(t *testing.T) {
	t.Parallel()
	for name, multi := range map[string]string{"single": "false", "multi": "true"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var seen atomic.Value
			e := newEmulator(t, 1, func(_ http.ResponseWriter, r *http.Request) {
				seen.Store(r.Method + " " + r.RequestURI + " " + r.UserAgent() + " host=" + r.Host)
			}, nil)
			// Checks and requests together find the one runtime idle every time.
			g := start(t, config(lambdaGroup("multi_value_headers: "+multi+", health_check: {path: /up, interval: 1ms}", e)))
			if got, want := seen.Load(), "GET /up ELB-HealthChecker/2.0 host="; got != want {
				t.Errorf("the check was %q, want %q", got, want)
			}
			for range 100 {
				do(t, http.MethodGet, g.url, "")
			}
			if e.most.Load() > 1 {
				t.Errorf("%d were in flight at once", e.most.Load())
			}
		})
	}
}

func TestLambdaUnhealthy(t *testing.T) {
	t.Parallel()
	e := newEmulator(t, 1, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }, nil)
	g := start(t, config(lambdaGroup(once, e)))
	if s := g.targets(t)[0]; s.State != gateway.Unhealthy || s.Reason != "the health check got 500" {
		t.Errorf("got %+v", s)
	}
}

// A target found unhealthy loses its idle connections, so that nothing is sent on one
// that a server about to stop will close.
func TestUnhealthyDropsIdleConnections(t *testing.T) {
	t.Parallel()
	var draining atomic.Bool
	var idle, closed atomic.Int64
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/readyz" && draining.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, "x")
	}))
	s.Config.ConnState = countIdle(&idle, &closed)
	s.Start()
	defer s.Close()
	target := s.Listener.Addr().String()
	g := start(t, config(`type: http, targets: ["`+target+`"], health_check: {path: /readyz, interval: 2ms}`))
	do(t, http.MethodGet, g.url, "")
	eventually(t, "a connection lies idle", func() bool { return idle.Load() == 1 })
	draining.Store(true)
	eventually(t, "it is closed", func() bool { return closed.Load() == 1 })
	if got := g.state(t, target); got != gateway.Unhealthy {
		t.Errorf("the target is %s", got)
	}
}
