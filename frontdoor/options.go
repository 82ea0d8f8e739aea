package frontdoor

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// Options are how a handler is served. The zero Options are good defaults.
type Options struct {
	// Addr is the host and port to listen on in HTTP mode; ":8080" where it is empty.
	Addr string
	// Also are further listeners in HTTP mode, with the same timeouts and drain.
	Also []Listener
	// OnListen is called once every listener of HTTP mode accepts, with their
	// addresses: Addr's, then Also's.
	OnListen func([]net.Addr)

	// DirectPath is where direct invocations go: an event that comes from no AWS
	// service becomes a POST to this path with the event as its JSON body. Where it
	// is empty they go to Events.
	DirectPath string
	// Events takes the invocations that are no HTTP requests, with the event as it
	// came, and gives the answer. Where it is nil such an invocation fails.
	Events func(ctx context.Context, event json.RawMessage) ([]byte, error)
	// BasePath, such as "/v1", is taken off the front of paths, by every door but Also
	// and direct invocations: of /v1 and /v1/x, never of /v1beta/x. It is for a path
	// that a load balancer's rule or a custom domain's mapping has, and for an HTTP
	// API's stage.
	BasePath string

	// Streaming has answers to a Function URL and a REST API go out as they are written.
	// It must be set where, and only where, the function is invoked that way (invoke
	// mode RESPONSE_STREAM): a function cannot see it (aws-lambda-go issue 503).
	Streaming bool

	// TrustedHops is how many right-most hops of X-Forwarded-For behind an
	// Application Load Balancer were added by proxies that are trusted, the load
	// balancer itself being the first; 1 where it is less.
	TrustedHops int
	// TrustedProxies are the networks whose X-Forwarded-For is believed in HTTP mode.
	TrustedProxies []netip.Prefix

	// The timeouts of HTTP mode, as net/http has them; 5 s, 30 s, 60 s and 120 s
	// where they are zero.
	ReadHeaderTimeout, ReadTimeout, WriteTimeout, IdleTimeout time.Duration
	// DrainDelay is how long HTTP mode goes on accepting after the signal, while
	// [Draining] is already true.
	DrainDelay time.Duration
	// DrainTimeout is how long requests in flight may take after that; 20 s where
	// it is zero.
	DrainTimeout time.Duration
	// AfterAnswer is called under Lambda once the answer to an invocation has been sent,
	// and the invocation goes on, and is billed, until it returns: for work that no
	// caller waits for, which would else freeze with the process. Its context is done
	// when the invocation's time is. HTTP mode has no need of it.
	AfterAnswer func(context.Context)
	// OnShutdown is called in order when the process is told to end: in HTTP mode
	// after the drain, under Lambda within the 400 ms that are left then. Lambda tells
	// only a function that has hooks: they cost it one call at its start, to register
	// the extension that Lambda sends a SIGTERM for.
	OnShutdown []func(context.Context)

	// OnTimeout is called, under Lambda, where a handler had not ended in time and the
	// request was answered with 504 in its place, or the answer that had begun to stream
	// broken off; with the request's context, so that what counts requests can count this
	// one. It may be nil.
	OnTimeout func(context.Context)

	// Logger gets what goes wrong; slog.Default where it is nil.
	Logger *slog.Logger
}

// Listener is one more address to serve in HTTP mode.
type Listener struct {
	Addr    string
	Handler http.Handler
}

func (o Options) withDefaults() Options {
	set := func(d *time.Duration, otherwise time.Duration) {
		if *d == 0 {
			*d = otherwise
		}
	}
	set(&o.ReadHeaderTimeout, 5*time.Second)
	set(&o.ReadTimeout, 30*time.Second)
	set(&o.WriteTimeout, 60*time.Second)
	set(&o.IdleTimeout, 120*time.Second)
	set(&o.DrainTimeout, 20*time.Second)
	if o.Addr == "" {
		o.Addr = ":8080"
	}
	o.TrustedHops = max(o.TrustedHops, 1)
	for _, path := range []*string{&o.BasePath, &o.DirectPath} {
		if *path != "" && !strings.HasPrefix(*path, "/") {
			*path = "/" + *path
		}
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}
