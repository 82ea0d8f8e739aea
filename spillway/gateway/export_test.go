package gateway

import (
	"context"
	"errors"
	"net"
	"net/http"
)

// What tests look at on its own.
var (
	Match       = match
	Trace       = trace
	ParseAnswer = parseAnswer
)

type Sending = sending

func Follow(s *Sending, ctx context.Context) context.Context { return s.trace(ctx) }

func FailureOf(s *Sending, ctx context.Context, err error) error { return s.failure(ctx, err) }

// HasNotRun says whether an error is that of an attempt that has not run.
func HasNotRun(err error) bool {
	var f *failure
	return errors.As(err, &f) && f.fate == busy
}

// NewTransport gives a target's transport over connections of the test's.
func NewTransport(dial func() net.Conn) *http.Transport {
	t := newTransport()
	t.DialContext = func(context.Context, string, string) (net.Conn, error) { return &meteredConn{Conn: dial()}, nil }
	return t
}
