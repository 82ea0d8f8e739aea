// Package frontdoortest helps to test programs that are served by frontdoor as Lambda
// runs them: [RuntimeAPI] is Lambda's Runtime API on a loopback port, for a real
// binary to poll.
package frontdoortest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// RuntimeAPI is Lambda's Runtime API (AWS Lambda, "Using the Lambda runtime API") with
// as much of the Extensions API as a runtime needs. Start one with [NewRuntimeAPI],
// give a child process [RuntimeAPI.Env], and [RuntimeAPI.Invoke] it.
type RuntimeAPI struct {
	server   *http.Server
	listener net.Listener
	queue    chan *invocation
	timeout  time.Duration

	mu      sync.Mutex
	pending map[string]*invocation
	last    int
}

type invocation struct {
	id    string
	event []byte
	until time.Time
	done  chan result
}

type result struct {
	body []byte
	err  error
}

// FunctionError is an invocation that the function reported as failed.
type FunctionError struct{ Payload string }

// Error gives the function's report.
func (e *FunctionError) Error() string { return "the invocation failed: " + e.Payload }

// NewRuntimeAPI starts a Runtime API on a free port of 127.0.0.1, whose invocations
// have the given time.
func NewRuntimeAPI(timeout time.Duration) (*RuntimeAPI, error) {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening: %w", err)
	}
	a := &RuntimeAPI{listener: l, queue: make(chan *invocation), timeout: timeout, pending: map[string]*invocation{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", a.next)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/{outcome}", a.finish)
	mux.HandleFunc("POST /2020-01-01/extension/register", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Lambda-Extension-Identifier", "loopback")
	})
	mux.HandleFunc("GET /2020-01-01/extension/event/next", func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done() // no events are registered for, so none comes
	})
	a.server = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = a.server.Serve(l) }() // ends with Close
	return a, nil
}

// Close ends the Runtime API; a runtime that polls it sees its connection go.
func (a *RuntimeAPI) Close() error { return a.server.Close() }

// Env gives the environment variables that make a process a Lambda function of this
// Runtime API.
func (a *RuntimeAPI) Env() []string {
	return []string{"AWS_LAMBDA_RUNTIME_API=" + a.listener.Addr().String(), "_HANDLER=bootstrap", "AWS_LAMBDA_FUNCTION_NAME=function"}
}

// Invoke has the function handle one event and gives its answer; a [*FunctionError]
// where the function reports a failure. Invocations wait until the runtime polls.
func (a *RuntimeAPI) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	a.mu.Lock()
	a.last++
	inv := &invocation{
		id: fmt.Sprintf("00000000-0000-4000-8000-%012d", a.last), event: event,
		until: time.Now().Add(a.timeout), done: make(chan result, 1),
	}
	a.pending[inv.id] = inv
	a.mu.Unlock()
	defer func() {
		a.mu.Lock()
		delete(a.pending, inv.id)
		a.mu.Unlock()
	}()
	ctx, cancel := context.WithTimeoutCause(ctx, a.timeout, errors.New("the function did not answer in time"))
	defer cancel()
	select {
	case a.queue <- inv:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	select {
	case r := <-inv.done:
		return r.body, r.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (a *RuntimeAPI) next(w http.ResponseWriter, r *http.Request) {
	select {
	case inv := <-a.queue:
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Lambda-Runtime-Aws-Request-Id", inv.id)
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(inv.until.UnixMilli(), 10))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-west-1:123456789012:function:function")
		h.Set("Lambda-Runtime-Trace-Id", "Root=1-00000000-"+strings.Repeat("0", 24))
		_, _ = w.Write(inv.event) // a runtime that has gone shows as a time-out
	case <-r.Context().Done():
	}
}

func (a *RuntimeAPI) finish(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	inv := a.pending[r.PathValue("id")]
	a.mu.Unlock()
	if inv == nil {
		http.Error(w, "no such invocation", http.StatusNotFound)
		return
	}
	var body bytes.Buffer
	_, err := io.Copy(&body, r.Body)
	res := result{body: body.Bytes(), err: err}
	// A stream that breaks says so in its trailers.
	if broken := r.Trailer.Get("Lambda-Runtime-Function-Error-Type"); r.PathValue("outcome") == "error" || broken != "" {
		res = result{err: &FunctionError{Payload: broken + body.String()}}
	}
	select {
	case inv.done <- res:
	default: // answered before
	}
	w.WriteHeader(http.StatusAccepted)
}
