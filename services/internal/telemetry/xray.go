package telemetry

import (
	"context"
	"crypto/rand"
	"strings"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// xrayHeader is AWS's header for the trace that a request belongs to (AWS X-Ray
// Developer Guide, "Tracing header"). OpenTelemetry's own module for it is deprecated and
// drops the form that load balancers send, which names a trace and no parent in it.
const xrayHeader = "X-Amzn-Trace-Id"

// xray propagates traces by [xrayHeader].
type xray struct{}

var _ propagation.TextMapPropagator = xray{}

// Extract implements propagation.TextMapPropagator. A header without a parent continues
// no span, but a trace begun for the request takes its id: [rootIDs].
func (xray) Extract(ctx context.Context, c propagation.TextMapCarrier) context.Context {
	h, ok := parseXRay(c.Get(xrayHeader))
	switch {
	case !ok:
		return ctx
	case h.SpanID.IsValid():
		return trace.ContextWithRemoteSpanContext(ctx, trace.NewSpanContext(h))
	default:
		return context.WithValue(ctx, rootKey{}, h.TraceID)
	}
}

// Inject implements propagation.TextMapPropagator.
func (xray) Inject(ctx context.Context, c propagation.TextMapCarrier) {
	id := traceID(ctx)
	if !id.IsValid() {
		return
	}
	hex := id.String()
	value := "Root=1-" + hex[:8] + "-" + hex[8:]
	if sc := trace.SpanContextFromContext(ctx); sc.IsValid() {
		sampled := "0"
		if sc.IsSampled() {
			sampled = "1"
		}
		value += ";Parent=" + sc.SpanID().String() + ";Sampled=" + sampled
	}
	c.Set(xrayHeader, value)
}

// Fields implements propagation.TextMapPropagator.
func (xray) Fields() []string { return []string{xrayHeader} }

// parseXRay reads a header such as
// Self=1-…;Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1, of
// which only Root must be there.
func parseXRay(header string) (h trace.SpanContextConfig, ok bool) {
	if len(header) > 512 {
		return h, false
	}
	h.Remote = true
	for part := range strings.SplitSeq(header, ";") {
		key, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		var err error
		switch key {
		case "Root":
			version, rest, _ := strings.Cut(value, "-")
			epoch, unique, _ := strings.Cut(rest, "-")
			if version != "1" || len(epoch) != 8 {
				return h, false
			}
			h.TraceID, err = trace.TraceIDFromHex(epoch + unique)
		case "Parent":
			h.SpanID, err = trace.SpanIDFromHex(value)
		case "Sampled":
			if value == "1" {
				h.TraceFlags = trace.FlagsSampled
			}
		}
		if err != nil {
			return h, false
		}
	}
	return h, h.TraceID.IsValid()
}

type rootKey struct{}

// traceID gives the id of the trace that a context belongs to, the zero one for none.
func traceID(ctx context.Context) trace.TraceID {
	if sc := trace.SpanContextFromContext(ctx); sc.HasTraceID() {
		return sc.TraceID()
	}
	id, _ := ctx.Value(rootKey{}).(trace.TraceID)
	return id
}

// rootIDs makes the ids of spans. A trace that begins here takes the id that the load
// balancer gave the request, so that it is found by what the balancer's log says.
type rootIDs struct{}

// NewIDs implements the SDK's IDGenerator.
func (g rootIDs) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	id := traceID(ctx)
	for !id.IsValid() {
		_, _ = rand.Read(id[:]) // never fails
	}
	return id, g.NewSpanID(ctx, id)
}

// NewSpanID implements the SDK's IDGenerator.
func (rootIDs) NewSpanID(context.Context, trace.TraceID) (id trace.SpanID) {
	for !id.IsValid() {
		_, _ = rand.Read(id[:]) // never fails
	}
	return id
}
