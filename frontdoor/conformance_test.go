package frontdoor_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"spillway.example/frontdoor"
	"spillway.example/frontdoor/frontdoortest"
)

// tester is a test, or one try of a property.
type tester interface {
	Helper()
	Errorf(format string, args ...any)
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// request is one request as it stands on the wire.
type request struct {
	method, target, host string
	header               http.Header
	body                 string
	// not are the doors that cannot carry it, and why.
	not map[frontdoortest.Form]string
}

// sight is what a handler saw.
type sight struct {
	Method, RequestURI, Path, RawPath, RawQuery, Host, Proto string
	Query                                                    url.Values
	Header                                                   http.Header
	Cookies                                                  []string
	ContentLength                                            int64
	NoBody                                                   bool
	Body                                                     string
}

// look records what a handler sees. Headers that a door adds or a client of this test
// does are left out, and so is the order of a query's parameters, which no door but two
// keeps.
func look(r *http.Request, reorders bool) sight {
	body, _ := io.ReadAll(r.Body)
	s := sight{
		Method: r.Method, RequestURI: r.RequestURI, Path: r.URL.Path, RawPath: r.URL.EscapedPath(), RawQuery: r.URL.RawQuery,
		Host: r.Host, Proto: r.Proto, Query: r.URL.Query(), Header: r.Header.Clone(),
		ContentLength: r.ContentLength, NoBody: r.Body == http.NoBody, Body: string(body),
	}
	for _, c := range r.Cookies() {
		s.Cookies = append(s.Cookies, c.String())
	}
	for _, added := range []string{"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Port", "Connection"} {
		s.Header.Del(added)
	}
	if reorders {
		s.RawQuery, s.RequestURI = "", s.RawPath
	}
	return s
}

// overHTTP sends a request through a real net/http server.
func overHTTP(t tester, q request, h http.Handler) *http.Response {
	t.Helper()
	server := httptest.NewServer(h)
	defer server.Close()
	conn, err := new(net.Dialer).DialContext(context.Background(), "tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var wire bytes.Buffer
	fmt.Fprintf(&wire, "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n", q.method, q.target, q.host)
	if q.body != "" {
		fmt.Fprintf(&wire, "Content-Length: %d\r\n", len(q.body))
	}
	_ = q.header.Write(&wire)
	wire.WriteString("\r\n" + q.body)
	go func() { _, _ = conn.Write(wire.Bytes()) }()
	for in := bufio.NewReader(conn); ; {
		res, err := http.ReadResponse(in, &http.Request{Method: q.method})
		if err != nil {
			t.Fatalf("over HTTP: %v", err)
		}
		if res.StatusCode >= http.StatusOK { // before that it is informational
			return whole(t, res)
		}
	}
}

// whole reads a response to its end, so that it can be looked at later.
func whole(t tester, res *http.Response) *http.Response {
	t.Helper()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	res.Body = io.NopCloser(bytes.NewReader(body))
	return res
}

var quiet = slog.New(slog.DiscardHandler)

// throughDoor sends a request through a door.
func throughDoor(t tester, form frontdoortest.Form, q request, h http.Handler) *http.Response {
	t.Helper()
	event, err := frontdoortest.Event(form, q.method, q.target, q.host, q.header, []byte(q.body))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := frontdoor.NewInvoker(h, frontdoor.Options{Logger: quiet}).Invoke(context.Background(), event)
	if err != nil {
		t.Fatalf("through %s: %v", form, err)
	}
	res, err := frontdoortest.Response(form, answer)
	if err != nil {
		t.Fatalf("through %s: %v", form, err)
	}
	return res
}

func requests() []request {
	const repeats = "it keeps the last of repeated values"
	oneOnly := map[frontdoortest.Form]string{frontdoortest.ALB: repeats}
	decodes := map[frontdoortest.Form]string{frontdoortest.HTTPAPI: "it decodes the path"}
	lists := map[frontdoortest.Form]string{
		frontdoortest.ALB: repeats, frontdoortest.HTTPAPI: "it joins repeated headers", frontdoortest.FunctionURL: "it joins repeated headers",
	}
	plain := http.Header{"Accept": {"*/*"}}
	with := func(name string, values ...string) http.Header { return http.Header{name: values} }
	text := with("Content-Type", "text/plain")
	qs := []request{
		{target: "/", header: plain},
		{target: "/a/b/c"},
		{target: "/space%20value"},
		{target: "/percent%25sign"},
		{target: "/slash%2Finside", not: decodes},
		{target: "/plus+and%2Bplus", not: decodes},
		{target: "/colon:at@semi;comma,"},
		{target: "/%E7%8E%8B/%C3%A9"},
		{target: "//double//slashes/"},
		{target: "/./dot/../segments"},
		{target: "/trailing/"},
		{target: "/quote'and(parens)*", not: map[frontdoortest.Form]string{frontdoortest.HTTPAPI: "it decodes the path"}},
		{target: "/q?a=1"},
		{target: "/q?a=1&b=2&a=3", not: oneOnly},
		{target: "/q?empty="},
		{target: "/q?space=a%20b&plus=a+b&enc=a%2Bb"},
		{target: "/q?url=https%3A%2F%2Fexample.com%2Fa%3Fb%3Dc%26d"},
		{target: "/q?%E7%8E%8B=%C3%A9"},
		{target: "/q?a%5B%5D=1&b%5Bc%5D=2"},
		{target: "/q?semi=a;b", not: map[frontdoortest.Form]string{frontdoortest.REST: "it refuses the query"}},
		{target: "/q?comma=a,b,c"},
		{target: "/q?percent=100%25"},
		{target: "/q?bad=%zz", not: map[frontdoortest.Form]string{frontdoortest.REST: "it refuses the query"}},
		{method: "POST", target: "/", body: `{"message":"λ"}`, header: with("Content-Type", "application/json")},
		{method: "POST", target: "/form", body: "a=1&b=two+words&a=%2B", header: with("Content-Type", "application/x-www-form-urlencoded")},
		{method: "PUT", target: "/", body: "text with \"quotes\" and \\ and \n and \t", header: text},
		{method: "PATCH", target: "/", body: "x", header: text},
		{method: "DELETE", target: "/"},
		{method: "OPTIONS", target: "/"},
		{method: "POST", target: "/binary", body: "\x89PNG\xff\xfe\x00\r\n", header: with("Content-Type", "image/png")},
		{method: "POST", target: "/gzip", body: "\x1f\x8b\x08\x00\x00", header: http.Header{"Content-Encoding": {"gzip"}, "Content-Type": {"text/plain"}}},
		{method: "POST", target: "/nul", body: "a\x00b\u2028c", header: text},
		{method: "POST", target: "/surrogates", body: "😀 \U0010ffff", header: text},
		{method: "POST", target: "/large", body: strings.Repeat("0123456789abcdef", 32<<10), header: text},
		{method: "POST", target: "/largebinary", body: strings.Repeat("\xff\xfe\xfd\xfc", 128<<10), header: with("Content-Type", "application/octet-stream")},
		{target: "/", header: with("Cookie", "a=1")},
		{target: "/", header: with("Cookie", "a=1; b=2; c=three%20words")},
		{target: "/", header: with("Cookie", `q="quoted"; e=`)},
		{target: "/", header: with("X-Commas", "one, two,three")},
		{target: "/", header: with("If-Modified-Since", "Tue, 10 Nov 2026 12:00:00 GMT")},
		{target: "/", header: with("Accept", "text/html,application/json;q=0.9,*/*;q=0.8")},
		{target: "/", header: with("X-Repeat", "first", "second"), not: lists},
		{target: "/", header: with("X-Repeat", "a, b", "c"), not: lists},
		{target: "/", header: with("X-Quote", `say "hi"`)},
		{target: "/", header: with("X-Empty", "")},
		{target: "/", header: with("X-Utf8", "caf\u00e9")},
		{target: "/", header: with("Authorization", "Bearer a.b.c")},
		{target: "/", header: with("X-MiXeD-cAsE", "1")},
		{target: "/", header: with("Range", "bytes=0-1")},
	}
	for i := range qs {
		if qs[i].method == "" {
			qs[i].method = "GET"
		}
		if qs[i].host == "" {
			qs[i].host = "service.example.com"
		}
		if qs[i].header == nil {
			qs[i].header = http.Header{}
		}
	}
	return qs
}

// compare sends a request over HTTP and through a door and compares what the handler saw.
func compare(t tester, form frontdoortest.Form, q request) {
	t.Helper()
	reorders := form == frontdoortest.ALB || form == frontdoortest.ALBMulti || form == frontdoortest.REST
	var want, got sight
	overHTTP(t, q, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { want = look(r, reorders) }))
	throughDoor(t, form, q, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = look(r, reorders) }))
	if len(want.Body) > 200 && got.Body == want.Body {
		want.Body, got.Body = "", ""
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s %q through %s:\n got %+v\nwant %+v", q.method, q.target, form, got, want)
	}
}

func TestRequests(t *testing.T) {
	t.Parallel()
	for _, form := range frontdoortest.Forms() {
		t.Run(string(form), func(t *testing.T) {
			t.Parallel()
			for _, q := range requests() {
				if q.not[form] == "" {
					compare(t, form, q)
				}
			}
		})
	}
}

func TestRequestsGenerated(t *testing.T) {
	t.Parallel()
	segment := rapid.StringMatching(`([A-Za-z0-9._~!$'()*+,;=:@-]|%[0-9A-F]{2}){0,8}`)
	value := rapid.StringMatching(`([A-Za-z0-9._~!$'()*+,:@/?-]|%[2-6][0-9A-F]){0,8}`) // ASCII: JSON carries no other bytes decoded
	name := rapid.StringMatching(`([A-Za-z0-9._~-]|%[2-7][0-9A-E]){1,6}`)
	word := rapid.StringMatching(`[!-~]([ -~]{0,20}[!-~])?`)
	rapid.Check(t, func(t *rapid.T) {
		q := request{
			method: rapid.SampledFrom([]string{"GET", "POST", "PUT", "DELETE"}).Draw(t, "method"),
			host:   "service.example.com", header: http.Header{},
		}
		for range rapid.IntRange(1, 4).Draw(t, "segments") {
			q.target += "/" + segment.Draw(t, "segment")
		}
		names := rapid.SliceOfNDistinct(name, 0, 4, rapid.ID).Draw(t, "query")
		if !slices.ContainsFunc(names, func(n string) bool { return strings.Contains(n, "%") }) && len(names) > 0 {
			q.target += "?"
			for i, n := range names {
				if i > 0 {
					q.target += "&"
				}
				q.target += n + "=" + value.Draw(t, "value")
			}
		}
		for i, v := range rapid.SliceOfN(word, 0, 4).Draw(t, "headers") {
			q.header.Set("X-Test-"+string(rune('A'+i)), v)
		}
		if q.method != "GET" {
			q.body = string(rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "body"))
			if q.body != "" {
				q.header.Set("Content-Type", "application/octet-stream")
			}
		}
		for _, form := range frontdoortest.Forms() {
			if form == frontdoortest.HTTPAPI {
				path, _, _ := strings.Cut(q.target, "?")
				decoded, err := url.PathUnescape(path)
				if err != nil || !utf8.ValidString(decoded) || (&url.URL{Path: decoded}).EscapedPath() != path {
					continue // it decodes the path, so this spelling of it is lost
				}
			}
			compare(t, form, q)
		}
	})
}
