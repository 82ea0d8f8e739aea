package gateway_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"spillway.example/frontdoor"
	"spillway.example/spillway/gateway"
)

// patience is how long a test waits for what must come; it is no measure of speed.
const patience = 30 * time.Second

// running is a gateway on free ports.
type running struct {
	gateway.Client
	url  string
	stop func() error // ends it and gives what Serve returned
}

// start runs a gateway until the test ends, and returns when every target was checked.
func start(t *testing.T, config string, o ...func(*gateway.Options)) running {
	t.Helper()
	cfg, err := gateway.Load([]byte(config))
	if err != nil {
		t.Fatal(err)
	}
	options := gateway.Options{Logger: slog.New(slog.NewTextHandler(t.Output(), nil)), AccessLog: true}
	for _, set := range o {
		set(&options)
	}
	g, err := gateway.Listen(t.Context(), cfg, options)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- g.Serve(ctx) }()
	stop := sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Errorf("serving: %v", err)
		}
	})
	r := running{Client: gateway.Client{Address: g.AdminAddr()}, url: "http://" + g.Addr(), stop: stop}
	eventually(t, "every target was checked", func() bool {
		for _, target := range r.targets(t) {
			if target.State == gateway.Initial {
				return false
			}
		}
		return true
	})
	return r
}

func (r running) targets(t *testing.T) []gateway.TargetStatus {
	t.Helper()
	all, err := r.Targets(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// state gives the state of the gateway's only target of that name.
func (r running) state(t *testing.T, target string) gateway.State {
	t.Helper()
	for _, s := range r.targets(t) {
		if s.Target == target {
			return s.State
		}
	}
	return "gone"
}

// config gives a configuration with one rule that forwards everything to its groups,
// each with the given fields.
func config(groups ...string) string {
	var b strings.Builder
	b.WriteString("listener: {address: '127.0.0.1:0', idle_timeout: 20s, default: {forward: [")
	for i := range groups {
		fmt.Fprintf(&b, "{target_group: g%d},", i)
	}
	b.WriteString("]}}\nadmin: '127.0.0.1:0'\ntarget_groups:\n")
	for i, g := range groups {
		fmt.Fprintf(&b, "  g%d: {%s}\n", i, g)
	}
	return b.String()
}

// often and never are health checks: as often as a test may want them, and only the
// first.
const (
	often = "health_check: {interval: 5ms}"
	once  = "health_check: {interval: 1h}"
)

func httpGroup(check string, targets ...string) string {
	return fmt.Sprintf("type: http, targets: [%s], %s", quoted(targets), check)
}

func lambdaGroup(more string, emulators ...*emulator) string {
	urls := make([]string, len(emulators))
	for i, e := range emulators {
		urls[i] = e.URL
	}
	return fmt.Sprintf("type: lambda, targets: [%s], %s", quoted(urls), more)
}

func quoted(all []string) string { return "'" + strings.Join(all, "','") + "'" }

// server starts an HTTP target and gives its host:port.
func server(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

func ok(http.ResponseWriter, *http.Request) {}

// closedPort gives an address that refuses connections.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// emulator is a runtime interface emulator as far as the gateway sees one: it has a
// number of runtimes, and refuses what finds none of them idle.
type emulator struct {
	*httptest.Server
	runtimes int64
	running  atomic.Int64
	most     atomic.Int64 // most ever in flight
	calls    atomic.Int64
	// before, where it is set, may answer in the emulator's stead.
	before func(w http.ResponseWriter, event map[string]any) bool
}

func newEmulator(t *testing.T, runtimes int, h http.HandlerFunc, before func(http.ResponseWriter, map[string]any) bool) *emulator {
	t.Helper()
	invoker := frontdoor.NewInvoker(h, frontdoor.Options{Logger: slog.New(slog.DiscardHandler)})
	e := &emulator{runtimes: int64(runtimes), before: before}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /2015-03-31/functions/function/invocations", func(w http.ResponseWriter, r *http.Request) {
		n := e.running.Add(1)
		defer e.running.Add(-1)
		for most := e.most.Load(); n > most && !e.most.CompareAndSwap(most, n); most = e.most.Load() {
		}
		if n > e.runtimes {
			unavailable(w)
			return
		}
		raw, err := io.ReadAll(r.Body)
		var event map[string]any
		if err != nil || json.Unmarshal(raw, &event) != nil {
			t.Errorf("the event is no JSON: %v %q", err, raw)
		}
		if e.before != nil && !isHealthCheck(event) {
			e.calls.Add(1)
			if e.before(w, event) {
				return
			}
		}
		out, err := invoker.Invoke(r.Context(), raw)
		if err != nil {
			t.Errorf("the function cannot read the event: %v\n%s", err, raw)
		}
		_, _ = w.Write(out)
	})
	e.Server = httptest.NewServer(mux)
	t.Cleanup(e.Close)
	return e
}

func isHealthCheck(event map[string]any) bool {
	return strings.Contains(fmt.Sprint(event["headers"], event["multiValueHeaders"]), "ELB-HealthChecker/2.0")
}

// The emulator's own errors, as it words them.
func unavailable(w http.ResponseWriter) {
	w.WriteHeader(http.StatusBadRequest)
	_, _ = io.WriteString(w, `{"errorType":"Runtime.Unavailable","errorMessage":"no runtime available"}`)
}

func shutDown(w http.ResponseWriter, _ map[string]any) bool {
	w.WriteHeader(http.StatusBadRequest)
	_, _ = io.WriteString(w, `{"errorType":"Client.ExecutionEnvironmentShutDown"}`)
	return true
}

func emptyReply(http.ResponseWriter, map[string]any) bool {
	panic(http.ErrAbortHandler)
}

// do sends a request and gives status and body.
func do(t *testing.T, method, url, body string, edit ...func(*http.Request)) (status int, answer string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range edit {
		f(r)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for began := time.Now(); !is(); time.Sleep(2 * time.Millisecond) {
		if time.Since(began) > patience {
			t.Fatalf("it never came that %s", what)
		}
	}
}
