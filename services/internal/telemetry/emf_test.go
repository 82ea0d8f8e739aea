package telemetry_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"spillway.example/frontdoor"
	"spillway.example/frontdoor/frontdoortest"
	"spillway.example/services/internal/httpapi"
	"spillway.example/services/internal/telemetry"
	"spillway.example/services/internal/telemetry/telemetrytest"
)

// output is standard output, with log lines and metrics in it.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// service is a small API whose requests are recorded.
type service struct {
	*telemetry.Telemetry
	out         *output
	handler     http.Handler
	traceHeader string // of invocations
}

func start(t *testing.T, c telemetry.Config) *service {
	t.Helper()
	s := &service{out: &output{}}
	c.Service, c.Version, c.Environment, c.Out = "accounts", "1", "test", s.out
	c.Logger = telemetry.NewLogger(s.out, slog.LevelInfo, "accounts")
	var err error
	if s.Telemetry, err = telemetry.Start(c); err != nil {
		t.Fatal(err)
	}
	api := httpapi.New(httpapi.Config{Title: "Accounts", Version: "1", Logger: c.Logger, Telemetry: s.Telemetry})
	httpapi.Handle(api, httpapi.Operation{ID: "item", Method: "GET", Path: "/items/{id}"},
		func(_ context.Context, in *struct {
			ID string `path:"id"`
		}) (*struct{}, error) {
			if in.ID == "broken" {
				return nil, fmt.Errorf("broken")
			}
			return nil, nil
		})
	api.Mux.HandleFunc("GET /panic", func(http.ResponseWriter, *http.Request) { panic("panic") })
	api.Mux.HandleFunc("GET /abort", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	api.Mux.HandleFunc("GET /slow", func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		time.Sleep(time.Second)
	})
	s.handler = api.Handler()
	return s
}

func (s *service) get(path string) {
	defer func() { _ = recover() }() // as net/http does
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.URL.Path = path
	s.handler.ServeHTTP(httptest.NewRecorder(), r)
}

// Ten thousand paths of ten thousand users, at once, are counted to the last one, and
// give no more metrics than the API has operations.
func TestEMFOfATask(t *testing.T) {
	t.Parallel()
	s := start(t, telemetry.Config{EMF: true})
	const workers, each = 16, 625
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			for i := range each {
				path := fmt.Sprintf("/items/%d-%d-%d", w, i, rand.Int64())
				if i%5 == 0 {
					path = fmt.Sprintf("/nowhere/%d/%d", i, rand.Int64())
				}
				s.get(path)
			}
		})
	}
	all.Wait()
	for _, path := range []string{"/items/broken", "/panic", "/abort", "/healthz", "/readyz", "/openapi.json"} {
		s.get(path)
	}
	s.Shutdown(t.Context())

	lines := telemetrytest.Lines(t, s.out.String())
	want := map[string][2]float64{"item": {workers*each*4/5 + 1, 1}, "unmatched": {workers * each / 5, 0}, "other": {3, 2}, "": {workers*each + 4, 3}}
	for operation, n := range want {
		requests, _ := telemetrytest.Total(lines, operation, "Requests")
		errors, _ := telemetrytest.Total(lines, operation, "Errors")
		_, latencies := telemetrytest.Total(lines, operation, "Latency")
		if requests != n[0] || errors != n[1] || float64(latencies) != n[0] {
			t.Errorf("%q: got %v requests, %v errors, %d latencies, want %v", operation, requests, errors, latencies, n)
		}
	}
	for _, l := range lines {
		if _, ok := want[l.Operation]; !ok || l.Service != "accounts" || l.Environment != "test" {
			t.Errorf("a metric of %q, %q, %q", l.Operation, l.Service, l.Environment)
		}
		if n := len(l.Dimensions); l.Operation != "" && n != 2 || l.Operation == "" && n != 1 {
			t.Errorf("%q: dimensions %v", l.Operation, l.Dimensions)
		}
	}
	if n, _ := telemetrytest.Total(lines, "", "Drains"); n != 1 {
		t.Errorf("%v drains", n)
	}
	if n, _ := telemetrytest.Total(lines, "", "InFlight"); n < 1 || n > workers {
		t.Errorf("at most %v requests were at work", n)
	}
	if _, n := telemetrytest.Total(lines, "", "ColdStarts"); n != 0 {
		t.Errorf("a task has %d cold starts", n)
	}
	if requests := strings.Count(s.out.String(), `"msg":"request"`); requests != workers*each+4 { // probes at debug
		t.Errorf("%d lines of requests", requests)
	}
}

// invoke has the service serve one event, as Lambda would.
func (s *service) invoke(t *testing.T, id, path string, within time.Duration) {
	t.Helper()
	event, err := frontdoortest.Event(frontdoortest.ALB, "GET", path, "accounts.example.com", http.Header{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: id}), within)
	defer cancel()
	ctx = context.WithValue(ctx, "x-amzn-trace-id", s.traceHeader) //nolint:staticcheck // aws-lambda-go's key
	invoker := frontdoor.NewInvoker(s.handler, frontdoor.Options{OnTimeout: s.TimedOut, Logger: slog.New(slog.DiscardHandler)})
	if _, err := invoker.Invoke(ctx, event); err != nil {
		t.Fatal(err)
	}
}

// A function's metrics are out before its answer is, one line an invocation, and one that
// does not end in time is counted too, once.
func TestEMFOfAFunction(t *testing.T) {
	t.Parallel()
	s := start(t, telemetry.Config{EMF: true, Lambda: true})
	for i, path := range []string{"/items/1", "/items/broken", "/slow", "/items/2"} {
		s.invoke(t, fmt.Sprint("invocation-", i), path, 500*time.Millisecond)
		lines := telemetrytest.Lines(t, s.out.String())
		if n, _ := telemetrytest.Total(lines, "", "Requests"); n != float64(i+1) {
			t.Errorf("after %d invocations: %v requests", i+1, n)
		}
		if n, _ := telemetrytest.Total(lines, "", "ColdStarts"); n != 1 {
			t.Errorf("after %d invocations: %v cold starts", i+1, n)
		}
	}
	time.Sleep(1200 * time.Millisecond) // the slow one ends after all
	lines := telemetrytest.Lines(t, s.out.String())
	requests, _ := telemetrytest.Total(lines, "", "Requests")
	errors, _ := telemetrytest.Total(lines, "", "Errors")
	if requests != 4 || errors != 2 {
		t.Errorf("%v requests and %v errors in all", requests, errors)
	}
	if !strings.Contains(s.out.String(), `"status":504`) || strings.Count(s.out.String(), `"msg":"request"`) != 4 {
		t.Errorf("the log: %s", s.out)
	}
	if !strings.Contains(s.out.String(), `"invocation_id":"invocation-2"`) || strings.Count(s.out.String(), `"cold_start":true`) != 1 {
		t.Errorf("the log: %s", s.out)
	}
	if _, n := telemetrytest.Total(lines, "", "InFlight"); n != 0 {
		t.Error("a function serves one request at a time, and its metric would say so")
	}
}

// An environment that was made ahead of need kept nobody waiting.
func TestProvisionedConcurrency(t *testing.T) {
	t.Parallel()
	s := start(t, telemetry.Config{EMF: true, Lambda: true, Getenv: func(name string) string {
		return map[string]string{"AWS_LAMBDA_INITIALIZATION_TYPE": "provisioned-concurrency"}[name]
	}})
	s.invoke(t, "x", "/items/1", time.Second)
	if n, _ := telemetrytest.Total(telemetrytest.Lines(t, s.out.String()), "", "ColdStarts"); n != 0 {
		t.Errorf("%v cold starts", n)
	}
}
