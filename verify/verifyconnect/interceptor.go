// Package verifyconnect checks the bearer tokens of Connect and gRPC requests. It is apart
// from package verify so that only those who serve Connect depend on it.
package verifyconnect

import (
	"context"
	"errors"
	"net/http"

	"connectrpc.com/connect"

	"spillway.example/verify"
)

// NewInterceptor makes an interceptor for handlers: it lets calls with a good bearer token
// through, with its claims in their context ([verify.FromContext]), and refuses others
// with CodeUnauthenticated, CodePermissionDenied where the token lacks one of the scopes,
// and CodeUnavailable where tokens cannot be checked. Calls of clients it leaves alone.
func NewInterceptor(v *verify.Verifier, scopes ...string) connect.Interceptor {
	return interceptor{v, scopes}
}

type interceptor struct {
	verifier *verify.Verifier
	scopes   []string
}

// WrapUnary implements [connect.Interceptor].
func (i interceptor) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
		if req.Spec().IsClient {
			return next(ctx, req)
		}
		ctx, err := i.check(ctx, req.Header(), req.Peer())
		if err != nil {
			return nil, err
		}
		return next(ctx, req)
	}
}

// WrapStreamingHandler implements [connect.Interceptor]. The token is checked when the
// stream begins, and never again.
func (i interceptor) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, conn connect.StreamingHandlerConn) error {
		ctx, err := i.check(ctx, conn.RequestHeader(), conn.Peer())
		if err != nil {
			return err
		}
		return next(ctx, conn)
	}
}

// WrapStreamingClient implements [connect.Interceptor].
func (interceptor) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return next
}

func (i interceptor) check(ctx context.Context, h http.Header, by connect.Peer) (context.Context, error) {
	c, err := i.verifier.VerifyHeader(ctx, h)
	if err == nil {
		err = c.Require(i.scopes...)
	}
	if err != nil {
		return ctx, refuse(err, by.Protocol)
	}
	return verify.NewContext(ctx, c), nil
}

// refuse makes Connect's error of a failed check. What was wrong with the token is for the
// caller; what lies behind it is not. gRPC has errors' metadata in HTTP trailers, where a
// challenge must not be (RFC 9110 section 6.5.1), and net/http drops it.
func refuse(err error, protocol string) error {
	code := connect.CodeUnauthenticated
	switch {
	case errors.Is(err, verify.ErrInsufficientScope):
		code = connect.CodePermissionDenied
	case errors.Is(err, verify.ErrUnavailable):
		code = connect.CodeUnavailable
	}
	reason := "the token is not good"
	if e, ok := errors.AsType[*verify.Error](err); ok {
		reason = e.Reason
	}
	refused := connect.NewError(code, errors.New(reason))
	if _, challenge := verify.Challenge(err); challenge != "" && protocol != connect.ProtocolGRPC {
		refused.Meta().Set("WWW-Authenticate", challenge)
	}
	return refused
}
