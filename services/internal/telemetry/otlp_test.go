package telemetry_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"

	"spillway.example/services/internal/telemetry"
	"spillway.example/services/internal/telemetry/telemetrytest"
)

// environment gives variables as main's environment does.
func environment(pairs ...string) func(string) string {
	return func(name string) string {
		for _, p := range pairs {
			if v, ok := strings.CutPrefix(p, name+"="); ok {
				return v
			}
		}
		return ""
	}
}

func TestOTLP(t *testing.T) {
	t.Parallel()
	for _, compression := range []string{"none", "gzip"} {
		for _, temporality := range []string{"cumulative", "delta", "lowmemory"} {
			c := telemetrytest.NewCollector(t)
			s := start(t, telemetry.Config{Getenv: environment("OTEL_EXPORTER_OTLP_ENDPOINT="+c.URL,
				"OTEL_EXPORTER_OTLP_COMPRESSION="+compression, "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE="+temporality)})
			for range 3 {
				s.get("/items/forty-two")
			}
			s.get("/items/broken")
			s.get("/panic")
			s.get("/nowhere/forty-two")
			s.get("/healthz")
			s.Shutdown(t.Context())
			checkSpans(t, c.Spans())
			checkMetrics(t, c.Metrics(), temporality)
			if strings.Contains(string(c.Raw()), "forty-two") {
				t.Error("the collector was sent a path")
			}
		}
	}
}

func checkSpans(t *testing.T, spans []telemetrytest.Span) {
	t.Helper()
	names := map[string]int{}
	for _, s := range spans {
		names[s.Name]++
		if s.Service != "accounts" || s.Kind.String() != "SPAN_KIND_SERVER" {
			t.Errorf("the span %s is of %s, kind %s", s.Name, s.Service, s.Kind)
		}
		if failed := s.Status.GetCode().String() == "STATUS_CODE_ERROR"; failed != strings.Contains(s.Attribute("http.response.status_code"), "500") {
			t.Errorf("the span %s with status %s: failed %v", s.Name, s.Attribute("http.response.status_code"), failed)
		}
	}
	if len(names) != 3 || names["GET /items/{id}"] != 4 || names["GET /panic"] != 1 || names["GET"] != 1 {
		t.Errorf("spans: %v", names)
	}
}

func checkMetrics(t *testing.T, metrics map[string]*metricspb.Metric, temporality string) {
	t.Helper()
	duration := metrics["http.server.request.duration"].GetHistogram()
	got := map[string]uint64{}
	for _, p := range duration.GetDataPoints() {
		key := ""
		for _, kv := range p.Attributes {
			key += kv.Key + "=" + kv.Value.GetStringValue() + fmt.Sprint(kv.Value.GetIntValue()) + " "
		}
		got[key] = p.Count
		if p.GetSum() <= 0 || p.GetMax() < p.GetMin() || len(p.BucketCounts) != len(p.ExplicitBounds)+1 || p.TimeUnixNano < p.StartTimeUnixNano {
			t.Errorf("the point %v", p)
		}
	}
	const ok = "http.request.method=GET0 http.response.status_code=204 http.route=/items/{id}0 spillway.door=http0 spillway.operation=item0 "
	if len(got) != 4 || got[ok] != 3 {
		t.Errorf("durations: %v", got)
	}
	if delta := duration.GetAggregationTemporality() == metricspb.AggregationTemporality_AGGREGATION_TEMPORALITY_DELTA; delta != (temporality != "cumulative") {
		t.Errorf("%s: %v", temporality, duration.GetAggregationTemporality())
	}
	if p := metrics["http.server.active_requests"].GetSum().GetDataPoints(); len(p) != 1 || p[0].GetAsInt() != 0 {
		t.Errorf("active requests: %v", p)
	}
	if p := metrics["spillway.events"].GetSum().GetDataPoints(); len(p) != 1 || p[0].GetAsInt() != 1 {
		t.Errorf("events: %v", p)
	}
}

// Nothing is sent unless the standard variables say so.
func TestOTLPIsOff(t *testing.T) {
	t.Parallel()
	c := telemetrytest.NewCollector(t)
	endpoint := "OTEL_EXPORTER_OTLP_ENDPOINT=" + c.URL
	for _, variables := range [][]string{
		nil, {endpoint, "OTEL_SDK_DISABLED=true"}, {endpoint, "OTEL_TRACES_EXPORTER=none", "OTEL_METRICS_EXPORTER=none"},
	} {
		s := start(t, telemetry.Config{Getenv: environment(variables...)})
		s.get("/items/1")
		s.Shutdown(t.Context())
		if len(c.Raw()) > 0 {
			t.Errorf("%v: %d bytes were sent", variables, len(c.Raw()))
		}
	}
	s := start(t, telemetry.Config{Getenv: environment("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=" + c.URL + "/v1/traces")})
	s.get("/items/1")
	s.Shutdown(t.Context())
	if len(c.Spans()) != 1 || len(c.Metrics()) != 0 {
		t.Errorf("with an endpoint for traces alone: %d spans, %d metrics", len(c.Spans()), len(c.Metrics()))
	}
}

func TestWrongVariables(t *testing.T) {
	t.Parallel()
	const endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318"
	for _, variables := range [][]string{
		{"OTEL_EXPORTER_OTLP_ENDPOINT=hunter2:4318"}, {"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=hunter2"}, {"OTEL_TRACES_EXPORTER=hunter2"},
		{"OTEL_EXPORTER_OTLP_PROTOCOL=grpc", endpoint}, {"OTEL_EXPORTER_OTLP_TRACES_TIMEOUT=hunter2", endpoint},
		{"OTEL_EXPORTER_OTLP_COMPRESSION=hunter2", endpoint}, {"OTEL_EXPORTER_OTLP_HEADERS=hunter2", endpoint},
		{"OTEL_EXPORTER_OTLP_CERTIFICATE=/no/such/file", endpoint}, {"OTEL_EXPORTER_OTLP_CLIENT_KEY=hunter2", endpoint},
		{"OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=hunter2", endpoint},
	} {
		_, err := telemetry.Start(telemetry.Config{Getenv: environment(variables...)})
		name, _, _ := strings.Cut(variables[0], "=")
		if err == nil || !strings.Contains(err.Error(), name+":") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%v: %v", variables, err)
		}
	}
}

// A collector that is away, hangs, refuses or sends one elsewhere harms nobody: requests
// are answered, the log has one line for each signal, and nothing is piled up.
func TestCollectorAway(t *testing.T) {
	t.Parallel()
	hang := make(chan struct{})
	hanging := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hang }))
	defer hanging.Close()
	defer close(hang)
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }))
	defer refusing.Close()
	elsewhere := httptest.NewServer(http.RedirectHandler(refusing.URL, http.StatusTemporaryRedirect))
	defer elsewhere.Close()
	for name, url := range map[string]string{
		"away": "http://127.0.0.1:1", "hangs": hanging.URL, "refuses": refusing.URL, "redirects": elsewhere.URL,
	} {
		s := start(t, telemetry.Config{EMF: true, Lambda: true, Getenv: environment(
			"OTEL_EXPORTER_OTLP_ENDPOINT="+url, "OTEL_EXPORTER_OTLP_HEADERS=api-key=hunter2%20x", "OTEL_EXPORTER_OTLP_TIMEOUT=100")})
		const requests = 1500
		before := heap()
		for range requests {
			s.get("/items/1")
			s.Flush(t.Context())
		}
		if grown := heap() - before; grown > 8<<20 {
			t.Errorf("%s: the heap has grown by %d bytes", name, grown)
		}
		s.Shutdown(t.Context())
		log := s.out.String()
		if n := strings.Count(log, `"level":"WARN"`); n != 2 || !strings.Contains(log, `"signal":"traces"`) || !strings.Contains(log, `"signal":"metrics"`) {
			t.Errorf("%s: %d warnings", name, n)
		}
		if strings.Contains(log, "hunter2") {
			t.Errorf("%s: the log tells the collector's key", name)
		}
		if n, _ := telemetrytest.Total(telemetrytest.Lines(t, log), "item", "Requests"); n != requests {
			t.Errorf("%s: %v requests were counted", name, n)
		}
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// Where a request belongs to a trace by its headers, its span continues it, or, of a
// header that names no span, takes the trace's id; without tracing too the lines of the
// log have that id.
func TestPropagation(t *testing.T) {
	t.Parallel()
	const trace, span = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	const root = "Root=1-0af76519-16cd43dd8448eb211c80319c"
	for _, tt := range []struct {
		name                string
		header              http.Header
		wantTrace, wantSpan string
		dropped             bool
	}{
		{"W3C", http.Header{"Traceparent": {"00-" + trace + "-" + span + "-01"}}, trace, span, false},
		{"W3C, not sampled", http.Header{"Traceparent": {"00-" + trace + "-" + span + "-00"}}, trace, span, true},
		{"X-Ray", http.Header{"X-Amzn-Trace-Id": {root + ";Parent=" + span + ";Sampled=1"}}, trace, span, false},
		{"X-Ray, not sampled", http.Header{"X-Amzn-Trace-Id": {root + ";Parent=" + span + ";Sampled=0"}}, trace, span, true},
		{"a load balancer", http.Header{"X-Amzn-Trace-Id": {root}}, trace, "", false},
		{"a load balancer behind another", http.Header{"X-Amzn-Trace-Id": {"Self=1-67891234-12456789abcdef012345678a;" + root}}, trace, "", false},
		{"both", http.Header{"Traceparent": {"00-" + trace + "-" + span + "-01"}, "X-Amzn-Trace-Id": {"Root=1-67891234-12456789abcdef012345678a"}}, trace, span, false},
		{"nothing", nil, "", "", false},
		{"nonsense", http.Header{"Traceparent": {"00-x"}, "X-Amzn-Trace-Id": {"Root=1-x-y"}}, "", "", false},
		{"zeros", http.Header{"X-Amzn-Trace-Id": {"Root=1-00000000-000000000000000000000000"}}, "", "", false},
		{"endless", http.Header{"X-Amzn-Trace-Id": {root + ";" + strings.Repeat("x", 4096)}}, "", "", false},
	} {
		c := telemetrytest.NewCollector(t)
		on := start(t, telemetry.Config{Getenv: environment("OTEL_EXPORTER_OTLP_ENDPOINT=" + c.URL)})
		off := start(t, telemetry.Config{})
		for _, s := range []*service{on, off} {
			r := httptest.NewRequest(http.MethodGet, "/items/1", nil)
			r.Header = tt.header.Clone()
			s.handler.ServeHTTP(httptest.NewRecorder(), r)
			s.Shutdown(t.Context())
			if has := strings.Contains(s.out.String(), `"trace_id":"`+trace+`"`); has != (tt.wantTrace != "") {
				t.Errorf("%s: the line is %s", tt.name, s.out)
			}
		}
		spans := c.Spans()
		if tt.dropped != (len(spans) == 0) {
			t.Errorf("%s: %d spans", tt.name, len(spans))
			continue
		}
		for _, s := range spans {
			got, parent := fmt.Sprintf("%x", s.TraceId), fmt.Sprintf("%x", s.ParentSpanId)
			if tt.wantTrace != "" && got != tt.wantTrace || parent != tt.wantSpan || slices.Equal(s.TraceId, make([]byte, 16)) {
				t.Errorf("%s: the span is of the trace %s under %q", tt.name, got, parent)
			}
		}
	}
}

// What is asked of others continues the trace by both headers; without tracing it passes
// on what came in.
func TestInject(t *testing.T) {
	t.Parallel()
	const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	const root = "Root=1-0af76519-16cd43dd8448eb211c80319c"
	for _, tt := range []struct{ in, name, traceparent, xray string }{
		{traceparent, "Traceparent", traceparent, root + ";Parent=b7ad6b7169203331;Sampled=1"},
		{root, "X-Amzn-Trace-Id", "", root},
		{"", "X", "", ""},
	} {
		s := start(t, telemetry.Config{})
		var asked http.Header
		h := s.Handler(func(_ *telemetry.Writer, r *http.Request) {
			asked = http.Header{}
			telemetry.Inject(r.Context(), asked)
		}, nil)
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set(tt.name, tt.in)
		r.Header.Set("Baggage", "user=alice")
		h.ServeHTTP(httptest.NewRecorder(), r)
		if asked.Get("Traceparent") != tt.traceparent || asked.Get("X-Amzn-Trace-Id") != tt.xray || asked.Get("Baggage") != "" {
			t.Errorf("%q: asked with %v", tt.in, asked)
		}
	}
}

// An invocation's own header is continued where Lambda traces too, and elsewhere gives
// its id.
func TestInvocationTrace(t *testing.T) {
	t.Parallel()
	const root = "Root=1-0af76519-16cd43dd8448eb211c80319c;Parent=b7ad6b7169203331;Sampled="
	for sampled, parent := range map[string]string{"1": "b7ad6b7169203331", "0": ""} {
		c := telemetrytest.NewCollector(t)
		s := start(t, telemetry.Config{Lambda: true, Getenv: environment("OTEL_EXPORTER_OTLP_ENDPOINT=" + c.URL)})
		s.traceHeader = root + sampled
		s.invoke(t, "x", "/items/1", time.Second)
		s.Flush(t.Context())
		spans := c.Spans()
		if len(spans) != 1 || fmt.Sprintf("%x", spans[0].TraceId) != "0af7651916cd43dd8448eb211c80319c" || fmt.Sprintf("%x", spans[0].ParentSpanId) != parent {
			t.Errorf("Sampled=%s: %v", sampled, spans)
		}
		if !strings.Contains(spans[0].Attribute("faas.coldstart"), "true") || !strings.Contains(spans[0].Attribute("spillway.door"), "alb") {
			t.Errorf("the span says %v", spans[0].Attributes)
		}
	}
}
