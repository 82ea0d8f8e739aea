package frontdoortest

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
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
	extended atomic.Bool
	polled   sync.Once
	ready    chan struct{}

	mu      sync.Mutex
	pending map[string]*invocation
	last    int
}

type invocation struct {
	id    string
	event []byte
	done  chan reply
}

// reply is what a function makes of an invocation.
type reply struct {
	contentType string
	body        *io.PipeReader
	err         error
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
	a := &RuntimeAPI{listener: l, queue: make(chan *invocation), timeout: timeout, pending: map[string]*invocation{}, ready: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", a.next)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/{outcome}", a.finish)
	mux.HandleFunc("POST /2020-01-01/extension/register", func(w http.ResponseWriter, _ *http.Request) {
		a.extended.Store(true)
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

// Ready is closed once the function polls for its first invocation: its init is over.
func (a *RuntimeAPI) Ready() <-chan struct{} { return a.ready }

// Extended says whether the function has registered an extension, without which Lambda
// ends it with no SIGTERM before.
func (a *RuntimeAPI) Extended() bool { return a.extended.Load() }

// Env gives the environment variables that make a process a Lambda function of this
// Runtime API.
func (a *RuntimeAPI) Env() []string {
	return []string{"AWS_LAMBDA_RUNTIME_API=" + a.listener.Addr().String(), "_HANDLER=bootstrap", "AWS_LAMBDA_FUNCTION_NAME=function"}
}

// Invoke has the function handle one event and gives its answer; a [*FunctionError]
// where the function reports a failure. Invocations wait until the runtime polls.
func (a *RuntimeAPI) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	_, body, err := a.InvokeStream(ctx, event)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(body)
}

// InvokeStream has the function handle one event and gives its answer, and the media type
// of it, as soon as it begins. Reading ends in a [*FunctionError] where the function
// breaks off. The body must be closed.
func (a *RuntimeAPI) InvokeStream(ctx context.Context, event []byte) (contentType string, body io.ReadCloser, err error) {
	a.mu.Lock()
	a.last++
	inv := &invocation{
		id: fmt.Sprintf("00000000-0000-4000-8000-%012d", a.last), event: event,
		done: make(chan reply, 1),
	}
	a.pending[inv.id] = inv
	a.mu.Unlock()
	ctx, cancel := context.WithTimeoutCause(ctx, a.timeout+grace, errors.New("the function did not answer in time"))
	end := func() {
		cancel()
		a.mu.Lock()
		delete(a.pending, inv.id)
		a.mu.Unlock()
	}
	select {
	case a.queue <- inv:
	case <-ctx.Done():
		defer end()
		return "", nil, context.Cause(ctx)
	}
	select {
	case r := <-inv.done:
		if r.err != nil {
			defer end()
			return "", nil, r.err
		}
		stop := context.AfterFunc(ctx, func() { _ = r.body.CloseWithError(context.Cause(ctx)) }) // always nil
		return r.contentType, closer{r.body, ctx, func() { stop(); end() }}, nil
	case <-ctx.Done():
		defer end()
		if !inv.reply(reply{}) { // it came after all, and nobody will read it
			if r := <-inv.done; r.body != nil {
				_ = r.body.Close() // always nil
			}
		}
		return "", nil, context.Cause(ctx)
	}
}

// grace is how much longer than the function is told a test waits for it: on a machine
// that is busy with other things it may be late by no fault of its own.
const grace = 5 * time.Second

// closer is an answer's body, and what ends with it.
type closer struct {
	*io.PipeReader
	ctx context.Context
	end func()
}

// Read implements io.Reader.
func (c closer) Read(p []byte) (int, error) {
	n, err := c.PipeReader.Read(p)
	if errors.Is(err, io.ErrClosedPipe) && c.ctx.Err() != nil {
		err = context.Cause(c.ctx)
	}
	return n, err
}

// Close implements io.Closer.
func (c closer) Close() error {
	c.end()
	return c.PipeReader.Close()
}

func (a *RuntimeAPI) next(w http.ResponseWriter, r *http.Request) {
	a.polled.Do(func() { close(a.ready) })
	select {
	case inv := <-a.queue:
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Lambda-Runtime-Aws-Request-Id", inv.id)
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(a.timeout).UnixMilli(), 10))
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
	defer w.WriteHeader(http.StatusAccepted)
	if r.PathValue("outcome") == "error" {
		report, err := io.ReadAll(r.Body)
		inv.reply(reply{err: errors.Join(&FunctionError{Payload: string(report)}, err)})
		return
	}
	from, body := io.Pipe()
	if !inv.reply(reply{contentType: r.Header.Get("Content-Type"), body: from}) {
		return
	}
	_, err := io.Copy(body, r.Body)
	// An answer that breaks off says so in its trailers.
	if broken := r.Trailer.Get("Lambda-Runtime-Function-Error-Type"); broken != "" {
		report, decodeErr := base64.StdEncoding.DecodeString(r.Trailer.Get("Lambda-Runtime-Function-Error-Body"))
		err = errors.Join(err, decodeErr, &FunctionError{Payload: broken + " " + string(report)})
	}
	_ = body.CloseWithError(err) // always nil
}

// reply answers an invocation, and says whether it was the first to.
func (inv *invocation) reply(r reply) bool {
	select {
	case inv.done <- r:
		return true
	default:
		return false
	}
}
