package httpapi

import (
	"context"
	"net/http"
	"net/netip"
	"path"
	"runtime/debug"
	"strings"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/telemetry"
)

// Handler gives what is to be served: the operations and whatever else is on Mux, with
// every failure a problem and every request recorded.
func (a *API) Handler() http.Handler {
	return a.telemetry.Handler(func(w *telemetry.Writer, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store")
		a.serve(w, r.WithContext(withClient(r.Context(), r.RemoteAddr)))
	}, func(path string) bool { return path == readyPath || path == healthPath })
}

// withClient tells the domain where a request came from, which the door has found out
// (see frontdoor's Options.TrustedProxies). A direct invocation comes from nowhere.
func withClient(ctx context.Context, remote string) context.Context {
	if peer, err := netip.ParseAddrPort(remote); err == nil {
		return account.WithClient(ctx, peer.Addr())
	}
	return ctx
}

func (a *API) serve(w *telemetry.Writer, r *http.Request) {
	var to http.ResponseWriter = w
	if isDirect(r.Context()) {
		to = &directWriter{ResponseWriter: w}
	}
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		if v == http.ErrAbortHandler || w.Started() { //nolint:errorlint // panicked with as it is; net/http compares so too
			panic(v) // nothing clean can be said any more
		}
		a.log.ErrorContext(r.Context(), "panic", "value", v, "stack", string(debug.Stack()))
		edgeProblem(r.Context(), http.StatusInternalServerError).write(to)
	}()
	h, pattern := a.Mux.Handler(r)
	if pattern == "" || !clean(r.URL.EscapedPath()) || pattern == r.URL.Path+"/" { // the last the mux would redirect
		a.unrouted(to, r, h)
		return
	}
	if id, ok := a.operations[pattern]; ok {
		telemetry.SetOperation(r.Context(), id, pattern)
	} else {
		telemetry.SetRoute(r.Context(), pattern)
	}
	a.Mux.ServeHTTP(to, r)
}

// clean says whether a path is as the mux knows paths. It would redirect others, such as
// //register, to what they may have meant: an API has one name for a thing, and clients
// that follow a redirect with a body and its secrets are few.
func clean(p string) bool {
	c := path.Clean(p)
	return strings.HasPrefix(p, "/") && (p == c || p == c+"/")
}

// unrouted answers what the mux would answer with plain text: 404, and 405 with Allow.
func (a *API) unrouted(w http.ResponseWriter, r *http.Request, h http.Handler) {
	status := http.StatusNotFound
	if clean(r.URL.EscapedPath()) {
		probe := headerOnly{}
		h.ServeHTTP(probe, r)
		if allow := probe.Header().Get("Allow"); allow != "" {
			w.Header().Set("Allow", allow)
			status = http.StatusMethodNotAllowed
		}
	}
	edgeProblem(r.Context(), status).write(w)
}

// headerOnly keeps the headers of an answer.
type headerOnly http.Header

func (h headerOnly) Header() http.Header       { return http.Header(h) }
func (headerOnly) WriteHeader(int)             {}
func (headerOnly) Write(b []byte) (int, error) { return len(b), nil }

// directWriter answers a direct invocation, whose caller is told of what is unexpected in
// the form that such invocations always had.
type directWriter struct {
	http.ResponseWriter
	replaced bool
}

// WriteHeader implements http.ResponseWriter.
func (w *directWriter) WriteHeader(status int) {
	if status != http.StatusInternalServerError {
		w.ResponseWriter.WriteHeader(status)
		return
	}
	w.replaced = true
	w.Header().Set("Content-Type", "application/json")
	w.Header().Del("Content-Length")
	w.ResponseWriter.WriteHeader(status)
	_, _ = w.ResponseWriter.Write([]byte(directInternal)) // the door keeps it until it is whole
}

// Write implements http.ResponseWriter.
func (w *directWriter) Write(b []byte) (int, error) {
	if w.replaced {
		return len(b), nil
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController find what else the writer can do.
func (w *directWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
