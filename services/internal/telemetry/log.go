package telemetry

import (
	"context"
	"io"
	"log/slog"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

// NewLogger makes the logger of a service. A line made with a request's context has
// its `request_id`, the `trace_id` where the request belongs to a trace and, under
// Lambda, the invocation's `invocation_id`.
func NewLogger(w io.Writer, level slog.Leveler, service string) *slog.Logger {
	h := slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level})
	return slog.New(WithIDs(h)).With("service", service)
}

// WithIDs has a handler add the ids of the request, its trace and the invocation to its
// lines.
func WithIDs(h slog.Handler) slog.Handler { return withIDs{h} }

type requestIDKey struct{}

// RequestID gives the request id of a context, or "".
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

type withIDs struct{ slog.Handler }

func (h withIDs) Handle(ctx context.Context, r slog.Record) error {
	if id := RequestID(ctx); id != "" {
		r.AddAttrs(slog.String("request_id", id))
	}
	if id := traceID(ctx); id.IsValid() {
		r.AddAttrs(slog.String("trace_id", id.String()))
	}
	if lc, ok := lambdacontext.FromContext(ctx); ok && lc.AwsRequestID != "" {
		r.AddAttrs(slog.String("invocation_id", lc.AwsRequestID))
	}
	return h.Handler.Handle(ctx, r)
}

func (h withIDs) WithAttrs(attrs []slog.Attr) slog.Handler {
	return withIDs{h.Handler.WithAttrs(attrs)}
}

func (h withIDs) WithGroup(name string) slog.Handler { return withIDs{h.Handler.WithGroup(name)} }
