package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"syscall"
	"time"
)

// Options are what a gateway needs besides its configuration.
type Options struct {
	// Logger gets a line for every change of a target's state; slog.Default where it
	// is nil.
	Logger *slog.Logger
	// AccessLog adds a line for every request.
	AccessLog bool
	// DrainTimeout is how long requests in flight may take when the gateway ends; 20 s
	// where it is zero.
	DrainTimeout time.Duration
}

// Gateway is a load balancer whose listeners are open. Make one with [Listen] and have
// it work with [Gateway.Serve].
type Gateway struct {
	cfg     Config
	options Options
	log     *slog.Logger
	groups  map[string]*group
	rules   []*rule
	proxy   *httputil.ReverseProxy

	public, admin net.Listener
}

// Listen makes a gateway of a configuration that [Load] gave, and opens its listeners.
func Listen(ctx context.Context, cfg Config, o Options) (*Gateway, error) {
	orElse(&o.DrainTimeout, 20*time.Second)
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	g := &Gateway{cfg: cfg, options: o, log: o.Logger, groups: map[string]*group{}}
	for name, c := range cfg.TargetGroups {
		g.groups[name] = &group{name: name, cfg: c, log: o.Logger}
	}
	g.rules = newRules(cfg.Listener, g.groups)
	var err error
	if g.public, err = listen(ctx, cfg.Listener.Address); err != nil {
		return nil, err
	}
	if g.admin, err = listen(ctx, cfg.Admin); err != nil {
		_ = g.public.Close() // nothing was accepted on it
		return nil, err
	}
	_, port, err := net.SplitHostPort(g.public.Addr().String())
	if err != nil {
		return nil, fmt.Errorf("reading the listener's address: %w", err)
	}
	g.proxy = &httputil.ReverseProxy{
		Rewrite:      func(p *httputil.ProxyRequest) { rewrite(p, port) },
		Transport:    &balancer{idleTimeout: cfg.Listener.IdleTimeout},
		ErrorHandler: g.fail,
		ErrorLog:     slog.NewLogLogger(o.Logger.Handler(), slog.LevelDebug), // clients that go away
	}
	return g, nil
}

func listen(ctx context.Context, address string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("listening on %s: the port is taken", address)
	case err != nil:
		return nil, fmt.Errorf("listening: %w", err)
	}
	return l, nil
}

// Addr gives the address of the public listener.
func (g *Gateway) Addr() string { return g.public.Addr().String() }

// AdminAddr gives the address of the admin listener.
func (g *Gateway) AdminAddr() string { return g.admin.Addr().String() }

// Serve checks the targets and serves requests until ctx is done; then it takes nothing
// new and waits for what is in flight. Call it once.
func (g *Gateway) Serve(ctx context.Context) error {
	// Health checks go on through the drain; requests in flight may need a target.
	work, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	for name, c := range g.cfg.TargetGroups {
		for _, id := range c.Targets {
			if _, err := g.groups[name].add(work, id, newBackend(id, name, c)); err != nil {
				return fmt.Errorf("registering %s: %w", id, err)
			}
		}
	}
	servers := []*http.Server{g.server(g), g.server(g.adminHandler(work))}
	stopped := make(chan error, len(servers))
	for i, l := range []net.Listener{g.public, g.admin} {
		go func() { stopped <- servers[i].Serve(l) }()
	}
	g.log.Info("gateway", "listener", g.Addr(), "admin", g.AdminAddr())
	var err error
	select {
	case <-ctx.Done():
	case err = <-stopped:
	}
	g.log.Info("gateway is draining")
	drain, cancel := context.WithTimeout(work, g.options.DrainTimeout)
	defer cancel()
	for _, s := range servers {
		if e := s.Shutdown(drain); e != nil {
			err = errors.Join(err, fmt.Errorf("draining: %w", e), s.Close())
		}
	}
	return err
}

func (g *Gateway) server(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       g.cfg.Listener.IdleTimeout,
		MaxHeaderBytes:    64 << 10, // Elastic Load Balancing, "Quotas": 64K for all headers
		ErrorLog:          slog.NewLogLogger(g.log.Handler(), slog.LevelDebug),
	}
}

func newBackend(id, group string, c TargetGroup) backend {
	if c.Type == TypeLambda {
		return newLambdaTarget(id, group, c)
	}
	return newHTTPTarget(id, c)
}
