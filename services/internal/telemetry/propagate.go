package telemetry

import (
	"context"
	"net/http"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// propagator reads and writes both headers; where a request has both, W3C's holds,
// because only who wrote it knows the span that it continues.
var propagator = propagation.NewCompositeTextMapPropagator(xray{}, propagation.TraceContext{})

// lambdaTraceKey is where aws-lambda-go keeps the invocation's own X-Ray header in its
// context.
const lambdaTraceKey = "x-amzn-trace-id"

// continued gives the request's context with the trace that it continues: the one that
// its headers name or else, under Lambda, the invocation's. Baggage is not taken on: it
// would carry anybody's words to everybody behind us.
func continued(r *http.Request) context.Context {
	ctx := r.Context()
	got := propagator.Extract(ctx, propagation.HeaderCarrier(r.Header))
	invocation, _ := ctx.Value(lambdaTraceKey).(string)
	if invocation == "" {
		return got
	}
	// frontdoor gives a request that came with no header the invocation's.
	if r.Header.Get(xrayHeader) == invocation {
		got = propagation.TraceContext{}.Extract(ctx, propagation.HeaderCarrier(r.Header))
	}
	h, ok := parseXRay(invocation)
	switch {
	case !ok || trace.SpanContextFromContext(got).IsValid():
	case h.SpanID.IsValid() && h.TraceFlags.IsSampled():
		// Active tracing is on: Lambda's own segment is the parent.
		return trace.ContextWithRemoteSpanContext(got, trace.NewSpanContext(h))
	case !traceID(got).IsValid():
		// Elsewhere Lambda writes Sampled=0, which says nothing of what we trace.
		return context.WithValue(got, rootKey{}, h.TraceID)
	}
	return got
}

// Inject writes the headers by which whoever is asked with them continues the trace.
func Inject(ctx context.Context, h http.Header) {
	propagator.Inject(ctx, propagation.HeaderCarrier(h))
}
