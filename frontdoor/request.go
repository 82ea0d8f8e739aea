package frontdoor

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
)

// request makes the request that net/http would have made of the same bytes. An error
// is the caller's: a 400.
func (e *event) request(ctx context.Context, o Options) (*http.Request, error) {
	path, query := e.target()
	path = stripBase(path, o.BasePath)
	uri := path
	if query != "" {
		uri += "?" + query
	}
	u, err := url.ParseRequestURI(uri)
	if err != nil {
		return nil, fmt.Errorf("parsing the path: %w", err)
	}
	body, err := e.payload()
	if err != nil {
		return nil, err
	}
	r := &http.Request{
		Method: e.method.String(), URL: u, RequestURI: uri,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: e.header(), Body: http.NoBody, ContentLength: int64(len(body)),
	}
	r.Host = r.Header.Get("Host")
	if r.Host == "" {
		r.Host = e.domain
	}
	r.Header.Del("Host")
	r.Header.Del("Transfer-Encoding") // the body is here, whole
	if len(body) > 0 {
		r.Body = io.NopCloser(bytes.NewReader(body))
		r.Header.Set("Content-Length", fmt.Sprint(len(body)))
	} else if r.Header.Get("Content-Length") != "" {
		r.Header.Set("Content-Length", "0")
	}
	r.RemoteAddr = e.remote(r.Header, o)
	return r.WithContext(ctx), nil
}

// target gives path and query as they stood in the request line, as far as the door
// kept them.
func (e *event) target() (path, query string) {
	switch e.door {
	case DoorHTTPAPI: // the path comes decoded
		return (&url.URL{Path: orRoot(e.rawPath.String())}).EscapedPath(), e.rawQuery.String()
	case DoorFunctionURL:
		return orRoot(e.rawPath.String()), e.rawQuery.String()
	case DoorREST: // the query comes decoded
		return orRoot(e.path.String()), joinQuery(e.multiOr(e.multiQuery, e.query), url.QueryEscape)
	default: // an Application Load Balancer leaves both as they came
		return orRoot(e.path.String()), joinQuery(e.multiOr(e.multiQuery, e.query), asIs)
	}
}

func (e *event) multiOr(multi, single []pair) []pair {
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

// header gives the headers, cookies included. A value is never split: a list of
// values comes from a door that gives lists.
func (e *event) header() http.Header {
	all := e.multiOr(e.multiHeaders, e.headers)
	h := make(http.Header, len(all)+1)
	for _, p := range all {
		key := textproto.CanonicalMIMEHeaderKey(p.name)
		h[key] = append(h[key], p.value)
	}
	if len(e.cookies) > 0 && h["Cookie"] == nil {
		h["Cookie"] = []string{strings.Join(e.cookies, "; ")}
	}
	return h
}

func (e *event) payload() ([]byte, error) {
	if e.door == DoorDirect {
		return e.raw, nil
	}
	s := e.body.String()
	if !e.base64 {
		return []byte(s), nil
	}
	body, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return nil, fmt.Errorf("decoding the body: %w", err)
	}
	return body, nil
}

// remote gives the client's address: what the door itself says, else what the load
// balancer, or the outermost of the trusted proxies, added to X-Forwarded-For.
func (e *event) remote(h http.Header, o Options) string {
	if e.sourceIP != "" {
		return hostPort(e.sourceIP)
	}
	if hop, ok := clientHop(h.Values("X-Forwarded-For"), o.TrustedHops); ok {
		return hostPort(hop)
	}
	return "0.0.0.0:0"
}

// direct makes the POST of a direct invocation.
func (e *event) direct(ctx context.Context, path string) *http.Request {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, path, bytes.NewReader(e.raw))
	if err != nil {
		panic(err) // the path comes from Options and is a constant of the program
	}
	r.RequestURI, r.RemoteAddr, r.Host = path, "0.0.0.0:0", ""
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Content-Length", fmt.Sprint(len(e.raw)))
	return r
}

func isFunctionURL(domain string) bool { return strings.Contains(domain, ".lambda-url.") }
