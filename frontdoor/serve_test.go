package frontdoor_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"spillway.example/frontdoor"
)

func TestIsLambda(t *testing.T) {
	t.Parallel()
	for env, want := range map[string]bool{
		"AWS_LAMBDA_RUNTIME_API": true, "AWS_LAMBDA_FUNCTION_NAME": false, "ECS_CONTAINER_METADATA_URI_V4": false, "PORT": false,
	} {
		got := frontdoor.IsLambda(func(name string) string {
			if name == env {
				return "127.0.0.1:9001"
			}
			return ""
		})
		if got != want {
			t.Errorf("with %s set: got %v, want %v", env, got, want)
		}
	}
}

// running is a Serve under test.
type running struct {
	address string
	stop    context.CancelFunc
	done    chan error
}

func serve(t *testing.T, h http.Handler, o frontdoor.Options) *running {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	r := &running{stop: stop, done: make(chan error, 1)}
	listening := make(chan string, 1)
	o.Addr, o.Logger = "127.0.0.1:0", quiet
	o.OnListen = func(addrs []net.Addr) { listening <- addrs[0].String() }
	go func() { r.done <- frontdoor.Serve(ctx, h, o) }()
	select {
	case r.address = <-listening:
	case err := <-r.done:
		t.Fatalf("Serve: %v", err)
	}
	t.Cleanup(stop)
	return r
}

func get(t *testing.T, client *http.Client, url string) (string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return string(b), err
}

func TestHTTP1AndH2C(t *testing.T) {
	t.Parallel()
	r := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Proto) }), frontdoor.Options{})
	for _, want := range []string{"HTTP/1.1", "HTTP/2.0"} {
		p := new(http.Protocols)
		p.SetHTTP1(want == "HTTP/1.1")
		p.SetUnencryptedHTTP2(want == "HTTP/2.0")
		got, err := get(t, &http.Client{Transport: &http.Transport{Protocols: p}}, "http://"+r.address)
		if err != nil || got != want {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
}

// A drain finishes what is in flight, on the listener and beside it, fails readiness
// from the first moment, accepts nobody new, and calls the hooks last.
func TestDrain(t *testing.T) {
	t.Parallel()
	entered, release := make(chan struct{}), make(chan struct{})
	var hooked bool
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/slow" {
			fmt.Fprint(w, frontdoor.Draining(r.Context()))
			return
		}
		entered <- struct{}{}
		<-release
		fmt.Fprint(w, "whole ", frontdoor.Draining(r.Context()), " ", r.Context().Err())
	})
	r := serve(t, h, frontdoor.Options{OnShutdown: []func(context.Context){func(context.Context) { hooked = true }}})
	url := "http://" + r.address
	client := &http.Client{Transport: &http.Transport{}}
	if got, err := get(t, client, url+"/"); err != nil || got != "false" {
		t.Fatalf("before: draining %q, %v", got, err)
	}
	slow := make(chan string, 1)
	go func() {
		got, err := get(t, &http.Client{Transport: &http.Transport{}}, url+"/slow")
		slow <- fmt.Sprint(got, err)
	}()
	<-entered
	r.stop()
	// The idle connection that is open still takes one more request.
	if got, err := get(t, client, url+"/"); err != nil || got != "true" && got != "false" {
		t.Errorf("on an idle connection: %q, %v", got, err)
	}
	for {
		c, err := new(net.Dialer).DialContext(t.Context(), "tcp", r.address)
		if err != nil {
			break // nobody new
		}
		_ = c.Close()
	}
	select {
	case err := <-r.done:
		t.Fatalf("ended with a request in flight: %v", err)
	default:
	}
	close(release)
	if got, want := <-slow, "whole true <nil><nil>"; got != want {
		t.Errorf("the request in flight got %q, want %q", got, want)
	}
	if err := <-r.done; err != nil || !hooked {
		t.Errorf("Serve: %v; hook called: %v", err, hooked)
	}
}

func TestDrainTimeout(t *testing.T) {
	t.Parallel()
	entered, cause := make(chan struct{}), make(chan error, 1)
	h := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		entered <- struct{}{}
		<-r.Context().Done()
		cause <- context.Cause(r.Context())
	})
	var hooked error
	r := serve(t, h, frontdoor.Options{
		DrainTimeout: 10 * time.Millisecond, OnShutdown: []func(context.Context){func(ctx context.Context) { hooked = ctx.Err() }},
	})
	go func() { _, _ = get(t, http.DefaultClient, "http://"+r.address) }()
	<-entered
	r.stop()
	if err := <-r.done; err == nil || !strings.Contains(err.Error(), "in flight") {
		t.Errorf("got %v, want an error that says what was in flight", err)
	}
	if got := <-cause; !errors.Is(got, frontdoor.ErrDrainTimeout) {
		t.Errorf("the request ended for %v", got)
	}
	if hooked != nil {
		t.Errorf("a hook was called with a context that is over: %v", hooked)
	}
}

func TestPortInUse(t *testing.T) {
	t.Parallel()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	err = frontdoor.Serve(t.Context(), http.NotFoundHandler(), frontdoor.Options{Addr: l.Addr().String(), Logger: quiet})
	if err == nil || !strings.Contains(err.Error(), l.Addr().String()) || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v, want one line that names the address", err)
	}
}

func TestTrustedProxies(t *testing.T) {
	t.Parallel()
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.RemoteAddr) })
	for _, tt := range []struct {
		trusted []netip.Prefix
		header  string
		want    string // a prefix
	}{
		{nil, "1.1.1.1", "127.0.0.1:"},
		{[]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, "1.1.1.1", "127.0.0.1:"},
		{[]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, "1.1.1.1, 203.0.113.9", "203.0.113.9:0"},
		{[]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8")}, "1.1.1.1, 203.0.113.9, 10.1.2.3", "203.0.113.9:0"},
		{[]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, "", "127.0.0.1:"},
		{[]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8")}, "10.9.9.9", "10.9.9.9:0"},
	} {
		r := serve(t, h, frontdoor.Options{TrustedProxies: tt.trusted})
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+r.address, nil)
		if err != nil {
			t.Fatal(err)
		}
		if tt.header != "" {
			req.Header.Set("X-Forwarded-For", tt.header)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if got := read(t, res); !strings.HasPrefix(got, tt.want) {
			t.Errorf("trusting %v, X-Forwarded-For %q: got %s, want %s", tt.trusted, tt.header, got, tt.want)
		}
		_ = res.Body.Close()
	}
}

// A base path is taken off over HTTP as it is under Lambda, with nothing else changed.
func TestBasePathOverHTTP(t *testing.T) {
	t.Parallel()
	r := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.RequestURI, " ", r.URL.Path, " ", r.URL.RawQuery)
	}), frontdoor.Options{BasePath: "/v1"})
	for target, want := range map[string]string{
		"/v1":             "/ / ",
		"/v1?a=%20":       "/?a=%20 / a=%20",
		"/v1/a%2Fb?x=1":   "/a%2Fb?x=1 /a/b x=1",
		"/v1beta/x":       "/v1beta/x /v1beta/x ",
		"/other/v1":       "/other/v1 /other/v1 ",
		"/v1//double?a=b": "//double?a=b //double a=b",
	} {
		got, err := get(t, http.DefaultClient, "http://"+r.address+target)
		if err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", target, got, err, want)
		}
	}
}
