package frontdoor_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"spillway.example/frontdoor"
	"spillway.example/frontdoor/frontdoortest"
)

// stream has a handler answer through a door that streams, and gives prelude and body.
func stream(t *testing.T, form frontdoortest.Form, method string, h http.HandlerFunc) (prelude map[string]any, body io.Reader) {
	t.Helper()
	event, err := frontdoortest.Event(form, method, "/", "service.example.com", http.Header{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := frontdoor.NewInvoker(h, frontdoor.Options{Streaming: true, Logger: quiet}).Stream(context.Background(), event)
	if err != nil {
		t.Fatal(err)
	}
	if typed, ok := r.(interface{ ContentType() string }); !ok || typed.ContentType() != "application/vnd.awslambda.http-integration-response" {
		t.Errorf("the answer is a %T, of no such content type", r)
	}
	var head bytes.Buffer
	for !bytes.HasSuffix(head.Bytes(), make([]byte, 8)) {
		if _, err := io.CopyN(&head, r, 1); err != nil {
			t.Fatalf("no prelude in %q: %v", head.String(), err)
		}
	}
	if err := json.Unmarshal(bytes.TrimRight(head.Bytes(), "\x00"), &prelude); err != nil {
		t.Fatalf("prelude %q: %v", head.String(), err)
	}
	return prelude, r
}

// What is flushed is there before the handler ends.
func TestStream(t *testing.T) {
	t.Parallel()
	goOn := make(chan struct{})
	prelude, body := stream(t, frontdoortest.FunctionURL, "GET", func(w http.ResponseWriter, _ *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "1"})
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "one\n")
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		<-goOn
		_, _ = io.WriteString(w, "two\n")
	})
	if prelude["statusCode"] != 200.0 || fmt.Sprint(prelude["cookies"]) != "[a=1]" || fmt.Sprint(prelude["headers"]) != "map[Content-Type:text/event-stream]" {
		t.Errorf("prelude: got %v", prelude)
	}
	first := make([]byte, 4)
	if _, err := io.ReadFull(body, first); err != nil || string(first) != "one\n" {
		t.Errorf("before the handler ends: got %q, %v", first, err)
	}
	close(goOn)
	if rest, err := io.ReadAll(body); err != nil || string(rest) != "two\n" {
		t.Errorf("then: got %q, %v", rest, err)
	}
}

func TestStreamRow(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		method string
		h      http.HandlerFunc
		status float64
		body   string
	}{
		"nothing written": {"GET", func(http.ResponseWriter, *http.Request) {}, 200, ""},
		"204":             {"GET", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, 204, ""},
		"a redirect":      {"POST", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/x", http.StatusFound) }, 302, ""},
		"HEAD":            {"HEAD", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "body") }, 200, ""},
		"103, then 201": {"GET", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(103)
			w.WriteHeader(201)
		}, 201, ""},
		"binary":                {"GET", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte{0xff, 0, 0xfe}) }, 200, "\xff\x00\xfe"},
		"a panic before a byte": {"GET", func(http.ResponseWriter, *http.Request) { panic("as asked") }, 500, "{\"title\":\"Internal Server Error\",\"status\":500}\n"},
	} {
		for _, form := range []frontdoortest.Form{frontdoortest.FunctionURL, frontdoortest.REST} {
			prelude, body := stream(t, form, tt.method, tt.h)
			b, err := io.ReadAll(body)
			if prelude["statusCode"] != tt.status || err != nil || string(b) != tt.body {
				t.Errorf("%s through %s: got %v %q, %v", name, form, prelude["statusCode"], b, err)
			}
		}
	}
}

func TestStreamBreaks(t *testing.T) {
	t.Parallel()
	_, body := stream(t, frontdoortest.REST, "GET", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "half")
		_ = http.NewResponseController(w).Flush()
		panic("as asked")
	})
	if b, err := io.ReadAll(body); err == nil || string(b) != "half" {
		t.Errorf("got %q, %v, want half and an error", b, err)
	}
}

// Doors that do not stream answer as ever.
func TestStreamingSettingLeavesOthers(t *testing.T) {
	t.Parallel()
	event, err := frontdoortest.Event(frontdoortest.ALB, "GET", "/", "service.example.com", http.Header{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "whole") })
	r, err := frontdoor.NewInvoker(h, frontdoor.Options{Streaming: true}).Stream(t.Context(), event)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(r); err != nil || !strings.Contains(string(b), `"body":"whole"`) {
		t.Errorf("got %s, %v", b, err)
	}
}

// A handler that does not end in time is a 504, and one that heeds its context answers
// for itself; what either still writes reaches nobody.
func TestDeadline(t *testing.T) {
	t.Parallel()
	event := []byte(`{"requestContext":{"elb":{}},"httpMethod":"GET","path":"/"}`)
	release := make(chan struct{})
	for name, tt := range map[string]struct {
		h    http.HandlerFunc
		want string
	}{
		"stubborn": {func(w http.ResponseWriter, _ *http.Request) {
			<-release
			_, _ = io.WriteString(w, "too late")
		}, `"statusCode":504`},
		"heeding": {func(w http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			w.WriteHeader(http.StatusServiceUnavailable)
		}, `"statusCode":503`},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		out, err := frontdoor.NewInvoker(tt.h, frontdoor.Options{Logger: quiet}).Invoke(ctx, event)
		if err != nil || !strings.Contains(string(out), tt.want) {
			t.Errorf("%s: got %s, %v, want %s", name, out, err, tt.want)
		}
		cancel()
	}
	close(release)
}

func TestTraceID(t *testing.T) {
	t.Parallel()
	const id = "Root=1-5e6b4a90-1234;Parent=0011;Sampled=1"
	ctx := context.WithValue(t.Context(), "x-amzn-trace-id", id) //nolint:staticcheck // aws-lambda-go's own key
	for event, want := range map[string]string{
		`{"requestContext":{"elb":{}},"httpMethod":"GET","path":"/","headers":{"x-amzn-trace-id":"Root=1-5e6b4a90-9876"}}`: "Root=1-5e6b4a90-9876",
		`{"requestContext":{"elb":{}},"httpMethod":"GET","path":"/"}`:                                                      id,
		`{"an":"event"}`: id,
	} {
		h := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if got := r.Header.Values("X-Amzn-Trace-Id"); len(got) != 1 || got[0] != want {
				t.Errorf("got the trace id %q, want %s", got, want)
			}
		})
		if _, err := frontdoor.NewInvoker(h, frontdoor.Options{DirectPath: "/x"}).Invoke(ctx, []byte(event)); err != nil {
			t.Error(err)
		}
	}
}

// One invoker serves many at once, and none sees a byte of another's.
func TestConcurrently(t *testing.T) {
	t.Parallel()
	invoker := frontdoor.NewInvoker(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Path", r.URL.Path)
		_, _ = io.Copy(w, r.Body)
		go func() { _, _ = io.WriteString(w, "late") }() // a handler that does not keep the rules
	}), frontdoor.Options{Logger: quiet})
	done := make(chan error)
	for worker := range 8 {
		go func() {
			for n := range 200 {
				want := strings.Repeat(fmt.Sprint(worker), n%50)
				event, err := frontdoortest.Event(frontdoortest.REST, "POST", fmt.Sprintf("/%d/%d", worker, n), "x", http.Header{}, []byte(want))
				if err != nil {
					done <- err
					return
				}
				out, err := invoker.Invoke(context.Background(), event)
				if err != nil {
					done <- err
					return
				}
				var a struct {
					Headers map[string][]string `json:"multiValueHeaders"`
					Body    string              `json:"body"`
				}
				if err := json.Unmarshal(out, &a); err != nil || strings.TrimSuffix(a.Body, "late") != want || a.Headers["X-Path"][0] != fmt.Sprintf("/%d/%d", worker, n) {
					done <- fmt.Errorf("worker %d, request %d: got %s, %w", worker, n, out, err)
					return
				}
			}
			done <- nil
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// A write deadline breaks a streamed answer off, and can be moved.
func TestWriteDeadlineOfStream(t *testing.T) {
	t.Parallel()
	_, body := stream(t, frontdoortest.FunctionURL, "GET", func(w http.ResponseWriter, _ *http.Request) {
		c := http.NewResponseController(w)
		if err := errors.Join(c.SetWriteDeadline(time.Now().Add(time.Hour)), c.SetWriteDeadline(time.Time{}), c.Flush()); err != nil {
			t.Error(err)
		}
		_ = c.SetWriteDeadline(time.Now())
		for { // Lambda takes nothing of this in time
			if _, err := io.WriteString(w, strings.Repeat("x", 1<<16)); err != nil {
				return
			}
		}
	})
	time.Sleep(time.Millisecond)
	if _, err := io.ReadAll(body); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v, want that the deadline is over", err)
	}
}

// Where Lambda does not read on, the handler is told and let go.
func TestStreamThatNobodyReads(t *testing.T) {
	t.Parallel()
	let := make(chan error)
	_, body := stream(t, frontdoortest.FunctionURL, "GET", func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		_, err := io.WriteString(w, strings.Repeat("x", 1<<16))
		let <- err
	})
	if err := body.(io.Closer).Close(); err != nil {
		t.Error(err)
	}
	if err := <-let; err == nil {
		t.Error("the handler's write: no error")
	}
}

// A timeout is told of, whether the answer is whole or streams.
func TestOnTimeout(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	defer close(release)
	for _, streams := range []bool{false, true} {
		told := make(chan frontdoor.Door, 1)
		invoker := frontdoor.NewInvoker(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }),
			frontdoor.Options{Logger: quiet, OnTimeout: func(ctx context.Context) { told <- frontdoor.DoorOf(ctx) }})
		ctx, cancel := context.WithTimeout(t.Context(), 250*time.Millisecond)
		var err error
		if event := frontdoortest.Recorded("functionurl"); streams {
			_, err = invoker.Stream(ctx, event)
		} else {
			_, err = invoker.Invoke(ctx, event)
		}
		if door := <-told; err != nil || door != frontdoor.DoorFunctionURL {
			t.Errorf("streaming %v: told of a request by %s, %v", streams, door, err)
		}
		cancel()
	}
}
