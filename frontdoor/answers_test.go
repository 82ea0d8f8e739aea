package frontdoor_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"spillway.example/frontdoor"
	"spillway.example/frontdoor/frontdoortest"
)

// through has a handler answer a GET through a door.
func through(t *testing.T, form frontdoortest.Form, h http.HandlerFunc) (status int, body string) {
	t.Helper()
	event, err := frontdoortest.Event(form, http.MethodGet, "/", "service.example.com", http.Header{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	out, err := ours(h)(context.Background(), event)
	if err != nil {
		t.Fatal(err)
	}
	res, err := frontdoortest.Response(form, out)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, read(t, res)
}

func read(t *testing.T, res *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestPanicIsAnAnswer(t *testing.T) {
	t.Parallel()
	for _, v := range []any{"as asked", http.ErrAbortHandler} {
		status, body := through(t, frontdoortest.REST, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "half of an ans")
			panic(v)
		})
		if status != 500 || body != `{"title":"Internal Server Error","status":500}`+"\n" {
			t.Errorf("after panic(%v): got %d %q, want a whole 500", v, status, body)
		}
	}
}

func TestTooLargeIsAnAnswer(t *testing.T) {
	t.Parallel()
	for form, limit := range map[frontdoortest.Form]int{
		frontdoortest.ALB: 1 << 20, frontdoortest.REST: 6 << 20, frontdoortest.HTTPAPI: 6 << 20, frontdoortest.FunctionURL: 6 << 20,
	} {
		for _, tt := range []struct{ size, want int }{{limit - 4096, 200}, {limit + 1, 500}} {
			status, _ := through(t, form, func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, strings.Repeat("a", tt.size))
			})
			if status != tt.want {
				t.Errorf("%d bytes through %s: got %d, want %d", tt.size, form, status, tt.want)
			}
		}
	}
}

func invoke(t *testing.T, o frontdoor.Options, h http.HandlerFunc, event string) (map[string]any, error) {
	t.Helper()
	o.Logger = quiet
	out, err := frontdoor.NewInvoker(h, o).Invoke(context.Background(), []byte(event))
	if err != nil {
		return nil, err
	}
	var a map[string]any
	if err := json.Unmarshal(out, &a); err != nil {
		t.Fatalf("answer %q: %v", out, err)
	}
	return a, nil
}

func TestDirect(t *testing.T) {
	t.Parallel()
	event := `{"username":"alice","password":"correct horse"}`
	h := func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Method != "POST" || r.URL.Path != "/register" || r.Header.Get("Content-Type") != "application/json" ||
			string(body) != event || frontdoor.DoorOf(r.Context()) != frontdoor.DoorDirect || r.RemoteAddr == "" {
			t.Errorf("a direct invocation became %s %s %q from %q", r.Method, r.URL, body, r.RemoteAddr)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"message":"done"}`)
	}
	a, err := invoke(t, frontdoor.Options{DirectPath: "/register"}, h, event)
	if err != nil || len(a) != 2 || a["statusCode"] != 200.0 || a["body"] != `{"message":"done"}` {
		t.Errorf("got %v, %v", a, err)
	}
}

func TestEventsThatAreNoRequests(t *testing.T) {
	t.Parallel()
	never := func(http.ResponseWriter, *http.Request) { t.Error("the handler was called") }
	for _, event := range []string{
		`{"Records":[{"eventSource":"aws:sqs"}]}`, `{"source":"aws.events","detail-type":"Scheduled Event","detail":{}}`,
		`{"requestContext":{"routeKey":"$connect"}}`, `[]`, `"text"`, `null`,
	} {
		if _, err := invoke(t, frontdoor.Options{DirectPath: "/x"}, never, event); err == nil {
			t.Errorf("%s: no error, and nobody to take it", event)
		}
		taken := frontdoor.Options{DirectPath: "/x", Events: func(_ context.Context, e json.RawMessage) ([]byte, error) {
			if string(e) != event {
				t.Errorf("got the event %s, want %s", e, event)
			}
			return []byte(`{"taken":true}`), nil
		}}
		if a, err := invoke(t, taken, never, event); err != nil || a["taken"] != true {
			t.Errorf("%s: got %v, %v", event, a, err)
		}
	}
	if _, err := invoke(t, frontdoor.Options{}, never, `{"username":"alice"}`); err == nil {
		t.Error("a direct invocation with no path: no error")
	}
	for _, event := range []string{``, `{`, `{"httpMethod":"GET"`, `{} {}`, "\x00"} {
		if _, err := invoke(t, frontdoor.Options{DirectPath: "/x"}, never, event); err == nil {
			t.Errorf("%q is not JSON: no error", event)
		}
	}
	failing := frontdoor.Options{Events: func(context.Context, json.RawMessage) ([]byte, error) { return nil, io.EOF }}
	if _, err := invoke(t, failing, never, `{"Records":[]}`); !errors.Is(err, io.EOF) {
		t.Errorf("got %v, want the error of Events", err)
	}
	panicking := frontdoor.Options{Events: func(context.Context, json.RawMessage) ([]byte, error) { panic("as asked") }}
	if _, err := invoke(t, panicking, never, `{"Records":[]}`); err == nil || strings.Contains(err.Error(), "as asked") {
		t.Errorf("got %v, want an error that does not repeat what was panicked with", err)
	}
}

// What is odd in an event: each as a door may send it.
func TestOddEvents(t *testing.T) {
	t.Parallel()
	alb := `"requestContext":{"elb":{"targetGroupArn":"arn"}},"httpMethod":"GET",`
	for _, tt := range []struct {
		name, event string
		status      float64
		check       func(r *http.Request) bool
	}{
		{"health check", `{` + alb + `"path":"/","queryStringParameters":{},"headers":{"user-agent":"ELB-HealthChecker/2.0"},"body":"","isBase64Encoded":false}`,
			200, func(r *http.Request) bool { return r.Host == "" && r.Body == http.NoBody && r.RequestURI == "/" }},
		{"headers null", `{` + alb + `"path":"/","queryStringParameters":null,"headers":null,"multiValueHeaders":null,"body":null}`,
			200, func(r *http.Request) bool { return len(r.Header) == 0 && r.RemoteAddr == "0.0.0.0:0" }},
		{"headers missing", `{` + alb + `"path":"/"}`, 200, func(r *http.Request) bool { return r.Header != nil }},
		{"broken base64", `{` + alb + `"path":"/","body":"%%%","isBase64Encoded":true}`, 400, nil},
		{"no method", `{"requestContext":{"elb":{}},"httpMethod":"","path":"/"}`, 400, nil},
		{"malformed method", `{"requestContext":{"elb":{}},"httpMethod":"GET /x HTTP/1.1\r\n","path":"/"}`, 400, nil},
		{"malformed path", `{` + alb + `"path":"/%zz"}`, 400, nil},
		{"base64 body", `{` + alb + `"path":"/","body":"/////w==","isBase64Encoded":true,"headers":{"content-length":"999"}}`,
			200, func(r *http.Request) bool {
				return r.ContentLength == 4 && r.Header.Get("Content-Length") == "4"
			}},
		{"IPv6 client", `{` + alb + `"path":"/","headers":{"x-forwarded-for":"10.0.0.1, 2001:db8::7"}}`,
			200, func(r *http.Request) bool { return r.RemoteAddr == "[2001:db8::7]:0" }},
		{"client with port", `{` + alb + `"path":"/","headers":{"x-forwarded-for":"203.0.113.9:4711"}}`,
			200, func(r *http.Request) bool { return r.RemoteAddr == "203.0.113.9:4711" }},
		{"spoofed client", `{` + alb + `"path":"/","headers":{"x-forwarded-for":"1.1.1.1, 203.0.113.9"}}`,
			200, func(r *http.Request) bool { return r.RemoteAddr == "203.0.113.9:0" }},
		{"base path", `{` + alb + `"path":"/v1/x"}`, 200, func(r *http.Request) bool { return r.URL.Path == "/x" && r.RequestURI == "/x" }},
		{"base path alone", `{` + alb + `"path":"/v1"}`, 200, func(r *http.Request) bool { return r.URL.Path == "/" }},
		{"a member twice", `{` + alb + `"path":"/a","path":"/b","headers":{"a":"1"},"headers":{"b":"2"}}`,
			200, func(r *http.Request) bool {
				return r.URL.Path == "/b" && len(r.Header) == 1 && r.Header.Get("B") == "2"
			}},
		{"not the base path", `{` + alb + `"path":"/v1beta/x"}`, 200, func(r *http.Request) bool { return r.URL.Path == "/v1beta/x" }},
		{"escaped strings", `{` + alb + `"path":"\/a\u0062c","headers":{"x-\u0041":"\ud83d\ude00 \ud800 \n"}}`,
			200, func(r *http.Request) bool { return r.URL.Path == "/abc" && r.Header.Get("X-A") == "😀 \ufffd \n" }},
	} {
		called := false
		a, err := invoke(t, frontdoor.Options{BasePath: "/v1"}, func(_ http.ResponseWriter, r *http.Request) {
			called = true
			if !tt.check(r) {
				t.Errorf("%s: the handler saw %+v", tt.name, r)
			}
		}, tt.event)
		if err != nil || a["statusCode"] != tt.status || called != (tt.check != nil) {
			t.Errorf("%s: got %v, %v; called %v", tt.name, a, err, called)
		}
	}
}

func TestTrustedHops(t *testing.T) {
	t.Parallel()
	event := `{"requestContext":{"elb":{}},"httpMethod":"GET","path":"/","headers":{"x-forwarded-for":"1.1.1.1, 203.0.113.9, 10.0.0.2"}}`
	for hops, want := range map[int]string{-1: "10.0.0.2:0", 0: "10.0.0.2:0", 1: "10.0.0.2:0", 2: "203.0.113.9:0", 9: "1.1.1.1:0"} {
		_, err := invoke(t, frontdoor.Options{TrustedHops: hops}, func(_ http.ResponseWriter, r *http.Request) {
			if r.RemoteAddr != want {
				t.Errorf("with %d hops: got %s, want %s", hops, r.RemoteAddr, want)
			}
		}, event)
		if err != nil {
			t.Error(err)
		}
	}
}

// Over HTTP the client of such an answer sees its connection end before the answer does.
func TestBrokenAnswersAreErrors(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]http.HandlerFunc{
		"shorter than it said": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "10")
			_, _ = io.WriteString(w, "short")
		},
		"a status that is none": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(99) },
		"no status at all":      func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(0) },
	} {
		if status, body := through(t, frontdoortest.HTTPAPI, h); status != 500 || !strings.HasPrefix(body, `{"title":`) {
			t.Errorf("%s: got %d %q, want a whole 500", name, status, body)
		}
	}
}

// What a handler learns of its writes is what net/http tells it.
func TestErrorsOfWrites(t *testing.T) {
	t.Parallel()
	through(t, frontdoortest.REST, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "3")
		for _, tt := range []struct {
			text string
			want error
		}{{"abc", nil}, {"", nil}, {"d", http.ErrContentLength}} {
			for _, write := range []func() (int, error){
				func() (int, error) { return w.Write([]byte(tt.text)) },
				func() (int, error) { return io.WriteString(w, tt.text) },
			} {
				if n, err := write(); !errors.Is(err, tt.want) || (err == nil) != (n == len(tt.text)) {
					t.Errorf("writing %q: got %d, %v, want %v", tt.text, n, err, tt.want)
				}
				if tt.text == "abc" {
					break // there is room for it once
				}
			}
		}
	})
	through(t, frontdoortest.REST, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
		if _, err := w.Write(nil); err != nil {
			t.Errorf("nothing to a 204: %v", err)
		}
		if _, err := w.Write([]byte("x")); !errors.Is(err, http.ErrBodyNotAllowed) {
			t.Errorf("a body to a 204: got %v", err)
		}
	})
}

// Paths in options may leave out the slash that they begin with.
func TestPathsOfOptions(t *testing.T) {
	t.Parallel()
	o := frontdoor.Options{BasePath: "v1/", DirectPath: "register"}
	for event, want := range map[string]string{
		`{"requestContext":{"elb":{}},"httpMethod":"GET","path":"/v1/x"}`: "/x",
		`{"username":"alice"}`: "/register",
	} {
		_, err := invoke(t, o, func(_ http.ResponseWriter, r *http.Request) {
			if r.RequestURI != want || r.URL.Path != want {
				t.Errorf("%s: got %s, %s, want %s", event, r.RequestURI, r.URL.Path, want)
			}
		}, event)
		if err != nil {
			t.Error(err)
		}
	}
}

// What a handler may try with its request and its answer, and what it is told over HTTP/1.1
// or, of a connection that is not its own, over HTTP/2.
func TestWhatHandlersTry(t *testing.T) {
	t.Parallel()
	event := `{"requestContext":{"elb":{}},"httpMethod":"POST","path":"/","body":"body"}`
	_, err := invoke(t, frontdoor.Options{}, func(w http.ResponseWriter, r *http.Request) {
		if _, _, err := http.NewResponseController(w).Hijack(); !errors.Is(err, http.ErrNotSupported) {
			t.Errorf("Hijack: got %v, want that it is not supported", err)
		}
		if b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 2)); err == nil || string(b) != "bo" {
			t.Errorf("a body that is too long: got %q, %v", b, err)
		}
		if err := r.Body.Close(); err != nil {
			t.Error(err)
		}
		if _, err := r.Body.Read(make([]byte, 1)); !errors.Is(err, http.ErrBodyReadAfterClose) {
			t.Errorf("reading a closed body: got %v, want %v", err, http.ErrBodyReadAfterClose)
		}
	}, event)
	if err != nil {
		t.Error(err)
	}
}
