package telemetry

import (
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
)

// resourceMetrics turns what the SDK collected into its form on the wire, for the kinds
// of instruments that there are here.
func resourceMetrics(rm *metricdata.ResourceMetrics) *metricspb.ResourceMetrics {
	out := &metricspb.ResourceMetrics{
		Resource:  &resourcepb.Resource{Attributes: attributes(rm.Resource.Set())},
		SchemaUrl: rm.Resource.SchemaURL(),
	}
	for _, sm := range rm.ScopeMetrics {
		scoped := &metricspb.ScopeMetrics{Scope: &commonpb.InstrumentationScope{Name: sm.Scope.Name, Version: sm.Scope.Version}}
		for _, m := range sm.Metrics {
			one := &metricspb.Metric{Name: m.Name, Description: m.Description, Unit: m.Unit}
			switch data := m.Data.(type) {
			case metricdata.Histogram[float64]:
				one.Data = histogramData(data)
			case metricdata.Sum[int64]:
				one.Data = sumData(data)
			default:
				continue // no instrument here makes it; the test of the wire would miss its metric
			}
			scoped.Metrics = append(scoped.Metrics, one)
		}
		out.ScopeMetrics = append(out.ScopeMetrics, scoped)
	}
	return out
}

func histogramData(h metricdata.Histogram[float64]) *metricspb.Metric_Histogram {
	out := &metricspb.Histogram{AggregationTemporality: temporalityOf(h.Temporality)}
	for _, p := range h.DataPoints {
		point := &metricspb.HistogramDataPoint{
			Attributes: attributes(&p.Attributes), StartTimeUnixNano: nanoseconds(p.StartTime), TimeUnixNano: nanoseconds(p.Time),
			Count: p.Count, Sum: &p.Sum, BucketCounts: p.BucketCounts, ExplicitBounds: p.Bounds,
		}
		if least, ok := p.Min.Value(); ok {
			point.Min = &least
		}
		if most, ok := p.Max.Value(); ok {
			point.Max = &most
		}
		out.DataPoints = append(out.DataPoints, point)
	}
	return &metricspb.Metric_Histogram{Histogram: out}
}

func sumData(s metricdata.Sum[int64]) *metricspb.Metric_Sum {
	out := &metricspb.Sum{AggregationTemporality: temporalityOf(s.Temporality), IsMonotonic: s.IsMonotonic}
	for _, p := range s.DataPoints {
		out.DataPoints = append(out.DataPoints, &metricspb.NumberDataPoint{
			Attributes: attributes(&p.Attributes), StartTimeUnixNano: nanoseconds(p.StartTime), TimeUnixNano: nanoseconds(p.Time),
			Value: &metricspb.NumberDataPoint_AsInt{AsInt: p.Value},
		})
	}
	return &metricspb.Metric_Sum{Sum: out}
}

func temporalityOf(t metricdata.Temporality) metricspb.AggregationTemporality {
	if t == metricdata.DeltaTemporality {
		return metricspb.AggregationTemporality_AGGREGATION_TEMPORALITY_DELTA
	}
	return metricspb.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE
}

func nanoseconds(t time.Time) uint64 { return uint64(max(t.UnixNano(), 0)) }

func attributes(set *attribute.Set) []*commonpb.KeyValue {
	out := make([]*commonpb.KeyValue, 0, set.Len())
	for _, kv := range set.ToSlice() {
		v := &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: kv.Value.String()}}
		switch kv.Value.Type() {
		case attribute.INT64:
			v.Value = &commonpb.AnyValue_IntValue{IntValue: kv.Value.AsInt64()}
		case attribute.BOOL:
			v.Value = &commonpb.AnyValue_BoolValue{BoolValue: kv.Value.AsBool()}
		}
		out = append(out, &commonpb.KeyValue{Key: string(kv.Key), Value: v})
	}
	return out
}
