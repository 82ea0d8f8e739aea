package telemetry

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
)

// scope names the instrumentation in traces and metrics.
const scope = "spillway.example/services"

// newTracing makes a provider that sends spans in batches, in the background. Its queue
// is bounded: what is over it is dropped. Sampling and sizes are as OTEL_TRACES_SAMPLER,
// OTEL_BSP_… and OTEL_SPAN_… say, which the SDK reads.
func newTracing(s *sender, r *resource.Resource) *sdktrace.TracerProvider {
	return sdktrace.NewTracerProvider(
		sdktrace.WithResource(r), sdktrace.WithIDGenerator(rootIDs{}),
		sdktrace.WithBatcher(otlptrace.NewUnstarted(spanClient{s})),
	)
}

// spanClient gives the SDK's exporter a way to send.
type spanClient struct{ *sender }

var _ otlptrace.Client = spanClient{}

// Start implements otlptrace.Client.
func (spanClient) Start(context.Context) error { return nil }

// Stop implements otlptrace.Client.
func (c spanClient) Stop(context.Context) error {
	c.client.CloseIdleConnections()
	return nil
}

// UploadTraces implements otlptrace.Client. TracesData is, on the wire, the request that
// collectors take.
func (c spanClient) UploadTraces(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	c.send(ctx, &tracepb.TracesData{ResourceSpans: spans})
	return nil
}

// endSpan ends a server's span with what was recorded of its request (OpenTelemetry,
// "Semantic conventions for HTTP spans", less the members that may be personal: path,
// query, addresses and user agent).
func endSpan(span trace.Span, r Request) {
	if span.IsRecording() {
		if r.Route != "" {
			span.SetName(r.Route)
		}
		span.SetAttributes(
			attribute.String("http.request.method", r.Method),
			attribute.Int("http.response.status_code", r.Status),
			attribute.String("spillway.operation", r.Operation),
			attribute.String("spillway.door", r.Door),
		)
		if r.Route != "" {
			span.SetAttributes(attribute.String("http.route", route(r.Route)))
		}
		if r.ColdStart {
			span.SetAttributes(attribute.Bool("faas.coldstart", true))
		}
		if r.Failed() {
			span.SetStatus(codes.Error, "")
		}
	}
	span.End()
}

// Call is a question to another service, as a span of the trace that its context
// belongs to.
type Call struct{ span trace.Span }

// StartCall begins a question: system is the kind of it, service and method what is
// asked, all three from the programs' text (OpenTelemetry, "Semantic conventions for RPC
// spans").
func (t *Telemetry) StartCall(ctx context.Context, system, service, method string) (context.Context, Call) {
	ctx, span := t.tracing().Start(ctx, service+"/"+method, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		attribute.String("rpc.system.name", system), attribute.String("rpc.method", service+"/"+method),
	))
	return ctx, Call{span}
}

// End ends the question. failure is the code that it failed with, "" where it did not:
// never an error's text, in which what was asked for may be repeated.
func (c Call) End(failure string) {
	if failure != "" {
		c.span.SetAttributes(attribute.String("error.type", failure))
		c.span.SetStatus(codes.Error, "")
	}
	c.span.End()
}
