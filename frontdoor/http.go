package frontdoor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// idleGrace is how long idle connections stay open once nobody new is accepted, so
// that a request that is on its way on one of them is not cut.
const idleGrace = 500 * time.Millisecond

// serveHTTP listens, serves until ctx is done, and drains.
func serveHTTP(ctx context.Context, h http.Handler, o Options) error {
	var draining atomic.Bool
	base, cut := context.WithCancelCause(context.WithValue(context.WithoutCancel(ctx), drainingKey{}, &draining))
	defer cut(nil) // last: what is in flight keeps its context through the drain

	listeners := append([]Listener{{Addr: o.Addr, Handler: forwarded(based(h, o.BasePath), o)}}, o.Also...)
	servers := make([]*http.Server, len(listeners))
	open := make([]net.Listener, 0, len(listeners))
	addrs := make([]net.Addr, 0, len(listeners))
	closeAll := func() {
		for _, l := range open {
			_ = l.Close() // closed by a server already, or about to go with the process
		}
	}
	defer closeAll()
	for i, l := range listeners {
		listener, err := new(net.ListenConfig).Listen(ctx, "tcp", l.Addr)
		if err != nil {
			return listenError(l.Addr, err)
		}
		open, addrs = append(open, newSweptListener(listener, sweepEvery)), append(addrs, listener.Addr())
		servers[i] = newServer(base, closing(l.Handler, &draining), o)
	}

	failed := make(chan error, len(servers))
	for i, s := range servers {
		go func() {
			if err := s.Serve(open[i]); !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
				failed <- fmt.Errorf("serving %s: %w", addrs[i], err)
			}
		}()
	}
	if o.OnListen != nil {
		o.OnListen(addrs)
	}
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}

	draining.Store(true)
	if o.DrainDelay > 0 {
		time.Sleep(o.DrainDelay)
	}
	closeAll()
	time.Sleep(min(idleGrace, o.DrainTimeout/2))
	err := drain(base, servers, cut, o)
	for _, hook := range o.OnShutdown {
		hook(context.WithoutCancel(base))
	}
	return err
}

// listenError says in one line what is wrong with an address.
func listenError(addr string, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("listening on %s: the address is in use by another process", addr)
	}
	return fmt.Errorf("listening: %w", err)
}

func newServer(base context.Context, h http.Handler, o Options) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		Handler:           h,
		Protocols:         protocols,
		ReadHeaderTimeout: o.ReadHeaderTimeout,
		ReadTimeout:       o.ReadTimeout,
		WriteTimeout:      o.WriteTimeout,
		IdleTimeout:       o.IdleTimeout,
		BaseContext:       func(net.Listener) context.Context { return base },
		ErrorLog:          slog.NewLogLogger(o.Logger.Handler(), slog.LevelWarn),
	}
}

// closing has the answers of a drain say that their connection ends with them.
// SetKeepAlivesEnabled would do so too, but also cuts idle connections at once.
func closing(h http.Handler, draining *atomic.Bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if draining.Load() {
			w.Header().Set("Connection", "close")
		}
		h.ServeHTTP(w, r)
	})
}

// based takes base off the front of h's paths.
func based(h http.Handler, base string) http.Handler {
	if base == "" {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, query, more := strings.Cut(r.RequestURI, "?")
		uri := stripBase(path, base)
		if uri == path {
			h.ServeHTTP(w, r)
			return
		}
		if more {
			uri += "?" + query
		}
		u, err := url.ParseRequestURI(uri)
		if err != nil { // what is left of a path that was one
			problem(w, http.StatusBadRequest)
			return
		}
		stripped := r.WithContext(r.Context()) // a copy
		stripped.URL, stripped.RequestURI = u, uri
		h.ServeHTTP(w, stripped)
	})
}

// drain waits for what is in flight, within the drain's timeout, and cuts what is left.
func drain(base context.Context, servers []*http.Server, cut context.CancelCauseFunc, o Options) error {
	ctx, cancel := context.WithTimeout(base, o.DrainTimeout)
	defer cancel()
	results := make(chan error, len(servers))
	for _, s := range servers {
		go func() { results <- s.Shutdown(ctx) }()
	}
	var late error
	for range servers {
		late = cmp.Or(late, <-results)
	}
	if late == nil {
		return nil
	}
	cut(ErrDrainTimeout)
	failures := []error{fmt.Errorf("draining: requests were still in flight after %v: %w", o.DrainTimeout, late)}
	for _, s := range servers {
		failures = append(failures, s.Close())
	}
	return errors.Join(failures...)
}
