package gateway

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// ServeHTTP implements http.Handler: it does with a request what its rule says.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{}
	if g.options.AccessLog {
		counted := &countingWriter{ResponseWriter: w}
		w = counted
		defer func(began time.Time) { g.access(r, x, counted, time.Since(began)) }(time.Now())
	}
	if r.Method == http.MethodTrace {
		g.answer(w, http.StatusMethodNotAllowed)
		return
	}
	path, _ := requestTarget(r)
	// The last rule is the default, which has no conditions.
	x.rule = g.rules[slices.IndexFunc(g.rules, func(rule *rule) bool { return rule.meets(r, path) })]
	if f := x.rule.fixed; f != nil {
		fixed(w, f)
		return
	}
	var err error
	if x.body, err = readBody(r); err != nil {
		g.answer(w, http.StatusBadRequest)
		return
	}
	if x.body.rest != nil {
		// An answer may begin before the body ends; net/http would else drain the body
		// first. Only HTTP/1 has the switch, and needs it.
		_ = http.NewResponseController(w).EnableFullDuplex()
	}
	// Whoever sends the request gets its body from the exchange.
	in := r.WithContext(context.WithValue(r.Context(), exchangeKey{}, x))
	in.Body = http.NoBody
	g.proxy.ServeHTTP(w, in)
}

func fixed(w http.ResponseWriter, f *FixedResponse) {
	media := f.ContentType
	orElse(&media, "text/plain")
	w.Header().Set("Content-Type", media)
	w.WriteHeader(f.StatusCode)
	_, _ = w.Write([]byte(f.MessageBody)) // a client that has gone shows in the access log
}

// fail answers a request that no target answered.
func (g *Gateway) fail(w http.ResponseWriter, r *http.Request, err error) {
	status := http.StatusBadGateway
	if f, ok := errors.AsType[*failure](err); ok {
		status = f.status
	}
	if r.Context().Err() == nil { // else the client has gone, which is no fault here
		g.log.Warn("request failed", "status", status, "method", r.Method, "reason", err.Error())
	}
	g.answer(w, status)
}

// answer is the load balancer's own: a status and its name.
func (g *Gateway) answer(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "text/plain")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(strconv.Itoa(status) + " " + http.StatusText(status) + "\n")) // as in fixed
}

// access logs one request. A query may hold what is nobody's business, so only the
// path is there.
func (g *Gateway) access(r *http.Request, x *exchange, w *countingWriter, took time.Duration) {
	path, _ := requestTarget(r)
	g.log.Info("request", "method", r.Method, "path", path, "status", w.status, "bytes", w.bytes,
		"took", took.Round(time.Microsecond), "group", x.group, "target", x.target, "attempts", x.attempts)
}

// countingWriter remembers what the access log needs.
type countingWriter struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// WriteHeader implements http.ResponseWriter.
func (w *countingWriter) WriteHeader(status int) {
	if status >= 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *countingWriter) Write(b []byte) (int, error) {
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Unwrap is for http.ResponseController.
func (w *countingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
