package frontdoor

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// exchange is everything that one request needs, in one piece of memory.
type exchange struct {
	event  event
	url    url.URL
	body   body
	writer writer
	ctx    eventContext
	cancel context.CancelFunc
	values [usual]string
}

// usual is how many headers most requests have, at the most; with it an exchange just fits
// one of the sizes that Go's allocator has.
const usual = 18

// eventContext is a request's context: it knows the event.
type eventContext struct {
	context.Context
	event *event
}

// Value implements context.Context.
func (c *eventContext) Value(key any) any {
	if key == (eventKey{}) {
		return c.event
	}
	return c.Context.Value(key)
}

// blank is what every request begins as; it is never changed.
var blank = http.Request{Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Body: http.NoBody}

// request makes the request that net/http would have made of the same bytes. An error
// is the client's: a 400.
func (x *exchange) request(o Options) (*http.Request, error) {
	e := &x.event
	defer func() {
		e.release()
		e.fields = nil
	}()
	r := blank.WithContext(&x.ctx) // a copy
	if e.door == DoorDirect {
		x.url.Path, r.URL, r.RequestURI = o.DirectPath, &x.url, o.DirectPath
		r.Method, r.RemoteAddr = http.MethodPost, nobody
		r.Header = http.Header{"Content-Type": {"application/json"}}
		x.give(r, e.text)
		x.trace(r)
		return r, nil
	}
	if err := x.target(r, o); err != nil {
		return nil, err
	}
	payload, err := e.payload()
	if err != nil {
		return nil, err
	}
	if r.Method = e.method.String(); !sendable(r.Method) {
		return nil, errMethod
	}
	r.Header, r.Host = x.header()
	x.give(r, payload)
	r.RemoteAddr = e.remote(r.Header, o)
	x.trace(r)
	return r, nil
}

// trace has a request that came with no trace id carry the invocation's (AWS X-Ray,
// "Tracing header"). One that the door or the client gave stays: logs go by it.
func (x *exchange) trace(r *http.Request) {
	if len(r.Header["X-Amzn-Trace-Id"]) > 0 {
		return
	}
	// aws-lambda-go puts it under this plain string.
	if id, ok := x.ctx.Context.Value("x-amzn-trace-id").(string); ok && id != "" {
		r.Header["X-Amzn-Trace-Id"] = []string{id}
	}
}

// give gives r its body, and the header that says how long it is.
func (x *exchange) give(r *http.Request, payload string) {
	if len(payload) > 0 {
		x.body.rest = payload
		r.Body, r.ContentLength = &x.body, int64(len(payload))
	}
	said := r.Header["Content-Length"]
	if len(said) == 0 && len(payload) == 0 {
		return
	}
	if len(said) == 1 {
		if n, err := strconv.Atoi(said[0]); err == nil && n == len(payload) {
			return
		}
	}
	r.Header["Content-Length"] = []string{strconv.Itoa(len(payload))}
}

// body is a request's body: the text of the event, or what is decoded from it.
type body struct {
	rest   string
	closed bool
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	switch {
	case b.closed:
		return 0, http.ErrBodyReadAfterClose
	case b.rest == "":
		return 0, io.EOF
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

// WriteTo implements io.WriterTo.
func (b *body) WriteTo(w io.Writer) (int64, error) {
	n, err := io.WriteString(w, b.rest)
	b.rest = b.rest[n:]
	return int64(n), err
}

// Close implements io.Closer.
func (b *body) Close() error {
	b.rest, b.closed = "", true
	return nil
}

// These do not repeat what they were given.
var (
	errMethod = errors.New("the method is not one of a request line")
	errPath   = errors.New("the path is not one of a request line")
)

// target gives r path and query as they stood in the request line, as far as the door
// kept them.
func (x *exchange) target(r *http.Request, o Options) error {
	e := &x.event
	path, query := e.pathAndQuery()
	path = stripBase(path, o.BasePath)
	if r.RequestURI = path; query != "" {
		r.RequestURI = path + "?" + query
	}
	r.URL = &x.url
	if plain(path) && !hasControl(query) {
		x.url.Path, x.url.RawQuery = path, query // what parsing would give
		return nil
	}
	u, err := url.ParseRequestURI(r.RequestURI)
	if err != nil {
		return errPath
	}
	x.url = *u
	return nil
}

// hasControl says whether there is an ASCII control character in s, which no URL may have.
func hasControl(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] == 0x7f {
			return true
		}
	}
	return false
}

// plain says whether a path is its own escaped form and begins no authority.
func plain(path string) bool {
	if len(path) == 0 || path[0] != '/' || len(path) > 1 && path[1] == '/' {
		return false
	}
	for i := range len(path) {
		switch c := path[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '/', c == '-', c == '_', c == '.', c == '~':
		default:
			return false
		}
	}
	return true
}

func (e *event) pathAndQuery() (path, query string) {
	switch e.door {
	case DoorHTTPAPI: // the path comes decoded
		path = orRoot(e.rawPath.String())
		if !plain(path) {
			path = (&url.URL{Path: path}).EscapedPath()
		}
		return path, e.rawQuery.String()
	case DoorFunctionURL:
		return orRoot(e.rawPath.String()), e.rawQuery.String()
	case DoorREST: // the query comes decoded
		return orRoot(e.path.String()), joinQuery(either(e.multiQuery, e.query), url.QueryEscape)
	default: // an Application Load Balancer leaves both as they came
		return orRoot(e.path.String()), joinQuery(either(e.multiQuery, e.query), asIs)
	}
}

// either gives the faithful form where there is one.
func either(multi, single []pair) []pair {
	if len(multi) > 0 {
		return multi
	}
	return single
}

func orRoot(path string) string {
	if path == "" {
		return "/"
	}
	return path
}

func asIs(s string) string { return s }

func joinQuery(all []pair, escape func(string) string) string {
	if len(all) == 0 {
		return ""
	}
	var b strings.Builder
	for i, p := range all {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(escape(p.name))
		b.WriteByte('=')
		b.WriteString(escape(p.value))
	}
	return b.String()
}

// stripBase takes base off the front of path where it is whole segments.
func stripBase(path, base string) string {
	base = strings.TrimSuffix(base, "/")
	rest, ok := strings.CutPrefix(path, base)
	switch {
	case base == "" || !ok:
		return path
	case rest == "":
		return "/"
	case rest[0] == '/':
		return rest
	}
	return path
}

// payload gives the body as it was before the event.
func (e *event) payload() (string, error) {
	s := e.body.String()
	if !e.base64 {
		return s, nil
	}
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return "", fmt.Errorf("decoding the body: %w", err)
	}
	return string(b), nil
}

// nobody is the address of a client that a door says nothing of.
const nobody = "0.0.0.0:0"

// remote gives the client's address: what the door itself says, else what the load
// balancer, or the outermost of the trusted proxies, added to X-Forwarded-For.
func (e *event) remote(h http.Header, o Options) string {
	if e.sourceIP != "" {
		return hostPort(e.sourceIP)
	}
	if hop, ok := clientHop(h["X-Forwarded-For"], o.TrustedHops); ok {
		return hostPort(hop)
	}
	return nobody
}

func isFunctionURL(domain string) bool { return strings.Contains(domain, ".lambda-url.") }
