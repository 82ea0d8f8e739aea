package verifyconnect_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"log"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jws"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"spillway.example/verify"
	"spillway.example/verify/verifyconnect"
)

// one is a single key, whatever its id.
type one struct {
	key *ecdsa.PrivateKey
	err error
}

func (o one) Key(context.Context, string) (verify.Key, error) {
	if o.err != nil {
		return verify.Key{}, o.err
	}
	return verify.NewKey(o.key.Public())
}

func (o one) sign(t *testing.T, claims string) string {
	t.Helper()
	h := jws.NewHeaders()
	if err := h.Set("kid", "k"); err != nil {
		t.Fatal(err)
	}
	signed, err := jws.Sign([]byte(claims), jws.WithKey(jwa.ES256(), o.key, jws.WithProtectedHeaders(h)))
	if err != nil {
		t.Fatal(err)
	}
	return string(signed)
}

// TestInterceptor calls a unary and a streaming procedure by Connect, gRPC and gRPC-Web,
// which say who called.
func TestInterceptor(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	here := one{key: key}
	good := here.sign(t, `{"sub":"a","username":"alice","iss":"i","client_id":"c","token_use":"access","scope":"x y","iat":1000,"exp":5000}`)
	unscoped := here.sign(t, `{"sub":"a","username":"alice","iss":"i","client_id":"c","token_use":"access","scope":"x","iat":1000,"exp":5000}`)
	expired := here.sign(t, `{"sub":"a","username":"alice","iss":"i","client_id":"c","token_use":"access","scope":"x y","iat":1000,"exp":1500}`)
	for _, tt := range []struct {
		name, authorization string
		keys                one
		code                connect.Code // 0 is success
		challenge           bool
	}{
		{"a good token", "Bearer " + good, here, 0, false},
		{"no token", "", here, connect.CodeUnauthenticated, true},
		{"an expired token", "Bearer " + expired, here, connect.CodeUnauthenticated, true},
		{"too few scopes", "Bearer " + unscoped, here, connect.CodePermissionDenied, true},
		{"no keys", "Bearer " + good, one{err: errors.New("a secret cause")}, connect.CodeUnavailable, false},
	} {
		url, client, spoken := serve(t, tt.keys)
		for protocol, options := range map[string][]connect.ClientOption{
			connect.ProtocolConnect: nil, connect.ProtocolGRPC: {connect.WithGRPC()}, connect.ProtocolGRPCWeb: {connect.WithGRPCWeb()},
		} {
			unary := connect.NewClient[emptypb.Empty, wrapperspb.StringValue](client, url+"/s/Unary", options...)
			stream := connect.NewClient[emptypb.Empty, wrapperspb.StringValue](client, url+"/s/Stream", options...)
			for kind, call := range map[string]func(*connect.Request[emptypb.Empty]) (string, error){
				"unary": func(r *connect.Request[emptypb.Empty]) (string, error) {
					res, err := unary.CallUnary(t.Context(), r)
					if err != nil {
						return "", err
					}
					return res.Msg.GetValue(), nil
				},
				"stream": func(r *connect.Request[emptypb.Empty]) (string, error) {
					s, err := stream.CallServerStream(t.Context(), r)
					if err != nil {
						return "", err
					}
					defer s.Close()
					who := ""
					for s.Receive() {
						who = s.Msg().GetValue()
					}
					return who, s.Err()
				},
			} {
				r := connect.NewRequest(&emptypb.Empty{})
				if tt.authorization != "" {
					r.Header().Set("Authorization", tt.authorization)
				}
				who, err := call(r)
				what := tt.name + ", " + kind + " by " + protocol
				if got := spoken(); got != protocol {
					t.Errorf("%s: the handler was spoken to by %q", what, got)
				}
				if tt.code == 0 {
					if err != nil || who != "alice" {
						t.Errorf("%s: got %q, %v", what, who, err)
					}
					continue
				}
				refused, ok := errors.AsType[*connect.Error](err)
				if !ok || refused.Code() != tt.code {
					t.Errorf("%s: got %v, want %v", what, err, tt.code)
					continue
				}
				challenged := tt.challenge && protocol != connect.ProtocolGRPC // whose errors have no place for it
				if got := refused.Meta().Get("WWW-Authenticate"); (got != "") != challenged {
					t.Errorf("%s: got the challenge %q", what, got)
				}
				if refused.Message() == "a secret cause" {
					t.Errorf("%s: the cause is told", what)
				}
			}
		}
	}
}

// serve serves both procedures over HTTP/2 without TLS, which gRPC takes, and gives a client
// for them. spoken gives the protocol of the last call.
func serve(t *testing.T, keys verify.Keys) (url string, client *http.Client, spoken func() string) {
	t.Helper()
	v, err := verify.New(verify.Config{
		Issuer: "i", ClientIDs: []string{"c"}, Keys: keys, Now: func() time.Time { return time.Unix(2000, 0) },
	})
	if err != nil {
		t.Fatal(err)
	}
	last := &protocol{}
	with := connect.WithInterceptors(last, verifyconnect.NewInterceptor(v, "y"))
	who := func(ctx context.Context) *wrapperspb.StringValue {
		c, _ := verify.FromContext(ctx)
		return wrapperspb.String(c.Username)
	}
	mux := http.NewServeMux()
	mux.Handle("/s/Unary", connect.NewUnaryHandler("/s/Unary",
		func(ctx context.Context, _ *connect.Request[emptypb.Empty]) (*connect.Response[wrapperspb.StringValue], error) {
			return connect.NewResponse(who(ctx)), nil
		}, with))
	mux.Handle("/s/Stream", connect.NewServerStreamHandler("/s/Stream",
		func(ctx context.Context, _ *connect.Request[emptypb.Empty], s *connect.ServerStream[wrapperspb.StringValue]) error {
			return s.Send(who(ctx))
		}, with))
	server := httptest.NewUnstartedServer(mux)
	var h2c http.Protocols
	h2c.SetUnencryptedHTTP2(true)
	server.Config.Protocols = &h2c
	server.Config.ErrorLog = log.New(writer{t}, "", 0)
	server.Start()
	t.Cleanup(server.Close)
	transport := &http.Transport{Protocols: &h2c}
	t.Cleanup(transport.CloseIdleConnections)
	return server.URL, &http.Client{Transport: transport}, last.get
}

// writer fails a test with what a server complains of.
type writer struct{ t *testing.T }

func (w writer) Write(p []byte) (int, error) {
	w.t.Errorf("the server says: %s", p)
	return len(p), nil
}

// protocol is an interceptor before the one under test, that notes what a call came by.
type protocol struct{ last atomic.Value }

func (p *protocol) get() string { s, _ := p.last.Load().(string); return s }

func (p *protocol) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, r connect.AnyRequest) (connect.AnyResponse, error) {
		p.last.Store(r.Peer().Protocol)
		return next(ctx, r)
	}
}

func (p *protocol) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, c connect.StreamingHandlerConn) error {
		p.last.Store(c.Peer().Protocol)
		return next(ctx, c)
	}
}

func (*protocol) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return next
}
