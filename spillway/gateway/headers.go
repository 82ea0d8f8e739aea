package gateway

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"strings"
	"time"
)

// traceHeader names a request across services (Elastic Load Balancing, "Request
// tracing for your Application Load Balancer").
const traceHeader = "X-Amzn-Trace-Id"

// rewrite gives the request to a target the headers that a load balancer adds (Elastic
// Load Balancing, "HTTP headers and Application Load Balancers"). Everything else stays
// as the client sent it, but for hop-by-hop headers, which httputil has taken off.
func rewrite(p *httputil.ProxyRequest, port string) {
	// httputil has dropped what a client may have forged; a load balancer appends.
	for _, name := range []string{"Forwarded", "X-Forwarded-Host", "X-Forwarded-For"} {
		if v, ok := p.In.Header[name]; ok {
			p.Out.Header[name] = v
		}
	}
	client, _, err := net.SplitHostPort(p.In.RemoteAddr)
	if err != nil {
		client = p.In.RemoteAddr
	}
	if before := strings.Join(p.In.Header["X-Forwarded-For"], ", "); before != "" {
		client = before + ", " + client
	}
	h := p.Out.Header
	h.Set("X-Forwarded-For", client)
	h.Set("X-Forwarded-Proto", "http")
	h.Set("X-Forwarded-Port", port)
	h.Set(traceHeader, trace(p.In.Header.Get(traceHeader), time.Now()))

	// The target is as the client wrote it: httputil would drop queries that it
	// cannot parse, and net/url spell some paths in its own way.
	path, query := requestTarget(p.In)
	p.Out.URL.RawQuery = query
	if p.Out.URL.EscapedPath() != path && !strings.HasPrefix(path, "//") {
		p.Out.URL.Opaque = path
	}
}

// requestTarget gives path and query as they stand in the request line.
func requestTarget(r *http.Request) (path, query string) {
	if !strings.HasPrefix(r.RequestURI, "/") { // absolute, or OPTIONS *
		return r.URL.EscapedPath(), r.URL.RawQuery
	}
	path, query, _ = strings.Cut(r.RequestURI, "?")
	return path, query
}

// trace gives the trace header of a request that came with another, or none: a Root of
// its own where there is none, else its own Self before what is there.
func trace(came string, now time.Time) string {
	id := traceID(now)
	fields := make([]string, 0, 4)
	root := false
	for field := range strings.SplitSeq(came, ";") {
		field = strings.TrimSpace(field)
		name, _, _ := strings.Cut(field, "=")
		if field == "" || name == "Self" {
			continue
		}
		root = root || name == "Root"
		fields = append(fields, field)
	}
	own := "Root=" + id
	if root {
		own = "Self=" + id
	}
	return strings.Join(append([]string{own}, fields...), ";")
}

// traceID gives 1-<seconds since 1970, 8 hex digits>-<24 random hex digits>.
func traceID(now time.Time) string {
	var id [12]byte
	_, _ = rand.Read(id[:]) // never fails
	return fmt.Sprintf("1-%08x-%s", now.Unix(), hex.EncodeToString(id[:]))
}
