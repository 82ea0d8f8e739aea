package backend_test

import (
	"context"
	"encoding/hex"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/backend"
	"spillway.example/services/internal/settings"
	"spillway.example/services/internal/telemetry"
	"spillway.example/services/internal/telemetry/telemetrytest"
)

// A call of AWS is a span of its request's trace, which it carries on to AWS; of a failure
// it has the code alone, since Cognito repeats in the text what it was sent.
func TestCallsAreTraced(t *testing.T) {
	const name = "alice-of-the-test"
	var mu sync.Mutex
	var carried []string
	cognito := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		carried = append(carried, r.Header.Get("Traceparent"))
		mu.Unlock()
		if !strings.Contains(r.Header.Get("Authorization"), "traceparent") && r.Header.Get("Authorization") != "" {
			t.Errorf("the trace's header is not among those signed: %s", r.Header.Get("Authorization"))
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"__type":"UserNotFoundException","message":"User `+name+` does not exist"}`)
	}))
	defer cognito.Close()
	inRegion(t, "us-east-1")
	t.Setenv("AWS_ENDPOINT_URL", cognito.URL)
	collector := telemetrytest.NewCollector(t)
	tel, err := telemetry.Start(telemetry.Config{
		Service: "login", Out: io.Discard, Logger: slog.New(slog.DiscardHandler),
		Getenv: func(key string) string {
			return map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": collector.URL}[key]
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	s, err := settings.Parse(settings.Login, []string{"USER_POOL_ID=us-east-1_x", "USER_POOL_CLIENT_ID=client", "USER_POOL_CLIENT_SECRET=shh"})
	if err != nil {
		t.Fatal(err)
	}
	b, err := backend.Open(t.Context(), backend.Config{Settings: s, Logger: slog.New(slog.DiscardHandler), Telemetry: tel})
	if err != nil {
		t.Fatal(err)
	}
	ctx, request := tel.StartCall(t.Context(), "test", "test", "request")
	if _, err := b.Directory.FindUser(ctx, name); account.CodeOf(err) != account.CodeNotFound {
		t.Fatalf("FindUser: %v, want not found", err)
	}
	request.End("")
	tel.Shutdown(context.Background())

	spans := map[string]telemetrytest.Span{}
	for _, s := range collector.Spans() {
		spans[s.Name] = s
	}
	call, parent := spans["Cognito Identity Provider/AdminGetUser"], spans["test/request"]
	if call.Span == nil || parent.Span == nil {
		t.Fatalf("spans %v, want one of the request and one of the call", spans)
	}
	if string(call.ParentSpanId) != string(parent.SpanId) || string(call.TraceId) != string(parent.TraceId) {
		t.Error("the call is not a child of its request")
	}
	if got := call.Attribute("error.type"); !strings.Contains(got, "UserNotFoundException") {
		t.Errorf("error.type is %s", got)
	}
	if strings.Contains(string(collector.Raw()), name) {
		t.Error("a span has the name that was asked for")
	}
	if len(carried) != 1 || !strings.Contains(carried[0], hex.EncodeToString(call.TraceId)) || !strings.Contains(carried[0], hex.EncodeToString(call.SpanId)) {
		t.Errorf("AWS got the trace %q", carried)
	}
}
