package telemetry

import (
	"context"
	"strings"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/exemplar"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
)

// meters are the OpenTelemetry metrics (OpenTelemetry, "Semantic conventions for HTTP
// metrics" and "FaaS metrics"). A nil *meters records nothing.
type meters struct {
	provider *sdkmetric.MeterProvider
	duration metric.Float64Histogram
	inFlight metric.Int64UpDownCounter
	events   metric.Int64Counter
	sets     sync.Map // Request's labels → their options, which cost more to make than to use
}

// newMeters makes the metrics. They are sent at OTEL_METRIC_EXPORT_INTERVAL, a minute
// where it is not set.
func newMeters(s *sender, r *resource.Resource, temporality sdkmetric.TemporalitySelector) (*meters, error) {
	m := &meters{provider: sdkmetric.NewMeterProvider(
		sdkmetric.WithResource(r), sdkmetric.WithExemplarFilter(exemplar.AlwaysOffFilter),
		sdkmetric.WithReader(sdkmetric.NewPeriodicReader(metricExporter{s, temporality})),
	)}
	meter := m.provider.Meter(scope)
	var err error
	if m.duration, err = meter.Float64Histogram("http.server.request.duration", metric.WithUnit("s"),
		metric.WithDescription("Duration of requests"),
		metric.WithExplicitBucketBoundaries(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)); err != nil {
		return nil, err
	}
	if m.inFlight, err = meter.Int64UpDownCounter("http.server.active_requests", metric.WithUnit("{request}"),
		metric.WithDescription("Requests at work")); err != nil {
		return nil, err
	}
	m.events, err = meter.Int64Counter("spillway.events", metric.WithUnit("{event}"),
		metric.WithDescription("Cold starts, drains and other events of the service itself"))
	return m, err
}

// labels are what the duration is broken down by.
type labels struct {
	operation, method, route, door string
	status                         int
}

func (m *meters) record(ctx context.Context, r Request) {
	if m == nil {
		return
	}
	if r.ColdStart {
		m.count(ctx, "ColdStarts")
	}
	if r.Probe {
		return
	}
	l := labels{r.Operation, r.Method, r.Route, r.Door, r.Status}
	set, ok := m.sets.Load(l)
	if !ok {
		attrs := []attribute.KeyValue{
			attribute.String("http.request.method", l.method), attribute.Int("http.response.status_code", l.status),
			attribute.String("spillway.operation", l.operation), attribute.String("spillway.door", l.door),
		}
		if l.route != "" {
			attrs = append(attrs, attribute.String("http.route", route(l.route)))
		}
		set, _ = m.sets.LoadOrStore(l, []metric.RecordOption{metric.WithAttributeSet(attribute.NewSet(attrs...))})
	}
	m.duration.Record(ctx, r.Duration.Seconds(), set.([]metric.RecordOption)...) //nolint:forcetypeassert // the map holds nothing else
}

func (m *meters) active(n int64) {
	if m != nil {
		m.inFlight.Add(context.Background(), n)
	}
}

func (m *meters) count(ctx context.Context, event string) {
	if m != nil {
		m.events.Add(ctx, 1, metric.WithAttributes(attribute.String("spillway.event", event)))
	}
}

// route takes the method off a pattern.
func route(pattern string) string {
	if _, path, ok := strings.Cut(pattern, " "); ok {
		return path
	}
	return pattern
}

// metricExporter sends what the SDK has collected.
type metricExporter struct {
	*sender
	temporality sdkmetric.TemporalitySelector
}

var _ sdkmetric.Exporter = metricExporter{}

// Temporality implements sdkmetric.Exporter.
func (e metricExporter) Temporality(k sdkmetric.InstrumentKind) metricdata.Temporality {
	return e.temporality(k)
}

// Aggregation implements sdkmetric.Exporter.
func (metricExporter) Aggregation(k sdkmetric.InstrumentKind) sdkmetric.Aggregation {
	return sdkmetric.DefaultAggregationSelector(k)
}

// Export implements sdkmetric.Exporter. MetricsData is, on the wire, the request that
// collectors take.
func (e metricExporter) Export(ctx context.Context, rm *metricdata.ResourceMetrics) error {
	if len(rm.ScopeMetrics) > 0 {
		e.send(ctx, &metricspb.MetricsData{ResourceMetrics: []*metricspb.ResourceMetrics{resourceMetrics(rm)}})
	}
	return nil
}

// ForceFlush implements sdkmetric.Exporter.
func (metricExporter) ForceFlush(context.Context) error { return nil }

// Shutdown implements sdkmetric.Exporter.
func (e metricExporter) Shutdown(context.Context) error {
	e.client.CloseIdleConnections()
	return nil
}
