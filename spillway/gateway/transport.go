package gateway

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"time"
)

// connectTimeout is how long a target may take to accept a connection.
const connectTimeout = 3 * time.Second

// newTransport gives connections to one target, which know how much was sent on them.
func newTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: connectTimeout}
	return &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return &meteredConn{Conn: c}, nil
		},
		DisableCompression:    true, // what the client accepts is the client's
		MaxIdleConnsPerHost:   256,
		IdleConnTimeout:       60 * time.Second,
		ExpectContinueTimeout: time.Second,
	}
}

type meteredConn struct {
	net.Conn
	sent atomic.Int64
}

// Write implements net.Conn.
func (c *meteredConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.sent.Add(int64(n))
	return n, err
}

// sending follows one request through a transport, to know afterwards whether the
// target can have seen anything of it.
type sending struct {
	mu     sync.Mutex
	conn   *meteredConn // nil until there is one
	before int64        // what had been sent on it when the request got it
}

func (s *sending) trace(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { // also when the transport tries again by itself
			s.mu.Lock()
			defer s.mu.Unlock()
			s.conn = nil
		},
		GotConn: func(info httptrace.GotConnInfo) {
			s.mu.Lock()
			defer s.mu.Unlock()
			if c, ok := info.Conn.(*meteredConn); ok {
				s.conn, s.before = c, c.sent.Load()
			}
		},
	})
}

// failure says what became of a request that brought an error.
func (s *sending) failure(ctx context.Context, err error) *failure {
	if ctx.Err() != nil { // the client has gone, or the target took too long
		return failed(final, http.StatusGatewayTimeout, context.Cause(ctx))
	}
	status := http.StatusBadGateway
	if timeout := net.Error(nil); errors.As(err, &timeout) && timeout.Timeout() {
		status = http.StatusGatewayTimeout
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.conn == nil:
		return failed(unsent, status, err)
	case s.conn.sent.Load() == s.before: // it had been closed while it lay idle
		return failed(busy, status, err)
	}
	return failed(unknown, status, err)
}
