package gateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// seen is what a handler saw of a request.
type seen struct {
	Method, URI, Path, Escaped, Host string
	Query                            url.Values
	Header                           http.Header
	Body                             []byte
	Length                           int64
}

func tell(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	query, _ := url.ParseQuery(r.URL.RawQuery)
	_ = json.NewEncoder(w).Encode(seen{r.Method, r.RequestURI, r.URL.Path, r.URL.EscapedPath(), r.Host, query, r.Header, body, r.ContentLength})
}

// The same request reaches a handler in the same form through an HTTP target, a Lambda
// target with multi-value headers, and net/http with no gateway between, but for the
// headers that a load balancer adds.
func TestSameRequestByEveryDoor(t *testing.T) {
	t.Parallel()
	direct := "http://" + server(t, tell)
	byHTTP := start(t, config(httpGroup(once, strings.TrimPrefix(direct, "http://")))).url
	byEvent := start(t, config(lambdaGroup(once+", multi_value_headers: true", newEmulator(t, 1, tell, nil)))).url
	rapid.Check(t, func(rt *rapid.T) {
		r := drawRequest(rt)
		asSent := r.send(t, direct)
		for door, base := range map[string]string{"HTTP": byHTTP, "Lambda": byEvent} {
			got, want := r.send(t, base), asSent
			for _, added := range []string{"X-Forwarded-Port", "X-Forwarded-Proto", "X-Amzn-Trace-Id", "X-Forwarded-For"} {
				if got.Header.Get(added) == "" {
					rt.Errorf("%s: no %s", door, added)
				}
				got.Header.Del(added)
			}
			if door == "Lambda" { // its parameters come grouped by their names
				got.URI, _, _ = strings.Cut(got.URI, "?")
				want.URI, _, _ = strings.Cut(want.URI, "?")
			}
			if !reflect.DeepEqual(got, want) {
				rt.Errorf("%s\ngot  %+v\nwant %+v", door, got, want)
			}
		}
	})
}

type request struct {
	method, target string
	header         http.Header
	body           []byte
	chunked        bool
}

// drawRequest draws a request that an Application Load Balancer can give a function.
// Its event has no place for the difference between ?a and ?a=, nor for the order of
// parameters of different names.
func drawRequest(t *rapid.T) request {
	text := rapid.StringOf(rapid.RuneFrom([]rune("azAZ09-._~!$'()*,;:@/ü\"<>|{}[]\\^`")))
	escaped := rapid.StringMatching(`([a-zA-Z0-9._~!$'()*,;:@|^"-]|%[0-9A-F][0-9A-F]|%[0-9a-f][0-9a-f])*`)
	r := request{
		method: rapid.SampledFrom([]string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}).Draw(t, "method"),
		target: "/" + strings.Join(rapid.SliceOfN(escaped, 0, 3).Draw(t, "path"), "/"),
		header: http.Header{"User-Agent": {"test"}},
	}
	r.target = strings.ReplaceAll(r.target, "//", "/x/")
	parameters := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string {
		return escaped.Filter(func(s string) bool { return s != "" && !strings.Contains(s, ";") }).Draw(t, "name") + "=" +
			strings.ReplaceAll(escaped.Draw(t, "value"), ";", "+")
	}), 0, 4).Draw(t, "query")
	if len(parameters) > 0 {
		r.target += "?" + strings.Join(parameters, "&")
	}
	for range rapid.IntRange(0, 4).Draw(t, "headers") {
		name := rapid.SampledFrom([]string{"Accept", "Cookie", "X-Some", "Authorization", "If-Match", "Accept-Encoding"}).Draw(t, "header")
		r.header.Add(name, strings.TrimSpace(text.Draw(t, "value")))
	}
	if r.method == "GET" || r.method == "OPTIONS" {
		return r
	}
	r.body = rapid.SliceOfN(rapid.Byte(), 0, 2000).Draw(t, "body")
	if media := rapid.SampledFrom([]string{"", "application/json", "text/plain; charset=utf-8", "image/png"}).Draw(t, "type"); media != "" {
		r.header.Set("Content-Type", media)
	}
	if rapid.Bool().Draw(t, "encoded") {
		r.header.Set("Content-Encoding", "gzip")
	}
	r.chunked = len(r.body) > 0 && rapid.Bool().Draw(t, "chunked")
	return r
}

func (r request) send(t *testing.T, base string) seen {
	t.Helper()
	out, err := http.NewRequestWithContext(t.Context(), r.method, base, bytes.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	path, query, _ := strings.Cut(r.target, "?")
	out.URL.Opaque, out.URL.RawQuery, out.Host = path, query, "accounts.example.com"
	out.Header = r.header.Clone()
	if r.chunked {
		out.ContentLength = -1
	}
	res, err := (&http.Transport{DisableCompression: true, DisableKeepAlives: false}).RoundTrip(out)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var s seen
	if err := json.NewDecoder(res.Body).Decode(&s); err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %s, %v", r.method, r.target, res.Status, err)
	}
	// A gateway that has read the whole body knows its length.
	s.Header.Del("Content-Length")
	s.Length = int64(len(s.Body))
	return s
}

// A group without multi-value headers gives the last value of each name.
func TestSingleValueEvent(t *testing.T) {
	t.Parallel()
	var event map[string]any
	e := newEmulator(t, 1, tell, func(_ http.ResponseWriter, e map[string]any) bool { event = e; return false })
	g := start(t, config(lambdaGroup(once, e)))
	do(t, http.MethodPost, g.url+"/a%20b?x=1&y=%2F&x=2&z", `{"a":"ü<"}`, func(r *http.Request) {
		r.Header = http.Header{"X-Two": {"1", "2"}, "Content-Type": {"application/json"}, "User-Agent": {"test"}}
		r.Host = "accounts.example.com"
	})
	headers := event["headers"].(map[string]any)
	delete(headers, "x-amzn-trace-id")
	delete(headers, "x-forwarded-port")
	delete(headers, "accept-encoding")
	arn := event["requestContext"].(map[string]any)["elb"].(map[string]any)["targetGroupArn"].(string)
	if !regexp.MustCompile(`^arn:aws:elasticloadbalancing:[a-z0-9-]+:\d{12}:targetgroup/g0/[0-9a-f]{16}$`).MatchString(arn) {
		t.Errorf("target group %s", arn)
	}
	delete(event, "requestContext")
	want := map[string]any{
		"httpMethod": "POST", "path": "/a%20b", "body": `{"a":"ü<"}`, "isBase64Encoded": false,
		"queryStringParameters": map[string]any{"x": "2", "y": "%2F", "z": ""},
		"headers": map[string]any{
			"host": "accounts.example.com", "content-type": "application/json", "content-length": "11", "user-agent": "test",
			"x-two": "2", "x-forwarded-for": "127.0.0.1", "x-forwarded-proto": "http",
		},
	}
	if !reflect.DeepEqual(event, want) {
		t.Errorf("got  %v\nwant %v", event, want)
	}
}

// Which bodies go as text is the load balancer's rule.
func TestEventBody(t *testing.T) {
	t.Parallel()
	var base64 any
	e := newEmulator(t, 1, ok, func(_ http.ResponseWriter, e map[string]any) bool { base64 = e["isBase64Encoded"]; return false })
	g := start(t, config(lambdaGroup(once, e)))
	tests := []struct {
		media, encoding, body string
		want                  bool
	}{
		{"application/json", "", "{}", false},
		{"Application/JSON; charset=utf-8", "", "{}", false},
		{"application/problem+json", "", "{}", true},
		{"text/css", "", "x", false},
		{"application/xml", "", "<x/>", false},
		{"application/javascript", "", "x", false},
		{"text/plain", "", "\xff", true}, // JSON could not carry it
		{"text/plain", "gzip", "x", true},
		{"application/octet-stream", "", "x", true},
		{"", "", "x", true},
		{"", "", "", false},
	}
	for _, tt := range tests {
		do(t, http.MethodPost, g.url, tt.body, func(r *http.Request) {
			r.Header = http.Header{"Content-Type": {tt.media}, "Content-Encoding": {tt.encoding}}
			maps.DeleteFunc(r.Header, func(_ string, v []string) bool { return v[0] == "" })
		})
		if base64 != tt.want {
			t.Errorf("%q %q %q: base64 %v, want %v", tt.media, tt.encoding, tt.body, base64, tt.want)
		}
	}
}

func TestForwardedHeaders(t *testing.T) {
	t.Parallel()
	g := start(t, config(httpGroup(once, server(t, tell))))
	_, body := do(t, http.MethodGet, g.url+"/?b=%zz;&a", "", func(r *http.Request) {
		for name, v := range map[string]string{
			"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https", "X-Forwarded-Port": "443", "X-Forwarded-Host": "h",
			"Forwarded": "for=x", "Connection": "X-Hop, close", "X-Hop": "1", "Keep-Alive": "1", "Proxy-Authorization": "x",
		} {
			r.Header.Set(name, v)
		}
		r.Header.Add("X-Forwarded-For", "198.51.100.7")
	})
	var s seen
	if err := json.Unmarshal([]byte(body), &s); err != nil {
		t.Fatal(err)
	}
	if want := "/?b=%zz;&a"; s.URI != want {
		t.Errorf("got %s, want %s", s.URI, want)
	}
	port := g.url[strings.LastIndex(g.url, ":")+1:]
	for name, want := range map[string]string{
		"X-Forwarded-For": "203.0.113.9, 198.51.100.7, 127.0.0.1", "X-Forwarded-Proto": "http", "X-Forwarded-Port": port,
		"X-Forwarded-Host": "h", "Forwarded": "for=x", "Connection": "", "X-Hop": "", "Keep-Alive": "", "Proxy-Authorization": "",
	} {
		if got := strings.Join(s.Header.Values(name), "|"); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

// Binary bodies, large ones and trailers of a stream pass both ways.
func TestBodiesBothWays(t *testing.T) {
	t.Parallel()
	mirror := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "image/png")
		_ = http.NewResponseController(w).EnableFullDuplex() // a function has no such thing
		if n, err := io.Copy(w, r.Body); err != nil {
			t.Errorf("after %d bytes: %v", n, err)
		}
	}
	noise := make([]byte, 3<<20)
	for i := range noise {
		noise[i] = byte(i * i >> 3)
	}
	byHTTP := start(t, config(httpGroup(once, server(t, mirror)))).url
	byEvent := start(t, config(lambdaGroup(once, newEmulator(t, 1, mirror, nil)))).url
	for _, tt := range []struct {
		door string
		size int
	}{{byHTTP, 1}, {byHTTP, 1 << 20}, {byHTTP, 1<<20 + 1}, {byHTTP, 3 << 20}, {byEvent, 1}, {byEvent, 700 << 10}} {
		for _, chunked := range []bool{false, true} {
			status, body := do(t, http.MethodPut, tt.door, string(noise[:tt.size]), func(r *http.Request) {
				if chunked {
					r.ContentLength = -1
				}
			})
			if status != http.StatusOK || !bytes.Equal([]byte(body), noise[:tt.size]) {
				t.Errorf("%s, %d bytes, chunked %v: got %d with %d bytes", tt.door, tt.size, chunked, status, len(body))
			}
		}
	}
}

// An answer may begin while its request still comes.
func TestFullDuplex(t *testing.T) {
	t.Parallel()
	const first, second = 1<<20 + 1, 300 << 10
	g := start(t, config(httpGroup(once, server(t, func(w http.ResponseWriter, r *http.Request) {
		c := http.NewResponseController(w)
		if r.UserAgent() == "ELB-HealthChecker/2.0" {
			return
		}
		if err := c.EnableFullDuplex(); err != nil {
			t.Error(err)
		}
		_, _ = io.CopyN(io.Discard, r.Body, first)
		_ = c.Flush()
		n, err := io.Copy(io.Discard, r.Body)
		_, _ = fmt.Fprint(w, n, err)
	}))))
	body, rest := io.Pipe()
	go func() { _, _ = rest.Write(make([]byte, first)) }()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	r, _ := http.NewRequestWithContext(ctx, http.MethodPost, g.url, body)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatalf("no answer before the request's end: %v", err)
	}
	defer res.Body.Close()
	_, _ = rest.Write(make([]byte, second))
	_ = rest.Close()
	if got, err := io.ReadAll(res.Body); string(got) != fmt.Sprint(second, nil) {
		t.Errorf("got %s, %v", got, err)
	}
}

// A stream's parts arrive as they are sent.
func TestStreaming(t *testing.T) {
	t.Parallel()
	next := make(chan struct{})
	g := start(t, config(httpGroup(once, server(t, func(w http.ResponseWriter, r *http.Request) {
		if r.UserAgent() == "ELB-HealthChecker/2.0" {
			return
		}
		for range 3 {
			_, _ = io.WriteString(w, "x")
			_ = http.NewResponseController(w).Flush()
			<-next
		}
	}))))
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, g.url, nil)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	for range 3 {
		if _, err := io.ReadFull(res.Body, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		next <- struct{}{}
	}
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	echo := func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }
	a, b := newEmulator(t, 3, echo, nil), newEmulator(t, 3, echo, nil)
	g := start(t, config(httpGroup(often, server(t, echo)), lambdaGroup(often+", max_in_flight: 3", a, b)))
	results := make(chan error)
	const n = 300
	for i := range n {
		go func() {
			body := fmt.Sprint("request ", i)
			if status, got := do(t, http.MethodPost, g.url, body); status != http.StatusOK || got != body {
				results <- fmt.Errorf("%s: got %d %q", body, status, got)
				return
			}
			results <- nil
		}()
	}
	for range n {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	if most := max(a.most.Load(), b.most.Load()); most > 3 {
		t.Errorf("an emulator had %d in flight", most)
	}
}

func TestTrace(t *testing.T) {
	t.Parallel()
	g := start(t, config(httpGroup(once, server(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Header.Get("X-Amzn-Trace-Id"))
	}))))
	const root = "Root=1-67891233-abcdef012345678912345678"
	for came, want := range map[string]string{
		"":                       `^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$`,
		root:                     `^Self=1-[0-9a-f]{8}-[0-9a-f]{24};` + root + `$`,
		root + ";CalledFrom=app": `^Self=1-[0-9a-f]{8}-[0-9a-f]{24};` + root + `;CalledFrom=app$`,
		"Self=1-2-3; " + root:    `^Self=1-[0-9a-f]{8}-[0-9a-f]{24};` + root + `$`,
		"CalledFrom=app":         `^Root=1-[0-9a-f]{8}-[0-9a-f]{24};CalledFrom=app$`,
	} {
		_, got := do(t, http.MethodGet, g.url, "", func(r *http.Request) { r.Header.Set("X-Amzn-Trace-Id", came) })
		if !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("%q: got %q, want %s", came, got, want)
		}
	}
}

// A handler's cookies pass a Lambda target in either form.
func TestCookiesBack(t *testing.T) {
	t.Parallel()
	for _, multi := range []string{"true", "false"} {
		e := newEmulator(t, 1, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Add("Set-Cookie", "a=1")
			w.Header().Add("Set-Cookie", "b=2")
		}, nil)
		g := start(t, config(lambdaGroup(once+", multi_value_headers: "+multi, e)))
		r, _ := http.NewRequestWithContext(context.Background(), http.MethodGet, g.url, nil)
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		got := res.Header.Values("Set-Cookie")
		slices.Sort(got)
		if !slices.Equal(got, []string{"a=1", "b=2"}) {
			t.Errorf("multi-value %s: got %v", multi, got)
		}
	}
}
