// Package telemetrytest is what tests of telemetry need: a collector that keeps what it
// is sent, and a check of lines in CloudWatch's embedded metric format.
package telemetrytest

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// Collector takes OTLP over HTTP, as an OpenTelemetry collector does on port 4318.
type Collector struct {
	URL string

	mu      sync.Mutex
	raw     []byte
	spans   []Span
	metrics []*metricspb.ResourceMetrics
}

// Span is one span, with the name of the service that made it.
type Span struct {
	*tracepb.Span
	Service string
}

// Attribute gives an attribute as text, "" for none.
func (s Span) Attribute(key string) string {
	for _, kv := range s.Attributes {
		if kv.Key == key {
			return kv.Value.String()
		}
	}
	return ""
}

// NewCollector starts a collector on a free port of 127.0.0.1, until the test is over.
func NewCollector(t testing.TB) *Collector {
	t.Helper()
	c := &Collector{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/traces", func(w http.ResponseWriter, r *http.Request) {
		var data tracepb.TracesData
		c.take(t, w, r, &data, func() {
			for _, rs := range data.ResourceSpans {
				service := ""
				for _, kv := range rs.Resource.GetAttributes() {
					if kv.Key == "service.name" {
						service = kv.Value.GetStringValue()
					}
				}
				for _, ss := range rs.ScopeSpans {
					for _, s := range ss.Spans {
						c.spans = append(c.spans, Span{s, service})
					}
				}
			}
		})
	})
	mux.HandleFunc("POST /v1/metrics", func(w http.ResponseWriter, r *http.Request) {
		var data metricspb.MetricsData
		c.take(t, w, r, &data, func() { c.metrics = append(c.metrics, data.ResourceMetrics...) })
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	c.URL = s.URL
	return c
}

func (c *Collector) take(t testing.TB, w http.ResponseWriter, r *http.Request, into proto.Message, keep func()) {
	body, err := io.ReadAll(r.Body)
	if err == nil && r.Header.Get("Content-Encoding") == "gzip" {
		var z *gzip.Reader
		if z, err = gzip.NewReader(bytes.NewReader(body)); err == nil {
			body, err = io.ReadAll(z)
		}
	}
	if err == nil {
		err = proto.Unmarshal(body, into)
	}
	if ct := r.Header.Get("Content-Type"); err != nil || ct != "application/x-protobuf" {
		t.Errorf("the collector cannot read a batch of type %s: %v", ct, err)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.raw = append(c.raw, body...)
	keep()
}

// Raw gives all that was sent, as it was on the wire.
func (c *Collector) Raw() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return bytes.Clone(c.raw)
}

// Spans gives the spans that were sent so far.
func (c *Collector) Spans() []Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Span(nil), c.spans...)
}

// Metrics gives each metric by its name, as it was sent last.
func (c *Collector) Metrics() map[string]*metricspb.Metric {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := map[string]*metricspb.Metric{}
	for _, rm := range c.metrics {
		for _, sm := range rm.ScopeMetrics {
			for _, m := range sm.Metrics {
				all[m.Name] = m
			}
		}
	}
	return all
}
