package gateway_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"spillway.example/spillway/gateway"
)

// What a load balancer refuses by itself.
func TestRefusals(t *testing.T) {
	t.Parallel()
	g := start(t, config(lambdaGroup(once, newEmulator(t, 1, ok, nil))))
	upgrade := func(r *http.Request) {
		r.Header.Set("Connection", "Upgrade")
		r.Header.Set("Upgrade", "websocket")
	}
	none := func(*http.Request) {}
	notUTF8 := func(r *http.Request) { r.Header.Set("X-Bytes", "\xff") }
	tests := []struct {
		name, method string
		size         int
		edit         func(*http.Request)
		want         int
	}{
		{"1 MB", http.MethodPost, 1 << 20, none, 200},
		{"over 1 MB", http.MethodPost, 1<<20 + 1, none, 413},
		{"upgrade", http.MethodGet, 0, upgrade, 400},
		{"TRACE", http.MethodTrace, 0, none, 405},
		{"not UTF-8", http.MethodGet, 0, notUTF8, 400},
	}
	for _, tt := range tests {
		if got, _ := do(t, tt.method, g.url, strings.Repeat("x", tt.size), tt.edit); got != tt.want {
			t.Errorf("%s: got %d, want %d", tt.name, got, tt.want)
		}
	}
}

// A function's answer that is no answer is a 502, and is not asked for again.
func TestBadAnswers(t *testing.T) {
	t.Parallel()
	var answer string
	status := http.StatusOK
	e := newEmulator(t, 1, ok, func(w http.ResponseWriter, _ map[string]any) bool {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
		return true
	})
	g := start(t, config(lambdaGroup(once, e)))
	for i, tt := range []struct {
		status int
		answer string
	}{
		{200, `{"errorMessage":"it broke","errorType":"errorString"}`},
		{200, `{"statusCode":"200"}`},
		{200, `{"statusCode":20}`},
		{200, `{"statusCode":600}`},
		{200, `{"statusCode":200,"body":{}}`},
		{200, `{"statusCode":200,"body":"!","isBase64Encoded":true}`},
		{200, `{"statusCode":200,"headers":{"a":["b"]}}`},
		{200, `"text"`},
		{200, `Task timed out after 3.00 seconds`},
		{200, `{"statusCode":200,"body":"` + strings.Repeat("x", 1<<20) + `"}`},
		{500, ``},
		{400, `{"errorType":"Runtime.ExitError"}`},
	} {
		status, answer = tt.status, tt.answer
		if got, _ := do(t, http.MethodGet, g.url, ""); got != http.StatusBadGateway {
			t.Errorf("%d %.60s: got %d, want 502", tt.status, tt.answer, got)
		}
		if got := e.calls.Load(); got != int64(i+1) {
			t.Fatalf("%d %.60s: %d calls, want %d", tt.status, tt.answer, got, i+1)
		}
	}
}

func TestAnswerTooLarge(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	const frame = `{"statusCode":200,"body":""}`
	for size, fits := range map[int]bool{1 << 20: true, 1<<20 + 1: false} {
		raw := strings.Replace(frame, `""`, `"`+strings.Repeat("x", size-len(frame))+`"`, 1)
		res, err := gateway.ParseAnswer(r, []byte(raw), false)
		if (err == nil) != fits {
			t.Errorf("%d bytes: %v", size, err)
		}
		if err == nil {
			res.Body.Close()
		}
	}
}

func FuzzParseAnswer(f *testing.F) {
	f.Add(`{"statusCode":200,"headers":{"a":"b"},"multiValueHeaders":{"a":["b","c"]},"body":"eA==","isBase64Encoded":true}`, true)
	f.Add(`{"statusCode":204,"body":null}`, false)
	f.Fuzz(func(t *testing.T, raw string, multi bool) {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		res, err := gateway.ParseAnswer(r, []byte(raw), multi)
		if err != nil {
			return
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode < 200 || res.StatusCode > 599 || int64(len(body)) != res.ContentLength {
			t.Errorf("got %d with %d of %d bytes, %v", res.StatusCode, len(body), res.ContentLength, err)
		}
	})
}

// An answer that does not begin in time is a 504; the emulator's slot stays taken for
// as long as the emulator works on.
func TestTimeout(t *testing.T) {
	t.Parallel()
	letGo := make(chan struct{})
	slow := func(_ http.ResponseWriter, r *http.Request) {
		if r.UserAgent() != "ELB-HealthChecker/2.0" {
			<-letGo
		}
	}
	e := newEmulator(t, 1, slow, nil)
	for name, group := range map[string]string{"http": httpGroup(once, server(t, slow)), "lambda": lambdaGroup(once, e)} {
		g := start(t, strings.Replace(config(group), "idle_timeout: 20s", "idle_timeout: 100ms", 1))
		for range 2 { // the second finds no slot, and must not reach the emulator
			if got, _ := do(t, http.MethodPost, g.url, "x"); got != http.StatusGatewayTimeout {
				t.Errorf("%s: got %d, want 504", name, got)
			}
		}
		if name == "lambda" {
			if got := g.targets(t)[0].InFlight; got != 1 || e.most.Load() != 1 {
				t.Errorf("the emulator had up to %d in flight and has %d, want 1", e.most.Load(), got)
			}
		}
	}
	close(letGo)
}

// A client that goes away does not free the emulator, which works on.
func TestClientGoesAway(t *testing.T) {
	t.Parallel()
	began, letGo := make(chan struct{}, 1), make(chan struct{})
	e := newEmulator(t, 1, holding(began, letGo), nil)
	g := start(t, config(lambdaGroup(once, e)))
	ctx, leave := context.WithCancel(t.Context())
	left := make(chan error)
	go func() {
		r, _ := http.NewRequestWithContext(ctx, http.MethodGet, g.url, nil)
		res, err := http.DefaultClient.Do(r)
		if err == nil {
			res.Body.Close()
		}
		left <- err
	}()
	<-began
	leave()
	if err := <-left; err == nil {
		t.Error("the client got an answer")
	}
	next := make(chan int)
	go func() {
		status, _ := do(t, http.MethodGet, g.url, "")
		next <- status
	}()
	eventually(t, "the next request waits", func() bool { return g.targets(t)[0].Waiting == 1 })
	letGo <- struct{}{}
	<-began
	letGo <- struct{}{}
	if status := <-next; status != http.StatusOK || e.most.Load() != 1 {
		t.Errorf("got %d with %d in flight at most", status, e.most.Load())
	}
}

// No more wait for an emulator than the queue takes.
func TestQueueIsBounded(t *testing.T) {
	t.Parallel()
	began, letGo := make(chan struct{}, 3), make(chan struct{}, 3)
	e := newEmulator(t, 1, holding(began, letGo), nil)
	g := start(t, config(lambdaGroup(once+", max_queue: 2", e)))
	results := make(chan int)
	for range 3 {
		go func() {
			status, _ := do(t, http.MethodGet, g.url, "")
			results <- status
		}()
	}
	eventually(t, "two wait", func() bool { return g.targets(t)[0].Waiting == 2 })
	if status, _ := do(t, http.MethodGet, g.url, ""); status != http.StatusServiceUnavailable {
		t.Errorf("the fourth got %d, want 503", status)
	}
	for range 3 {
		letGo <- struct{}{}
		if status := <-results; status != http.StatusOK {
			t.Errorf("one that waited got %d", status)
		}
	}
}

// Those who wait for a target that goes away are sent to another.
func TestWaitersMoveOn(t *testing.T) {
	t.Parallel()
	began, letGo := make(chan struct{}, 1), make(chan struct{})
	e := newEmulator(t, 1, holding(began, letGo), nil)
	other := newEmulator(t, 1, ok, nil)
	g := start(t, config(lambdaGroup(once, e)))
	results := make(chan int, 2)
	for range 2 {
		go func() {
			status, _ := do(t, http.MethodGet, g.url, "")
			results <- status
		}()
	}
	eventually(t, "one waits", func() bool { return g.targets(t)[0].Waiting == 1 })
	if _, err := g.Register(t.Context(), gateway.TargetRef{TargetGroup: "g0", Target: other.URL}); err != nil {
		t.Fatal(err)
	}
	if status := <-results; status != http.StatusOK {
		t.Errorf("the one that waited got %d from the new target", status)
	}
	<-began
	letGo <- struct{}{}
	if status := <-results; status != http.StatusOK {
		t.Errorf("the one in flight got %d", status)
	}
}

func TestPortTaken(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, c := range []string{
		fmt.Sprintf("listener: {address: '%s'}\nadmin: '127.0.0.1:0'", l.Addr()),
		fmt.Sprintf("listener: {address: '127.0.0.1:0'}\nadmin: '%s'", l.Addr()),
	} {
		cfg, err := gateway.Load([]byte(c))
		if err != nil {
			t.Fatal(err)
		}
		_, err = gateway.Listen(t.Context(), cfg, gateway.Options{})
		if want := fmt.Sprintf("listening on %s: the port is taken", l.Addr()); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// A gateway that ends finishes what it has.
func TestServeDrains(t *testing.T) {
	t.Parallel()
	began, letGo := make(chan struct{}, 1), make(chan struct{})
	g := start(t, config(httpGroup(once, server(t, holding(began, letGo)))))
	result := make(chan int)
	go func() {
		status, _ := do(t, http.MethodGet, g.url, "")
		result <- status
	}()
	<-began
	ended := make(chan error)
	go func() { ended <- g.stop() }()
	eventually(t, "the listener is closed", func() bool {
		c, err := net.DialTimeout("tcp", strings.TrimPrefix(g.url, "http://"), time.Second)
		if err == nil {
			c.Close()
		}
		return err != nil
	})
	letGo <- struct{}{}
	if status := <-result; status != http.StatusOK {
		t.Errorf("the request in flight got %d", status)
	}
	if err := <-ended; err != nil {
		t.Errorf("Serve: %v", err)
	}
}

func TestServeGivesUpDraining(t *testing.T) {
	t.Parallel()
	began, letGo := make(chan struct{}, 1), make(chan struct{})
	cfg, err := gateway.Load([]byte(config(httpGroup(once, server(t, holding(began, letGo))))))
	if err != nil {
		t.Fatal(err)
	}
	g, err := gateway.Listen(t.Context(), cfg, gateway.Options{Logger: slog.New(slog.DiscardHandler), DrainTimeout: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- g.Serve(ctx) }()
	go func() {
		for {
			r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+g.Addr(), nil)
			if res, err := http.DefaultClient.Do(r); err != nil || res.Body.Close() != nil {
				return
			}
		}
	}()
	<-began
	cancel()
	if err := <-ended; err == nil {
		t.Error("Serve ended well with a request in flight")
	}
	close(letGo)
}

// The access log has the path and never the query, which may hold secrets.
func TestAccessLog(t *testing.T) {
	t.Parallel()
	lines := &logLines{}
	g := start(t, config(httpGroup(once, server(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "four") }))), lines.use)
	do(t, http.MethodGet, g.url+"/a%20b?token=secret", "")
	eventually(t, "the line is there", func() bool { return len(lines.containing("msg=request ")) == 1 })
	line := lines.containing("msg=request ")[0]
	for name, want := range map[string]string{"method": "GET", "path": "/a%20b", "status": "200", "bytes": "4", "group": "g0", "attempts": "1"} {
		if got := field(line, name); got != want {
			t.Errorf("%s: got %q, want %q in %s", name, got, want, line)
		}
	}
	if strings.Contains(line, "secret") {
		t.Errorf("the query is in the log: %s", line)
	}
}
