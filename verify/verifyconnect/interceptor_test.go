package verifyconnect_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"net/http"
	"net/http/httptest"
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

// TestInterceptor calls a unary and a streaming procedure by Connect and by gRPC, which
// say who called.
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
		url := serve(t, tt.keys)
		for protocol, options := range map[string][]connect.ClientOption{"Connect": nil, "gRPC-Web": {connect.WithGRPCWeb()}} {
			unary := connect.NewClient[emptypb.Empty, wrapperspb.StringValue](http.DefaultClient, url+"/s/Unary", options...)
			stream := connect.NewClient[emptypb.Empty, wrapperspb.StringValue](http.DefaultClient, url+"/s/Stream", options...)
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
				if got := refused.Meta().Get("WWW-Authenticate"); (got != "") != tt.challenge {
					t.Errorf("%s: got the challenge %q", what, got)
				}
				if refused.Message() == "a secret cause" {
					t.Errorf("%s: the cause is told", what)
				}
			}
		}
	}
}

func serve(t *testing.T, keys verify.Keys) string {
	t.Helper()
	v, err := verify.New(verify.Config{
		Issuer: "i", ClientIDs: []string{"c"}, Keys: keys, Now: func() time.Time { return time.Unix(2000, 0) },
	})
	if err != nil {
		t.Fatal(err)
	}
	// A client with the interceptor is left alone: it is told nothing of tokens.
	with := connect.WithInterceptors(verifyconnect.NewInterceptor(v, "y"))
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
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}
