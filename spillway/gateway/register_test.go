package gateway_test

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"spillway.example/spillway/gateway"
)

// holding answers health checks at once, and anything else when it is let go.
func holding(began, letGo chan struct{}) http.HandlerFunc {
	return func(_ http.ResponseWriter, r *http.Request) {
		if r.UserAgent() != "ELB-HealthChecker/2.0" {
			began <- struct{}{}
			<-letGo
		}
	}
}

// A target that is deregistered gets nothing new and finishes what it has; only then
// does Deregister return.
func TestDeregisterDrains(t *testing.T) {
	t.Parallel()
	tests := map[string]func(*testing.T, http.HandlerFunc) (group, target string){
		"http": func(t *testing.T, h http.HandlerFunc) (group, target string) {
			t.Helper()
			target = server(t, h)
			return httpGroup(often, target), target
		},
		"lambda": func(t *testing.T, h http.HandlerFunc) (group, target string) {
			t.Helper()
			e := newEmulator(t, 2, h, nil)
			return lambdaGroup(often+", max_in_flight: 2", e), e.URL
		},
	}
	for name, target := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			began, letGo := make(chan struct{}, 1), make(chan struct{})
			group, target := target(t, holding(began, letGo))
			g := start(t, config(group))
			ref := gateway.TargetRef{TargetGroup: "g0", Target: target}
			inFlight, drained := make(chan int, 1), make(chan gateway.Deregistered, 1)
			go func() {
				status, _ := do(t, http.MethodPost, g.url, "x")
				inFlight <- status
			}()
			<-began
			go func() {
				d, err := g.Deregister(t.Context(), ref)
				if err != nil {
					t.Errorf("deregistering: %v", err)
				}
				drained <- d
			}()
			eventually(t, "the target is draining", func() bool { return g.state(t, target) == gateway.Draining })
			if status, _ := do(t, http.MethodGet, g.url, ""); status != http.StatusServiceUnavailable {
				t.Errorf("a new request got %d, want 503", status)
			}
			select {
			case <-drained:
				t.Error("Deregister returned with a request in flight")
			default:
			}
			letGo <- struct{}{}
			if status := <-inFlight; status != http.StatusOK {
				t.Errorf("the request in flight got %d", status)
			}
			if d := <-drained; d.InFlight != 0 || d.TargetRef != ref {
				t.Errorf("got %+v, want it drained", d)
			}
			if got := g.targets(t); len(got) != 0 {
				t.Errorf("still registered: %+v", got)
			}
			s, err := g.Register(t.Context(), ref)
			if err != nil || s.State != gateway.Healthy {
				t.Errorf("registered again: %+v, %v", s, err)
			}
		})
	}
}

// When the delay is over, Deregister says what is left.
func TestDeregisterDelay(t *testing.T) {
	t.Parallel()
	began, letGo := make(chan struct{}, 1), make(chan struct{})
	target := server(t, holding(began, letGo))
	g := start(t, config(httpGroup(once+", deregistration_delay: 1ms", target)))
	var wg sync.WaitGroup
	wg.Go(func() { do(t, http.MethodGet, g.url, "") })
	<-began
	d, err := g.Deregister(t.Context(), gateway.TargetRef{TargetGroup: "g0", Target: target})
	if err != nil || d.InFlight != 1 {
		t.Errorf("got %+v, %v, want one left in flight", d, err)
	}
	close(letGo)
	wg.Wait()
}

func TestRegistrationErrors(t *testing.T) {
	t.Parallel()
	target := server(t, ok)
	g := start(t, config(httpGroup(once, target)))
	tests := []struct {
		name, group, target string
		call                func(gateway.Client, gateway.TargetRef) error
		want                string
	}{
		{"register in no group", "x", "h:1", register(t), "there is no such target group"},
		{"register no target", "g0", "http://h", register(t), "must be host:port"},
		{"register again", "g0", target, register(t), ""},
		{"register a dead one", "g0", closedPort(t), register(t), ""},
		{"deregister from no group", "x", "h:1", deregister(t), "there is no such target group"},
		{"deregister no target", "g0", "h:1", deregister(t), "the target is not registered"},
	}
	for _, tt := range tests {
		err := tt.call(g.Client, gateway.TargetRef{TargetGroup: tt.group, Target: tt.target})
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
	states := []gateway.State{}
	for _, s := range g.targets(t) {
		states = append(states, s.State)
	}
	if !slices.Equal(states, []gateway.State{gateway.Healthy, gateway.Unhealthy}) {
		t.Errorf("got %v, want the old target and the dead one", states)
	}
}

func register(t *testing.T) func(gateway.Client, gateway.TargetRef) error {
	t.Helper()
	return func(c gateway.Client, ref gateway.TargetRef) error {
		_, err := c.Register(t.Context(), ref)
		return err
	}
}

func deregister(t *testing.T) func(gateway.Client, gateway.TargetRef) error {
	t.Helper()
	return func(c gateway.Client, ref gateway.TargetRef) error {
		_, err := c.Deregister(t.Context(), ref)
		return err
	}
}

// Nothing is lost when targets of both kinds come and go under load.
func TestDeregisterUnderLoad(t *testing.T) {
	t.Parallel()
	a, b := newEmulator(t, 2, ok, nil), newEmulator(t, 2, ok, nil)
	web := []string{server(t, ok), server(t, ok)}
	g := start(t, config(httpGroup(often, web...), lambdaGroup(often+", max_in_flight: 2", a, b)))
	var lost atomic.Int64
	var load sync.WaitGroup
	stop := make(chan struct{})
	for range 16 {
		load.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if status, _ := do(t, http.MethodPost, g.url, "x"); status != http.StatusOK {
					lost.Add(1)
				}
			}
		})
	}
	for range 5 {
		for _, ref := range []gateway.TargetRef{{TargetGroup: "g0", Target: web[0]}, {TargetGroup: "g1", Target: a.URL}} {
			if d, err := g.Deregister(t.Context(), ref); err != nil || d.InFlight != 0 {
				t.Errorf("deregistering: %+v, %v", d, err)
			}
			if s, err := g.Register(t.Context(), ref); err != nil || s.State != gateway.Healthy {
				t.Errorf("registering: %+v, %v", s, err)
			}
		}
	}
	close(stop)
	load.Wait()
	if lost.Load() > 0 {
		t.Errorf("%d requests were lost", lost.Load())
	}
}

// The admin listener's paths are not the public one's, and pages of other origins
// cannot use it.
func TestAdminIsApart(t *testing.T) {
	t.Parallel()
	g := start(t, config("type: http, targets: ['"+server(t, ok)+"'], "+once))
	status, _ := do(t, http.MethodPost, "http://"+g.Address+"/targets/deregister", `{"target_group":"g0","target":"x"}`,
		func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") })
	if status != http.StatusForbidden {
		t.Errorf("from another origin: got %d, want 403", status)
	}
	if status, body := do(t, http.MethodGet, g.url+"/targets", ""); status != http.StatusOK || body != "" {
		t.Errorf("the public listener answers /targets itself: %d %s", status, body)
	}
}

func TestReady(t *testing.T) {
	t.Parallel()
	up, down := start(t, config(httpGroup(once, server(t, ok)))), start(t, config(httpGroup(once, closedPort(t))))
	if r, err := up.Ready(t.Context()); err != nil || !r.Ready {
		t.Errorf("with a healthy target: %+v, %v", r, err)
	}
	if r, err := down.Ready(t.Context()); err != nil || r.Ready || !slices.Equal(r.Waiting, []string{"rule to g0"}) {
		t.Errorf("with none: %+v, %v", r, err)
	}
}
