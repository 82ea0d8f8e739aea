package frontdoor_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"spillway.example/frontdoor"
	"spillway.example/frontdoor/frontdoortest"
)

// TestMain runs the tests; or, where a Runtime API is there to poll, the test binary is a
// function of it, race detector and all.
func TestMain(m *testing.M) {
	if frontdoor.IsLambda(os.Getenv) {
		os.Exit(function(os.Getenv))
	}
	os.Exit(frontdoortest.Main(m))
}

// function is what the test binary is under a Runtime API: FUNCTION names its handler.
func function(getenv func(string) string) int {
	var hooked atomic.Int32
	hook := func(ctx context.Context) {
		deadline, _ := ctx.Deadline()
		fmt.Println("hook", hooked.Add(1), time.Until(deadline) <= 400*time.Millisecond, ctx.Err())
	}
	o := frontdoor.Options{
		DirectPath: frontdoortest.DirectPath, Streaming: getenv("STREAMING") != "",
	}
	if getenv("HOOKS") != "" {
		o.OnShutdown = []func(context.Context){hook, hook}
	}
	if err := frontdoor.Serve(context.Background(), functions[getenv("FUNCTION")], o); err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("served")
	return 0
}

var functions = map[string]http.Handler{
	"lives": http.HandlerFunc(lives),
	"table": frontdoortest.Handler(),
	"meets": meets(),
}

// start starts the test binary as a function of a Runtime API whose invocations have so
// much time.
func start(t *testing.T, timeout time.Duration, env ...string) (*frontdoortest.RuntimeAPI, *frontdoortest.Process) {
	t.Helper()
	api, err := frontdoortest.NewRuntimeAPI(timeout)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = api.Close() })
	p := frontdoortest.Start(t, append(api.Env(), env...), os.Args[0])
	t.Cleanup(func() {
		if code := p.End(t, syscall.SIGTERM); code != 0 {
			t.Errorf("on SIGTERM: exit code %d", code)
		}
	})
	return api, p
}

// lives answers in the ways that differ between an answer that streams and one that is whole.
func lives(w http.ResponseWriter, r *http.Request) {
	flush := http.NewResponseController(w).Flush
	switch r.URL.Path {
	case "/panic", "/late-panic":
		_, _ = io.WriteString(w, "half of an ans")
		if r.URL.Path == "/late-panic" {
			_ = flush()
		}
		panic("as asked")
	case "/hang", "/late-hang":
		_, _ = io.WriteString(w, "half of an ans")
		if r.URL.Path == "/late-hang" {
			_ = flush()
		}
		select {}
	case "/short":
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "short")
	case "/slow":
		for i := range 3 {
			fmt.Fprintf(w, "line %d\n", i)
			_ = flush()
			time.Sleep(time.Millisecond)
		}
	case "/204":
		w.WriteHeader(http.StatusNoContent)
	case "/redirect":
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	case "/context":
		lc, _ := lambdacontext.FromContext(r.Context())
		raw, ok := frontdoor.RawEvent(r.Context())
		deadline, _ := r.Context().Deadline()
		_ = json.NewEncoder(w).Encode(map[string]any{
			"requestID": lc.AwsRequestID, "function": lc.InvokedFunctionArn, "door": frontdoor.DoorOf(r.Context()).String(),
			"trace": r.Header.Get("X-Amzn-Trace-Id"), "event": raw, "has event": ok, "in time": time.Until(deadline) > 0,
		})
	}
}

// streamed invokes a function that streams, and gives what the door makes of its answer.
func streamed(t *testing.T, api *frontdoortest.RuntimeAPI, form frontdoortest.Form, method, target string) (res *http.Response, body string, err error) {
	t.Helper()
	event, err := frontdoortest.Event(form, method, target, "service.example.com", http.Header{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	contentType, stream, err := api.InvokeStream(t.Context(), event)
	if err != nil {
		t.Fatalf("%s: %v", target, err)
	}
	defer stream.Close()
	if want := "application/vnd.awslambda.http-integration-response"; contentType != want {
		t.Fatalf("%s: the answer is %s, want %s", target, contentType, want)
	}
	if res, err = frontdoortest.StreamedResponse(form, stream); err != nil {
		t.Fatalf("%s: %v", target, err)
	}
	b, err := io.ReadAll(res.Body)
	return res, string(b), err
}

// What a client and Lambda see of an answer that streams, from a real process.
func TestStreamingProcess(t *testing.T) {
	t.Parallel()
	api, _ := start(t, 20*time.Second, "FUNCTION=lives", "STREAMING=1")
	for _, form := range []frontdoortest.Form{frontdoortest.FunctionURL, frontdoortest.REST} {
		for _, tt := range []struct {
			method, target string
			status         int
			body           string
			breaks         bool
		}{
			{"GET", "/slow", 200, "line 0\nline 1\nline 2\n", false},
			{"GET", "/204", 204, "", false},
			{"POST", "/redirect", 302, "", false},
			{"HEAD", "/slow", 200, "", false},
			{"GET", "/nothing", 200, "", false},
			{"GET", "/panic", 500, `{"title":"Internal Server Error","status":500}` + "\n", false},
			{"GET", "/late-panic", 200, "half of an ans", true},
			{"GET", "/short", 500, `{"title":"Internal Server Error","status":500}` + "\n", false},
		} {
			res, body, err := streamed(t, api, form, tt.method, tt.target)
			if res.StatusCode != tt.status || body != tt.body {
				t.Errorf("%s %s through %s: got %d %q", tt.method, tt.target, form, res.StatusCode, body)
			}
			var broken *frontdoortest.FunctionError
			if errors.As(err, &broken) != tt.breaks || tt.breaks && !strings.Contains(broken.Payload, "Frontdoor.Panic") {
				t.Errorf("%s %s through %s: Lambda is told %v", tt.method, tt.target, form, err)
			}
		}
	}
}

// A handler that hangs is a 504 where nothing of its answer has gone, and breaks it off
// where something has; the process lives and serves the next.
func TestDeadlineOfProcess(t *testing.T) {
	t.Parallel()
	for _, streaming := range []string{"", "1"} {
		api, p := start(t, time.Second, "FUNCTION=lives", "STREAMING="+streaming)
		for range 2 {
			if streaming == "" {
				event, err := frontdoortest.Event(frontdoortest.REST, "GET", "/hang", "x", http.Header{}, nil)
				if err != nil {
					t.Fatal(err)
				}
				if out, err := api.Invoke(t.Context(), event); err != nil || !strings.Contains(string(out), `"statusCode":504`) {
					t.Errorf("got %s, %v", out, err)
				}
				continue
			}
			res, body, err := streamed(t, api, frontdoortest.FunctionURL, "GET", "/hang")
			if res.StatusCode != 504 || res.Header.Get("Content-Type") != "application/problem+json" || err != nil {
				t.Errorf("hanging: got %d %q, %v", res.StatusCode, body, err)
			}
			res, body, err = streamed(t, api, frontdoortest.FunctionURL, "GET", "/late-hang")
			var broken *frontdoortest.FunctionError
			if res.StatusCode != 200 || body != "half of an ans" || !errors.As(err, &broken) || !strings.Contains(broken.Payload, "Frontdoor.Timeout") {
				t.Errorf("hanging in mid-stream: got %d %q, %v", res.StatusCode, body, err)
			}
		}
		if !strings.Contains(p.Output(), "did not end in time") {
			t.Errorf("the log says nothing of it: %s", p.Output())
		}
	}
}

// A handler can ask for what only a function has.
func TestContextOfProcess(t *testing.T) {
	t.Parallel()
	api, _ := start(t, 20*time.Second, "FUNCTION=lives")
	event := `{"requestContext":{"elb":{}},"httpMethod":"GET","path":"/context"}`
	out, err := api.Invoke(t.Context(), []byte(event))
	if err != nil {
		t.Fatal(err)
	}
	var a struct{ Body string }
	if err := json.Unmarshal(out, &a); err != nil {
		t.Fatal(err)
	}
	want := `{"door":"alb","event":` + event + `,"function":"arn:aws:lambda:eu-west-1:123456789012:function:function","has event":true,"in time":true,` +
		`"requestID":"00000000-0000-4000-8000-000000000001","trace":"Root=1-00000000-000000000000000000000000"}` + "\n"
	if a.Body != want {
		t.Errorf("got  %s\nwant %s", a.Body, want)
	}
}

// On SIGTERM the hooks run, in order and within the time that Lambda leaves, and the
// process ends well.
func TestHooksOfProcess(t *testing.T) {
	t.Parallel()
	api, err := frontdoortest.NewRuntimeAPI(20 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer api.Close()
	p := frontdoortest.Start(t, append(api.Env(), "FUNCTION=lives", "HOOKS=1"), os.Args[0])
	if _, err := api.Invoke(t.Context(), []byte(`{"an":"event"}`)); err != nil {
		t.Fatal(err)
	}
	if code := p.End(t, syscall.SIGTERM); code != 0 || p.Output() != "hook 1 true <nil>\nhook 2 true <nil>\nserved\n" {
		t.Errorf("exit code %d, and it said %q", code, p.Output())
	}
	if !api.Extended() {
		t.Error("no extension is registered, without which Lambda sends no SIGTERM")
	}
	without, _ := start(t, 20*time.Second, "FUNCTION=lives")
	if _, err := without.Invoke(t.Context(), []byte(`{"an":"event"}`)); err != nil {
		t.Fatal(err)
	}
	if without.Extended() {
		t.Error("an extension is registered, and there are no hooks that it would be for")
	}
}

// As many invocations at once as Lambda Managed Instances asks for are served at once, by
// one process, and none sees a byte of another's. The process is built with the race
// detector where this test is, and it would exit with its code.
func TestConcurrentProcess(t *testing.T) {
	t.Parallel()
	const workers = 8
	api, _ := start(t, time.Minute, "FUNCTION=meets", "AWS_LAMBDA_MAX_CONCURRENCY="+strconv.Itoa(workers))
	var wg sync.WaitGroup
	for n := range workers {
		wg.Go(func() {
			for round := range 20 {
				// Each round ends only when all workers are in it.
				body := strings.Repeat(strconv.Itoa(n), 100*(n+round))
				target := fmt.Sprintf("/%d?round=%d", n, round)
				event, err := frontdoortest.Event(frontdoortest.HTTPAPI, "POST", target, "x", http.Header{"X-N": {strconv.Itoa(n)}}, []byte(body))
				if err != nil {
					t.Error(err)
					return
				}
				out, err := api.Invoke(t.Context(), event)
				if err != nil {
					t.Error(err)
					return
				}
				res, err := frontdoortest.Response(frontdoortest.HTTPAPI, out)
				if err != nil {
					t.Error(err)
					return
				}
				if got, want := read(t, res), fmt.Sprint(n, target, body); got != want || res.Header.Get("X-Path") != fmt.Sprint("/", n) {
					t.Errorf("got %q, want %q", got, want)
				}
			}
		})
	}
	wg.Wait()
}

// meets answers when eight requests are in it at once.
func meets() http.Handler {
	var mu sync.Mutex
	waiting, full := 0, make(chan struct{})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		if waiting++; waiting == 8 {
			close(full)
			waiting, full = 0, make(chan struct{})
			mu.Unlock()
		} else {
			all := full
			mu.Unlock()
			<-all
		}
		w.Header().Set("X-Path", r.URL.Path)
		fmt.Fprint(w, r.Header.Get("X-N"), r.RequestURI)
		_, _ = io.Copy(w, r.Body)
	})
}
