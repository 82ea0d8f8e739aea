package httpapi

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/netip"
	"regexp"
	"runtime/debug"
	"time"

	"github.com/felixge/httpsnoop"

	"spillway.example/frontdoor"
	"spillway.example/services/internal/account"
	"spillway.example/services/internal/telemetry"
)

// Handler gives what is to be served: the operations and whatever else is on Mux,
// with every failure a problem and one log line a request.
func (a *API) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := requestID(r)
		r = r.WithContext(withClient(telemetry.WithRequestID(r.Context(), id), r.RemoteAddr))
		w.Header().Set("X-Request-Id", id)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store")
		m := httpsnoop.CaptureMetricsFn(w, func(w http.ResponseWriter) { a.serve(w, r) })
		level := slog.LevelInfo
		if r.URL.Path == readyPath || r.URL.Path == healthPath {
			level = slog.LevelDebug // asked every few seconds
		}
		a.log.LogAttrs(r.Context(), level, "request",
			slog.String("method", r.Method),
			slog.String("route", r.Pattern), // never the path, which anybody may fill with anything
			slog.Int("status", m.Code),
			slog.Duration("duration", m.Duration.Round(time.Microsecond)),
			slog.Int64("bytes", m.Written),
			slog.String("door", frontdoor.DoorOf(r.Context()).String()),
		)
	})
}

var saneID = regexp.MustCompile(`^[A-Za-z0-9._=+/:-]{1,128}$`)

// requestID takes the caller's id for the request if it is fit for a log, or makes one.
func requestID(r *http.Request) string {
	if id := r.Header.Get("X-Request-Id"); saneID.MatchString(id) {
		return id
	}
	return rand.Text()
}

// withClient tells the domain where a request came from, which the door has found out
// (see frontdoor's Options.TrustedProxies). A direct invocation comes from nowhere.
func withClient(ctx context.Context, remote string) context.Context {
	if peer, err := netip.ParseAddrPort(remote); err == nil {
		return account.WithClient(ctx, peer.Addr())
	}
	return ctx
}

func (a *API) serve(w http.ResponseWriter, r *http.Request) {
	wrote := false
	w = httpsnoop.Wrap(w, httpsnoop.Hooks{WriteHeader: func(next httpsnoop.WriteHeaderFunc) httpsnoop.WriteHeaderFunc {
		return func(code int) { wrote = true; next(code) }
	}})
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		if v == http.ErrAbortHandler || wrote { //nolint:errorlint // panicked with as it is; net/http compares so too
			panic(v) // nothing clean can be said any more
		}
		a.log.ErrorContext(r.Context(), "panic", "value", v, "stack", string(debug.Stack()))
		edgeProblem(r.Context(), http.StatusInternalServerError).write(w)
	}()
	if isDirect(r.Context()) {
		w = direct(w)
	}
	if h, pattern := a.Mux.Handler(r); pattern == "" {
		a.unrouted(w, r, h)
		return
	}
	a.Mux.ServeHTTP(w, r)
}

// unrouted answers what the mux would answer with plain text: 404, and 405 with Allow.
func (a *API) unrouted(w http.ResponseWriter, r *http.Request, h http.Handler) {
	probe := &headerOnly{header: http.Header{}, status: http.StatusNotFound}
	h.ServeHTTP(probe, r)
	if allow := probe.header.Get("Allow"); allow != "" {
		w.Header().Set("Allow", allow)
	}
	edgeProblem(r.Context(), probe.status).write(w)
}

// headerOnly keeps the status and headers of an answer.
type headerOnly struct {
	header http.Header
	status int
}

func (h *headerOnly) Header() http.Header         { return h.header }
func (h *headerOnly) WriteHeader(status int)      { h.status = status }
func (h *headerOnly) Write(b []byte) (int, error) { return len(b), nil }

// direct gives a writer for a direct invocation, whose caller is told of what is
// unexpected in the form that such invocations always had.
func direct(w http.ResponseWriter) http.ResponseWriter {
	replaced := false
	return httpsnoop.Wrap(w, httpsnoop.Hooks{
		WriteHeader: func(next httpsnoop.WriteHeaderFunc) httpsnoop.WriteHeaderFunc {
			return func(code int) {
				if code == http.StatusInternalServerError {
					replaced = true
					w.Header().Set("Content-Type", "application/json")
					w.Header().Del("Content-Length")
				}
				next(code)
				if replaced {
					_, _ = w.Write([]byte(directInternal))
				}
			}
		},
		Write: func(next httpsnoop.WriteFunc) httpsnoop.WriteFunc {
			return func(b []byte) (int, error) {
				if replaced {
					return len(b), nil
				}
				return next(b)
			}
		},
	})
}
