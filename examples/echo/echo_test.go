package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"spillway.example/frontdoor/frontdoortest"
)

func TestMain(m *testing.M) { os.Exit(frontdoortest.Main(m)) }

// start runs echo until the end of the test, and then ends it as ECS and Lambda do.
func start(t *testing.T, env ...string) {
	t.Helper()
	p := frontdoortest.Start(t, env, frontdoortest.Binary(t, "."))
	t.Cleanup(func() {
		if code := p.End(t, syscall.SIGTERM); code != 0 {
			t.Errorf("on SIGTERM: exit code %d", code)
		}
	})
}

// request is one row of the contract.
type request struct{ method, target, contentType, body string }

var contract = []request{
	{"GET", "/", "", ""},
	{"GET", "/a%20b/c%2Fd?x=1&x=2&y=a%2Bb", "", ""},
	{"POST", "/form", "application/x-www-form-urlencoded", "a=1&b=two+words"},
	{"POST", "/json", "application/json", `{"λ":"\u2028"}`},
	{"PUT", "/binary", "application/octet-stream", "\x00\xff\xfe"},
	{"DELETE", "/thing", "", ""},
	{"GET", "/set-cookies", "", ""},
	{"GET", "/png", "", ""},
	{"GET", "/none", "", ""},
	{"GET", "/twice", "", ""},
	{"GET", "/early", "", ""},
	{"GET", "/status/204", "", ""},
	{"GET", "/status/302", "", ""},
	{"GET", "/status/418", "", ""},
	{"GET", "/status/503", "", ""},
	{"GET", "/bytes/0", "", ""},
	{"GET", "/bytes/1000", "", ""},
	{"GET", "/bytes/200000", "", ""},
	{"GET", "/stream/3", "", ""},
	{"GET", "/sleep/20", "", ""},
	{"HEAD", "/bytes/10", "", ""},
}

func (q request) header() http.Header {
	h := http.Header{"Cookie": {"a=1; b=2"}, "X-Commas": {"one, two"}, "User-Agent": {"test"}}
	if q.contentType != "" {
		h.Set("Content-Type", q.contentType)
	}
	return h
}

const host = "echo.example.com"

// answer is what the client gets.
type answer struct {
	status      int
	contentType string
	cookies     string
	body        string
}

// fromResponse reads an answer. Of what the handler saw, the parts that are a door's
// own are left out: the client's address, and headers that it adds.
func fromResponse(t *testing.T, res *http.Response) answer {
	t.Helper()
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{res.StatusCode, res.Header.Get("Content-Type"), fmt.Sprint(res.Header.Values("Set-Cookie")), string(body)}
	var seen map[string]any
	if json.Unmarshal(body, &seen) != nil || seen["header"] == nil {
		return a
	}
	if remote, _ := seen["remoteAddr"].(string); !strings.Contains(remote, ":") {
		t.Errorf("remoteAddr %q is no host:port", remote)
	}
	delete(seen, "remoteAddr")
	h, _ := seen["header"].(map[string]any)
	for name := range h {
		if strings.HasPrefix(name, "X-Forwarded-") || name == "Accept-Encoding" || name == "X-Amzn-Trace-Id" || name == "Connection" {
			delete(h, name)
		}
	}
	again, err := json.Marshal(seen)
	if err != nil {
		t.Fatal(err)
	}
	a.body = string(again)
	return a
}

func overHTTP(t *testing.T, port string, q request) answer {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		req, err := http.NewRequestWithContext(t.Context(), q.method, "http://127.0.0.1:"+port+q.target, strings.NewReader(q.body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header, req.Host = q.header(), host
		res, err := http.DefaultTransport.RoundTrip(req)
		if err == nil {
			return fromResponse(t, res)
		}
		if time.Now().After(deadline) {
			t.Fatalf("over HTTP: %v", err)
		}
	}
}

// invoker has a function handle an event.
type invoker func(ctx context.Context, event []byte) ([]byte, error)

func compare(t *testing.T, invoke invoker) {
	t.Helper()
	port := frontdoortest.FreePort(t)
	start(t, "PORT="+port, "LISTEN_HOST=127.0.0.1")
	for _, q := range contract {
		want := overHTTP(t, port, q)
		for _, form := range frontdoortest.Forms() {
			switch {
			case form == frontdoortest.Direct: // below
				continue
			case form == frontdoortest.HTTPAPI && strings.Contains(q.target, "%2F"): // it decodes the path
				continue
			case form == frontdoortest.ALB && strings.Contains(q.target, "x=1&x=2"): // it keeps the last
				continue
			}
			event, err := frontdoortest.Event(form, q.method, q.target, host, q.header(), []byte(q.body))
			if err != nil {
				t.Fatal(err)
			}
			out, err := invoke(t.Context(), event)
			if err != nil {
				t.Fatalf("%s %s: %v", q.method, q.target, err)
			}
			res, err := frontdoortest.Response(form, out)
			if err != nil {
				t.Fatal(err)
			}
			if got := fromResponse(t, res); got != want {
				t.Errorf("%s %s through %s:\n got %.300v\nwant %.300v", q.method, q.target, form, got, want)
			}
		}
	}
	// A panic ends the answer over HTTP, and is a 500 through a function; both live on.
	for range 2 {
		out, err := invoke(t.Context(), []byte(`{"requestContext":{"elb":{}},"httpMethod":"GET","path":"/panic"}`))
		if err != nil || !strings.Contains(string(out), `"statusCode":500`) {
			t.Errorf("/panic: %s, %v", out, err)
		}
	}
	out, err := invoke(t.Context(), []byte(`{"an":"event"}`))
	if err != nil || !strings.Contains(string(out), `\"requestURI\":\"/direct\"`) {
		t.Errorf("a direct invocation: %s, %v", out, err)
	}
}

func TestUnderRuntimeAPI(t *testing.T) {
	t.Parallel()
	api, err := frontdoortest.NewRuntimeAPI(20 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = api.Close() })
	start(t, api.Env()...)
	compare(t, api.Invoke)
}

// TestUnderEmulator runs echo in Lambda's base image, under the runtime interface
// emulator that it brings.
func TestUnderEmulator(t *testing.T) {
	t.Parallel()
	if err := exec.CommandContext(t.Context(), "docker", "info").Run(); err != nil {
		if os.Getenv("REQUIRE_DOCKER") == "1" {
			t.Fatalf("needs Docker: %v", err)
		}
		t.Skip("needs Docker")
	}
	port := frontdoortest.FreePort(t)
	out, err := exec.CommandContext(t.Context(), "docker", "run", "--detach", "--rm", "--publish", "127.0.0.1:"+port+":8080",
		"--volume", frontdoortest.Binary(t, ".")+":/var/runtime/bootstrap:ro", "public.ecr.aws/lambda/provided:al2023", "bootstrap").Output()
	if err != nil {
		t.Fatalf("docker run: %v", err)
	}
	container := strings.TrimSpace(string(out))
	t.Cleanup(func() { _ = exec.Command("docker", "stop", "--time", "1", container).Run() }) // --rm removes it
	compare(t, func(ctx context.Context, event []byte) ([]byte, error) {
		url := "http://127.0.0.1:" + port + "/2015-03-31/functions/function/invocations"
		for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(event))
			if err != nil {
				return nil, err
			}
			res, err := http.DefaultTransport.RoundTrip(req)
			if err != nil {
				if time.Now().After(deadline) {
					return nil, err
				}
				continue // it does not listen yet
			}
			body, err := io.ReadAll(res.Body)
			return body, errors.Join(err, res.Body.Close())
		}
	})
}
