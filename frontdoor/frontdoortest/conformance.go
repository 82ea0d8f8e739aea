package frontdoortest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Invoke has a function handle one event.
type Invoke func(ctx context.Context, event []byte) ([]byte, error)

// Adapter makes a function of a handler: what is held to the conformance table.
type Adapter func(http.Handler) Invoke

// Request is one row of the table for requests: as it stands on the wire, it must reach
// a handler through a door as it does through net/http.
type Request struct {
	Name, Method, Target, Host string
	Header                     http.Header
	Body                       string
	// Not are the doors that cannot carry it, and why.
	Not map[Form]string
}

// Answer is one row of the table for answers: what the handler writes must reach the
// client through a door as it does through net/http.
type Answer struct {
	Name    string
	Handler http.HandlerFunc
}

// seen is what a handler saw.
type seen struct {
	Method, RequestURI, Path, EscapedPath, RawQuery, Host, Proto string
	Query                                                        map[string][]string
	Header                                                       http.Header
	Cookies                                                      []string
	ContentLength                                                int64
	NoBody                                                       bool
	Body                                                         string
}

// reorders says whether a form keeps no order among query parameters: it is an object.
func (f Form) reorders() bool { return f == ALB || f == ALBMulti || f == REST }

func look(r *http.Request, form Form) seen {
	body, _ := io.ReadAll(r.Body) // what there is of it is compared
	s := seen{
		Method: r.Method, RequestURI: r.RequestURI, Path: r.URL.Path, EscapedPath: r.URL.EscapedPath(), RawQuery: r.URL.RawQuery,
		Host: r.Host, Proto: r.Proto, Query: r.URL.Query(), Header: r.Header.Clone(),
		ContentLength: r.ContentLength, NoBody: r.Body == http.NoBody, Body: string(body),
	}
	for _, c := range r.Cookies() {
		s.Cookies = append(s.Cookies, c.String())
	}
	// The door's own, and this client's.
	for _, name := range []string{"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Port", "Connection"} {
		s.Header.Del(name)
	}
	if form.reorders() {
		s.RawQuery, s.RequestURI = "", s.EscapedPath
	}
	return s
}

// Check sends a request through a real net/http server and, by an adapter, through a
// door, and gives each difference in what the handler saw, as "field: got …, want …".
func Check(form Form, q Request, a Adapter) (differences []string, err error) {
	q = q.on(form)
	var want, got seen
	looking := func(s *seen) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			*s = look(r, form)
			w.WriteHeader(http.StatusOK) // what an adapter makes of nothing at all is a row for answers
		})
	}
	if _, err := overHTTP(q, looking(&want)); err != nil {
		return nil, err
	}
	_, err = through(form, q, a(looking(&got)))
	if err != nil {
		return []string{"invocation: got " + err.Error()}, nil //nolint:nilerr // that it failed is a difference
	}
	g, w := reflect.ValueOf(got), reflect.ValueOf(want)
	for i := range g.NumField() {
		if a, b := g.Field(i).Interface(), w.Field(i).Interface(); !reflect.DeepEqual(a, b) {
			differences = append(differences, fmt.Sprintf("%s: got %.200q, want %.200q", g.Type().Field(i).Name, a, b))
		}
	}
	return differences, nil
}

// CheckAnswer has a handler answer through a real net/http server and, by an adapter,
// through a door, and gives each difference in what the client gets.
func CheckAnswer(form Form, method string, row Answer, a Adapter) (differences []string, err error) {
	q := Request{Method: method, Target: "/", Host: "service.example.com", Header: http.Header{}}.on(form)
	want, err := overHTTP(q, row.Handler)
	if err != nil {
		return nil, err
	}
	got, err := through(form, q, a(row.Handler))
	if err != nil {
		return []string{"invocation: got " + err.Error()}, nil //nolint:nilerr // that it failed is a difference
	}
	note := func(what string, a, b any) {
		if !reflect.DeepEqual(a, b) {
			differences = append(differences, fmt.Sprintf("%s: got %.200q, want %.200q", what, fmt.Sprint(a), fmt.Sprint(b)))
		}
	}
	note("status", got.status, want.status)
	note("body", got.body, want.body)
	for _, name := range compared {
		note(name, strings.Join(got.header.Values(name), ", "), strings.Join(want.header.Values(name), ", "))
	}
	return differences, nil
}

// compared are the headers of an answer that are compared: those that the rows write.
var compared = []string{
	"Content-Type", "Content-Encoding", "Etag", "Location", "Set-Cookie", "Vary",
	"Trailer", "Transfer-Encoding", "X-Late", "X-List", "X-Injected", "X-Lower",
}

// received is what a client got.
type received struct {
	status int
	header http.Header
	body   string
}

func receive(res *http.Response) (received, error) {
	body, err := io.ReadAll(res.Body)
	return received{res.StatusCode, res.Header, string(body)}, errors.Join(err, res.Body.Close())
}

// overHTTP sends a request, to the letter, to a real net/http server.
func overHTTP(q Request, h http.Handler) (received, error) {
	server := httptest.NewServer(h)
	defer server.Close()
	conn, err := new(net.Dialer).DialContext(context.Background(), "tcp", server.Listener.Addr().String())
	if err != nil {
		return received{}, err
	}
	defer conn.Close()
	var wire bytes.Buffer
	fmt.Fprintf(&wire, "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n", q.Method, q.Target, q.Host)
	if q.Body != "" {
		fmt.Fprintf(&wire, "Content-Length: %d\r\n", len(q.Body))
	}
	if err := q.Header.Write(&wire); err != nil {
		return received{}, err
	}
	wire.WriteString("\r\n" + q.Body)
	go func() { _, _ = conn.Write(wire.Bytes()) }() // a server that does not read it all still answers
	for in := bufio.NewReader(conn); ; {
		res, err := http.ReadResponse(in, &http.Request{Method: q.Method})
		if err != nil {
			return received{}, fmt.Errorf("over HTTP: %w", err)
		}
		if res.StatusCode >= http.StatusOK { // before that it is informational
			return receive(res)
		}
	}
}

// on gives the request as it is sent to a form's own host.
func (q Request) on(form Form) Request {
	if form == FunctionURL {
		q.Host = functionURLHost
	}
	return q
}

func through(form Form, q Request, invoke Invoke) (received, error) {
	event, err := Event(form, q.Method, q.Target, q.Host, q.Header, []byte(q.Body))
	if err != nil {
		return received{}, err
	}
	answer, err := invoke(context.Background(), event)
	if err != nil {
		return received{}, err
	}
	res, err := Response(form, answer)
	if err != nil {
		return received{}, err
	}
	return receive(res)
}

const repeats = "it keeps the last of repeated values"

// Requests gives the table for requests.
func Requests() []Request {
	oneOnly := map[Form]string{ALB: repeats}
	decodes := map[Form]string{HTTPAPI: "it decodes the path"}
	refuses := map[Form]string{REST: "it refuses the query"}
	lists := map[Form]string{ALB: repeats, HTTPAPI: "it joins repeated headers", FunctionURL: "it joins repeated headers"}
	with := func(name string, values ...string) http.Header { return http.Header{name: values} }
	text := with("Content-Type", "text/plain")
	qs := []Request{
		{Target: "/", Header: with("Accept", "*/*")},
		{Target: "/a/b/c"},
		{Target: "/space%20value"},
		{Target: "/percent%25sign"},
		{Target: "/slash%2Finside", Not: decodes},
		{Target: "/plus+and%2Bplus", Not: decodes},
		{Target: "/colon:at@semi;comma,"},
		{Target: "/%E7%8E%8B/%C3%A9"},
		{Target: "//double//slashes/"},
		{Target: "/./dot/../segments"},
		{Target: "/trailing/"},
		{Target: "/quote'and(parens)*", Not: decodes},
		{Target: "/q?a=1"},
		{Target: "/q?a=1&b=2&a=3", Not: oneOnly},
		{Target: "/q?empty="},
		{Target: "/q?space=a%20b&plus=a+b&enc=a%2Bb"},
		{Target: "/q?url=https%3A%2F%2Fexample.com%2Fa%3Fb%3Dc%26d"},
		{Target: "/q?%E7%8E%8B=%C3%A9"},
		{Target: "/q?a%5B%5D=1&b%5Bc%5D=2"},
		{Target: "/q?semi=a;b", Not: refuses},
		{Target: "/q?comma=a,b,c"},
		{Target: "/q?percent=100%25"},
		{Target: "/q?bad=%zz", Not: refuses},
		{Method: "POST", Target: "/", Body: `{"message":"λ"}`, Header: with("Content-Type", "application/json")},
		{Method: "POST", Target: "/form", Body: "a=1&b=two+words&a=%2B", Header: with("Content-Type", "application/x-www-form-urlencoded")},
		{Method: "PUT", Target: "/", Body: "text with \"quotes\" and \\ and \n and \t", Header: text},
		{Method: "PATCH", Target: "/", Body: "x", Header: text},
		{Method: "DELETE", Target: "/"},
		{Method: "OPTIONS", Target: "/"},
		{Method: "HEAD", Target: "/"},
		{Method: "POST", Target: "/no-body"},
		{Method: "POST", Target: "/binary", Body: "\x89PNG\xff\xfe\x00\r\n", Header: with("Content-Type", "image/png")},
		{Method: "POST", Target: "/gzip", Body: "\x1f\x8b\x08\x00\x00", Header: http.Header{"Content-Encoding": {"gzip"}, "Content-Type": {"text/plain"}}},
		{Method: "POST", Target: "/nul", Body: "a\x00b\u2028c", Header: text},
		{Method: "POST", Target: "/emoji", Body: "😀 \U0010ffff", Header: text},
		{Method: "POST", Target: "/1k", Body: strings.Repeat("0123456789abcdef", 64), Header: text},
		{Method: "POST", Target: "/512k", Body: strings.Repeat("0123456789abcdef", 32<<10), Header: text},
		{Method: "POST", Target: "/1m", Body: strings.Repeat("\xff\xfe\xfd\xfc", 256<<10), Header: with("Content-Type", "application/octet-stream")},
		{Header: with("Cookie", "a=1")},
		{Header: with("Cookie", "a=1; b=2; c=three%20words")},
		{Header: with("Cookie", `q="quoted"; e=`)},
		{Header: with("If-Modified-Since", "Tue, 10 Nov 2026 12:00:00 GMT")},
		{Header: with("Accept", "text/html,application/json;q=0.9,*/*;q=0.8")},
		{Header: with("X-Repeat", "first", "second"), Not: lists},
		{Header: with("X-Repeat", "a, b", "c"), Not: lists},
		{Header: with("X-Empty", "")},
		{Header: with("X-Utf8", "caf\u00e9")},
		{Header: with("Authorization", "Bearer a.b.c")},
		{Header: with("X-MiXeD-cAsE", "1")},
		{Header: with("Range", "bytes=0-1")},
	}
	// Each character that means something somewhere, in each place.
	for _, c := range " !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~" {
		escaped := fmt.Sprintf("%%%02X", c)
		path := Request{Name: "path with " + escaped, Target: "/p/" + escaped}
		if !strings.ContainsRune(" \"#%<>?[\\]^`{|}", c) {
			path.Not = decodes // and this spelling of it is lost
		}
		qs = append(qs,
			path,
			Request{Name: "query with " + escaped, Target: "/q?v=" + escaped},
			Request{Name: fmt.Sprintf("header with %q", c), Header: with("X-Value", "a"+string(c)+"b")},
		)
	}
	for i := range qs {
		qs[i].fill()
	}
	return qs
}

func (q *Request) fill() {
	set := func(s *string, otherwise string) {
		if *s == "" {
			*s = otherwise
		}
	}
	set(&q.Method, http.MethodGet)
	set(&q.Target, "/")
	set(&q.Host, "service.example.com")
	if q.Header == nil {
		q.Header = http.Header{}
	}
	name := []string{q.Method, q.Target}
	for h, values := range q.Header {
		if h != "Content-Type" {
			name = append(name, fmt.Sprintf("%s: %q", h, values))
		}
	}
	set(&q.Name, strings.Join(name, " "))
}

// Answers gives the table for answers.
func Answers() []Answer {
	write := func(s string, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			for pair := range slices.Chunk(header, 2) {
				w.Header().Add(pair[0], pair[1])
			}
			_, _ = io.WriteString(w, s)
		}
	}
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	return []Answer{
		{"nothing written", func(http.ResponseWriter, *http.Request) {}},
		{"a status alone", status(http.StatusTeapot)},
		{"204", status(http.StatusNoContent)},
		{"304", status(http.StatusNotModified)},
		{"two WriteHeaders and a late header", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusCreated)
			w.Header().Set("X-Late", "1")
		}},
		{"103, then 200", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusOK)
		}},
		{"text", write("plain text, λ")},
		{"HTML by its beginning", write("<!DOCTYPE html><p>hello")},
		{"JSON", write(`{"a":"<&>\u2028 \" \\ "}`, "Content-Type", "application/json")},
		{"text with control characters", write("\x00\x01\x1f\u2028\u2029", "Content-Type", "text/plain")},
		{"PNG", write("\x89PNG\xff\xfe\x00", "Content-Type", "image/png")},
		{"text that is no UTF-8", write("caf\xe9", "Content-Type", "text/plain; charset=iso-8859-1")},
		{"binary that calls itself JSON", write("\xff\xfe", "Content-Type", "application/json")},
		{"a content encoding", write("as it is", "Content-Encoding", "identity", "Content-Type", "text/plain")},
		{"a cookie", write("x", "Set-Cookie", "a=1; Path=/; Expires=Tue, 10 Nov 2026 12:00:00 GMT")},
		{"two cookies", write("x", "Set-Cookie", "a=1; Path=/", "Set-Cookie", `b="2, or so"`)},
		{"a repeated header", write("x", "X-List", "a", "X-List", "b, c")},
		{"a redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere?a=b&c=%20", http.StatusFound)
		}},
		{"flushed halfway", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "a")
			_ = http.NewResponseController(w).Flush()
			_, _ = io.WriteString(w, "b")
		}},
		{"a length of its own", write("abc", "Content-Length", "3")},
		{"a write beyond the length", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "3")
			_, _ = io.WriteString(w, "abc")
			_, _ = io.WriteString(w, "def")
		}},
		{"a length that is none", notHEAD(write("abc", "Content-Length", "many"))},
		{"a status, then text", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusCreated)
			_, _ = io.WriteString(w, "made")
		}},
		{"HTML in pieces", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "<")
			_, _ = io.WriteString(w, "!DOCTYPE html><p>hello")
		}},
		{"a type that is nil", func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"], w.Header()["X-List"] = nil, nil
			_, _ = io.WriteString(w, "<!DOCTYPE html><p>hello")
		}},
		{"304 with what a 200 would say", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			w.Header().Set("Content-Length", "3")
			w.Header().Set("Etag", `"abc"`)
			w.WriteHeader(http.StatusNotModified)
			_, _ = io.WriteString(w, "abc")
		}},
		{"204 with a type", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			w.WriteHeader(http.StatusNoContent)
		}},
		{"a line break in a value", write("x", "X-List", " a\r\nX-Injected: 1\n")},
		{"names that are none", func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["X-Injected: 1\r\nX-List"] = []string{"a"}
			w.Header()["X List"], w.Header()[""] = []string{"a"}, []string{"a"}
			w.Header()["x-lower"] = []string{"a"}
			w.WriteHeader(http.StatusOK)
		}},
		{"a trailer", notHEAD(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Trailer", "X-Late")
			w.Header().Set(http.TrailerPrefix+"X-List", "a")
			_, _ = io.WriteString(w, "x")
			w.Header().Set("X-Late", "1")
		})},
		{"flushed before its type shows", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "<")
			_ = http.NewResponseController(w).Flush()
			_, _ = io.WriteString(w, "!DOCTYPE html><p>hello")
		}},
		{"flushed before its body", func(w http.ResponseWriter, _ *http.Request) {
			_ = http.NewResponseController(w).Flush()
			_, _ = io.WriteString(w, "<!DOCTYPE html><p>hello")
		}},
		{"a controller's deadlines", func(w http.ResponseWriter, _ *http.Request) {
			c := http.NewResponseController(w)
			soon := time.Now().Add(time.Minute)
			fmt.Fprint(w, c.SetReadDeadline(soon), c.SetWriteDeadline(soon), c.SetWriteDeadline(time.Time{}), c.EnableFullDuplex())
		}},
		{"copied from a reader", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.Copy(w, io.LimitReader(strings.NewReader(strings.Repeat("copied ", 2000)), 13000))
		}},
		{"a file", func(w http.ResponseWriter, r *http.Request) {
			http.ServeContent(w, r, "a.html", time.Unix(1<<30, 0), strings.NewReader("<p>a file</p>"))
		}},
		{"an error", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "99")
			w.Header().Set("Etag", "1")
			http.Error(w, "no such thing", http.StatusNotFound)
		}},
		{"a transfer coding of its own", write("x", "Transfer-Encoding", "chunked")},
		{"200 KB", write(strings.Repeat("0123456789", 20<<10))},
	}
}

// notHEAD keeps from HEAD what net/http itself sends a client of it unchecked.
func notHEAD(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodHead {
			h(w, r)
		}
	}
}
