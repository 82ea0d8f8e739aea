package telemetry

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"regexp"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"go.opentelemetry.io/otel/trace"

	"spillway.example/frontdoor"
)

// The operations of requests that no operation of the API took.
const (
	operationOther     = "other"     // pages, documents and keys
	operationUnmatched = "unmatched" // nothing is at the path, or takes the method
)

// Request is all that is recorded of one request: the log line, the metrics and the
// span are made of it. Every member but the numbers is from a closed list.
type Request struct {
	Operation string // the API's name for it
	Method    string // `_OTHER` for one that HTTP does not know
	Route     string // the pattern that it matched, "" for none
	Status    int    // of HTTP; for an RPC, what its code is over HTTP
	Door      string // a [frontdoor.Door]
	Duration  time.Duration
	Bytes     int64 // of the answer's body
	ColdStart bool  // whether a function's environment was started for it
	Probe     bool  // a health check, which is neither counted nor traced
}

// Failed says whether the service, not the client, is to blame.
func (r Request) Failed() bool { return r.Status >= http.StatusInternalServerError }

// call is a request under way.
type call struct {
	ctx        context.Context //nolint:containedctx // whoever gives the request up has another
	began      time.Time
	span       trace.Span
	invocation string

	mu       sync.Mutex // a handler that has not ended in time still writes
	request  Request
	recorded bool
}

type callKey struct{}

func callOf(ctx context.Context) (*call, bool) {
	c, ok := ctx.Value(callKey{}).(*call)
	return c, ok
}

func (c *call) set(change func(*Request)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(&c.request)
}

// SetOperation says which operation the request of a context is, from the API's closed
// list, and the route that it came by.
func SetOperation(ctx context.Context, operation, route string) {
	if c, ok := callOf(ctx); ok {
		c.set(func(r *Request) { r.Operation, r.Route = operation, route })
	}
}

// SetRoute says that the request of a context is of no operation but came by a route.
func SetRoute(ctx context.Context, route string) { SetOperation(ctx, operationOther, route) }

// SetStatus says what the answer to a context's request means in HTTP's terms, where its
// own status does not tell: the answer to a failed gRPC call is 200.
func SetStatus(ctx context.Context, status int) {
	if c, ok := callOf(ctx); ok {
		c.set(func(r *Request) { r.Status = status })
	}
}

// Handler serves requests with next, which may see what was written already, and records
// each once. Their contexts have a request id, and answers name it. isProbe tells health
// checks by their path; it may be nil.
func (t *Telemetry) Handler(next func(*Writer, *http.Request), isProbe func(path string) bool) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		ctx, c := t.begin(r, isProbe != nil && isProbe(r.URL.Path))
		w := &Writer{ResponseWriter: rw}
		w.Header().Set("X-Request-Id", RequestID(ctx))
		panicked := true
		defer func() {
			status := w.Status()
			if panicked {
				status = http.StatusInternalServerError
			}
			t.end(c, status, w.bytes)
		}()
		next(w, r.WithContext(ctx))
		panicked = false
	})
}

// begin gives the context that a request is served with.
func (t *Telemetry) begin(r *http.Request, probe bool) (context.Context, *call) {
	ctx := context.WithValue(continued(r), requestIDKey{}, requestID(r))
	c := &call{began: time.Now(), span: trace.SpanFromContext(ctx), request: Request{
		Operation: operationUnmatched, Method: knownMethod(r.Method), Door: frontdoor.DoorOf(ctx).String(),
		ColdStart: t.cold.Swap(false), Probe: probe,
	}}
	ctx = context.WithValue(ctx, callKey{}, c)
	if !probe {
		ctx, c.span = t.tracer.Start(ctx, c.request.Method, trace.WithSpanKind(trace.SpanKindServer), trace.WithTimestamp(c.began))
		t.load.begin()
		t.otlp.active(1)
	}
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		c.invocation = lc.AwsRequestID
		t.invocations.Store(c.invocation, c)
	}
	c.ctx = ctx
	return ctx, c
}

// end records a request that was answered, unless that was done.
func (t *Telemetry) end(c *call, status int, bytes int64) {
	if c.invocation != "" {
		t.invocations.Delete(c.invocation)
	}
	c.mu.Lock()
	if c.recorded {
		c.mu.Unlock()
		return
	}
	c.recorded = true
	r := c.request
	c.mu.Unlock()
	r.Duration, r.Bytes = time.Since(c.began), bytes
	if r.Status == 0 {
		r.Status = status
	}
	if !r.Probe {
		t.load.end()
		t.otlp.active(-1)
	}
	t.record(c.ctx, r, c.span)
}

// TimedOut records the request of a context as one that frontdoor answered with 504
// because its handler had not ended: frontdoor.Options.OnTimeout.
func (t *Telemetry) TimedOut(ctx context.Context) {
	lc, ok := lambdacontext.FromContext(ctx)
	if !ok {
		return
	}
	if c, ok := t.invocations.Load(lc.AwsRequestID); ok {
		c := c.(*call) //nolint:forcetypeassert // the map holds nothing else
		c.set(func(r *Request) { r.Status = http.StatusGatewayTimeout })
		t.end(c, http.StatusGatewayTimeout, 0)
	}
}

// record is the one place that lines, metrics and spans of requests come from.
func (t *Telemetry) record(ctx context.Context, r Request, span trace.Span) {
	level := slog.LevelInfo
	if r.Probe {
		level = slog.LevelDebug // asked every few seconds
	}
	attrs := [...]slog.Attr{
		slog.String("operation", r.Operation),
		slog.String("method", r.Method),
		slog.String("route", r.Route), // never the path, which anybody may fill with anything
		slog.Int("status", r.Status),
		slog.Float64("duration_ms", milliseconds(r.Duration)),
		slog.Int64("bytes", r.Bytes),
		slog.String("door", r.Door),
		slog.Bool("cold_start", true),
	}
	n := len(attrs)
	if !r.ColdStart {
		n--
	}
	t.log.LogAttrs(ctx, level, "request", attrs[:n]...)
	t.emf.record(r)
	t.otlp.record(ctx, r)
	if !r.Probe {
		endSpan(span, r)
	}
}

var saneID = regexp.MustCompile(`^[A-Za-z0-9._=+/:-]{1,128}$`)

// requestID takes the caller's id for the request if it is fit for a log, or makes one.
func requestID(r *http.Request) string {
	if id := r.Header.Get("X-Request-Id"); saneID.MatchString(id) {
		return id
	}
	return rand.Text()
}

// knownMethod gives a method of RFC 9110 or RFC 5789 as it is, and any other the name
// that OpenTelemetry has for all of them.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
		http.MethodDelete, http.MethodConnect, http.MethodOptions, http.MethodTrace:
		return method
	}
	return "_OTHER"
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
