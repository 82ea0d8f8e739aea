package frontdoor_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"spillway.example/frontdoor"
	"spillway.example/frontdoor/frontdoortest"
)

var quiet = slog.New(slog.DiscardHandler)

// ours is frontdoor as an adapter.
func ours(h http.Handler) frontdoortest.Invoke {
	return frontdoor.NewInvoker(h, frontdoor.Options{Logger: quiet, DirectPath: frontdoortest.DirectPath}).Invoke
}

// oursStreaming is the same for the doors that stream.
var oursStreaming = streaming(func(h http.Handler) frontdoortest.Invoke {
	invoker := frontdoor.NewInvoker(h, frontdoor.Options{Logger: quiet, Streaming: true})
	return func(ctx context.Context, event []byte) ([]byte, error) {
		stream, err := invoker.Stream(ctx, event)
		if err != nil {
			return nil, err
		}
		return io.ReadAll(stream)
	}
})

// process is frontdoor as an adapter in a process of its own, under a Runtime API.
func process(t *testing.T, env ...string) frontdoortest.Adapter {
	api, _ := start(t, time.Minute, append(env, "FUNCTION=table")...)
	return func(http.Handler) frontdoortest.Invoke { return api.Invoke }
}

// streaming is an adapter for doors that stream, from one whose answers are streams.
func streaming(a frontdoortest.Adapter) frontdoortest.Adapter {
	return func(h http.Handler) frontdoortest.Invoke {
		invoke := a(h)
		return func(ctx context.Context, event []byte) ([]byte, error) {
			stream, err := invoke(ctx, event)
			if err != nil {
				return nil, err
			}
			return frontdoortest.Buffered(stream)
		}
	}
}

// everyWay runs a test with each way that frontdoor answers, and each form that it does.
func everyWay(t *testing.T, test func(t *testing.T, form frontdoortest.Form, a frontdoortest.Adapter)) {
	t.Parallel()
	streams := []frontdoortest.Form{frontdoortest.FunctionURL, frontdoortest.REST}
	for _, way := range []struct {
		name    string
		adapter frontdoortest.Adapter
		forms   []frontdoortest.Form
	}{
		{"in process", ours, frontdoortest.Forms()},
		{"a process", process(t), frontdoortest.Forms()},
		{"a streaming process", streaming(process(t, "STREAMING=1")), streams},
	} {
		for _, form := range way.forms {
			t.Run(way.name+"/"+string(form), func(t *testing.T) { test(t, form, way.adapter) })
		}
	}
}

func TestRequests(t *testing.T) {
	everyWay(t, func(t *testing.T, form frontdoortest.Form, a frontdoortest.Adapter) {
		for _, q := range frontdoortest.Requests() {
			if q.Not[form] != "" {
				continue
			}
			differences, err := frontdoortest.Check(form, q, a)
			if err != nil || len(differences) > 0 {
				t.Errorf("%s: %v %s", q.Name, err, strings.Join(differences, "\n\t"))
			}
		}
	})
}

func TestAnswers(t *testing.T) {
	everyWay(t, func(t *testing.T, form frontdoortest.Form, a frontdoortest.Adapter) {
		for _, row := range frontdoortest.Answers() {
			for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
				differences, err := frontdoortest.CheckAnswer(form, method, row, a)
				if err != nil || len(differences) > 0 {
					t.Errorf("%s %s: %v %s", method, row.Name, err, strings.Join(differences, "\n\t"))
				}
			}
		}
	})
}

func TestTheTableIsLarge(t *testing.T) {
	t.Parallel()
	if n := len(frontdoortest.Requests()); n < 120 {
		t.Errorf("%d requests, want 120", n)
	}
	names := map[string]bool{}
	for _, q := range frontdoortest.Requests() {
		if names[q.Name] {
			t.Errorf("two rows are called %q", q.Name)
		}
		names[q.Name] = true
	}
}
