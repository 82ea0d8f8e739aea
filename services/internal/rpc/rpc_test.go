package rpc_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"
	"connectrpc.com/grpcreflect"

	"spillway.example/frontdoor"
	"spillway.example/frontdoor/frontdoortest"
	"spillway.example/services/internal/account"
	"spillway.example/services/internal/account/accounttest"
	"spillway.example/services/internal/httpapi"
	"spillway.example/services/internal/rpc"
)

var quiet = slog.New(slog.DiscardHandler)

// always is a service that can be sent requests.
func always(context.Context) error { return nil }

// member is memory with one user, and an access token of theirs.
func member(t *testing.T) (source rpc.Local, id account.UserID, token string) {
	t.Helper()
	m := accounttest.NewMemory(nil)
	r := account.NewRegistrar(account.RegistrarConfig{Directory: m, Claims: m, Profiles: m, Mailer: m})
	got, err := r.Register(t.Context(), account.Registration{Username: "alice", Password: accounttest.Password})
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := m.SignIn(t.Context(), "alice", accounttest.Password)
	if err != nil {
		t.Fatal(err)
	}
	return rpc.Local{Verifier: m, Registrar: r}, got.UserID, tokens.AccessToken
}

// serve serves a handler as a task does, HTTP/1.1 and h2c, and gives its host and port.
func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	addr, done := make(chan string, 1), make(chan error, 1)
	go func() {
		done <- frontdoor.Serve(ctx, h, frontdoor.Options{
			Addr: "127.0.0.1:0", Logger: quiet, OnListen: func(a []net.Addr) { addr <- a[0].String() },
		})
	}()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return <-addr
}

// asFunction serves a handler as a function behind a load balancer: every request goes
// through an event.
func asFunction(h http.Handler) http.Handler {
	invoker := frontdoor.NewInvoker(h, frontdoor.Options{Logger: quiet})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := make([]byte, max(r.ContentLength, 0))
		_, _ = r.Body.Read(body)
		event, err := frontdoortest.Event(frontdoortest.ALB, r.Method, r.RequestURI, r.Host, r.Header, body)
		if err != nil {
			panic(err)
		}
		out, err := invoker.Invoke(r.Context(), event)
		if err != nil {
			panic(err)
		}
		res, err := frontdoortest.Response(frontdoortest.ALB, out)
		if err != nil {
			panic(err)
		}
		defer res.Body.Close()
		maps.Copy(w.Header(), res.Header)
		w.WriteHeader(res.StatusCode)
		answer := make([]byte, res.ContentLength)
		_, _ = res.Body.Read(answer)
		_, _ = w.Write(answer)
	})
}

func client(t *testing.T, raw string) *rpc.Client {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return rpc.NewClient(u, nil)
}

// The same questions by every way to register: in process, gRPC over h2c between tasks,
// Connect over HTTP/1.1 through a load balancer, and to a function.
func TestEveryWay(t *testing.T) {
	t.Parallel()
	source, id, token := member(t)
	task := serve(t, rpc.Handler(source, always, quiet))
	function := serve(t, asFunction(rpc.Handler(source, always, quiet)))
	for name, way := range map[string]rpc.ProfileSource{
		"in process":          source,
		"gRPC":                client(t, "grpc://"+task),
		"Connect":             client(t, "http://"+task),
		"Connect to function": client(t, "http://"+function),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := way.ProfileOf(t.Context(), token)
			if err != nil || p.UserID != id || p.Username != "alice" || p.CreatedAt.IsZero() {
				t.Errorf("got %+v, %v", p, err)
			}
			for _, bad := range []string{"", "nonsense"} {
				if _, err := way.ProfileOf(t.Context(), bad); account.CodeOf(err) != account.CodeInvalidToken {
					t.Errorf("with the token %q: got %v, want invalid_token", bad, err)
				}
			}
		})
	}
}

// failing answers every question with one error.
type failing struct{ err error }

func (f failing) ProfileOf(context.Context, string) (account.Profile, error) {
	return account.Profile{}, f.err
}

func TestCodesCross(t *testing.T) {
	t.Parallel()
	for want, err := range map[account.Code]error{
		account.CodeInvalidToken:    account.ErrToken(nil),
		account.CodeNotFound:        account.Errorf(account.CodeNotFound, nil, "gone"),
		account.CodeTooManyRequests: account.ErrThrottled(nil),
		account.CodeUnavailable:     account.ErrUnavailable(nil),
	} {
		host := serve(t, rpc.Handler(failing{err}, always, quiet))
		for _, scheme := range []string{"grpc", "http"} {
			if _, got := client(t, scheme+"://"+host).ProfileOf(t.Context(), "x"); account.CodeOf(got) != want {
				t.Errorf("%s by %s: got %v", want, scheme, got)
			}
		}
	}
	// What register cannot explain means for login that register is away.
	host := serve(t, rpc.Handler(failing{errors.New("a secret cause")}, always, quiet))
	if _, got := client(t, "http://"+host).ProfileOf(t.Context(), "x"); account.CodeOf(got) != account.CodeUnavailable {
		t.Errorf("an unexpected error: got %v", got)
	}
}

func TestRetriesWhatIsAway(t *testing.T) {
	t.Parallel()
	source, id, token := member(t)
	h := rpc.Handler(source, always, quiet)
	var asked atomic.Int32
	host := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) <= 2 {
			http.Error(w, "no target", http.StatusServiceUnavailable)
			return
		}
		h.ServeHTTP(w, r)
	}))
	p, err := client(t, "http://"+host).ProfileOf(t.Context(), token)
	if err != nil || p.UserID != id || asked.Load() != 3 {
		t.Errorf("after two failures: got %+v, %v in %d tries", p, err, asked.Load())
	}
	asked.Store(100)
	_, err = client(t, "http://"+host).ProfileOf(t.Context(), "nonsense")
	if account.CodeOf(err) != account.CodeInvalidToken || asked.Load() != 101 {
		t.Errorf("a token that is refused: got %v in %d tries, want one", err, asked.Load()-100)
	}
}

func TestBreaker(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer s.Close()
	c := client(t, s.URL)
	for range 20 {
		if _, err := c.ProfileOf(t.Context(), "x"); account.CodeOf(err) != account.CodeUnavailable {
			t.Fatalf("got %v", err)
		}
	}
	if n := asked.Load(); n < 5 || n > 10 {
		t.Errorf("20 questions to a broken register made %d requests, want the breaker to open after 5", n)
	}
}

func TestNobodyThere(t *testing.T) {
	t.Parallel()
	for _, scheme := range []string{"grpc", "http"} {
		if _, err := client(t, scheme+"://127.0.0.1:1").ProfileOf(t.Context(), "x"); account.CodeOf(err) != account.CodeUnavailable {
			t.Errorf("%s: got %v", scheme, err)
		}
	}
}

// Tools find the services by reflection, and a load balancer asks for their health.
func TestReflectionAndHealth(t *testing.T) {
	t.Parallel()
	host := serve(t, rpc.Handler(failing{}, always, quiet))
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	h2c := &http.Client{Transport: &http.Transport{Protocols: protocols}}
	stream := grpcreflect.NewClient(h2c, "http://"+host, connect.WithGRPC()).NewStream(t.Context())
	defer stream.Close()
	names, err := stream.ListServices()
	if err != nil || len(names) != 2 || names[0] != "grpc.health.v1.Health" && names[1] != "grpc.health.v1.Health" {
		t.Fatalf("got %v, %v", names, err)
	}
	for _, name := range names {
		if files, err := stream.FileContainingSymbol(name); err != nil || len(files) == 0 {
			t.Errorf("%s: %d files, %v", name, len(files), err)
		}
	}
	for _, service := range []string{"", "spillway.profile.v1.ProfileService"} {
		wantHealth(t, host, service, http.StatusOK, `"SERVING_STATUS_SERVING"`)
	}
	wantHealth(t, host, "another.Service", http.StatusNotFound, "not_found")
}

// wantHealth asks a listener whether a service can be sent requests.
func wantHealth(t *testing.T, host, service string, status int, want string) {
	t.Helper()
	res, err := http.Post("http://"+host+"/grpc.health.v1.Health/Check", "application/json", strings.NewReader(`{"service":"`+service+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	if res.StatusCode != status || !strings.Contains(string(body), want) {
		t.Errorf("health of %q: got %d %s, want %d %s", service, res.StatusCode, body, status, want)
	}
}

// TestHealthIsReadiness has gRPC's health say what /readyz says, at a listener of its own.
func TestHealthIsReadiness(t *testing.T) {
	t.Parallel()
	var away atomic.Bool
	api := httpapi.New(httpapi.Config{Title: "t", Version: "v", Logger: quiet, Ready: func(context.Context) error {
		if away.Load() {
			return account.ErrUnavailable(errors.New("the file is away"))
		}
		return nil
	}})
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	addrs := make(chan []net.Addr, 1)
	go func() { // until the tests end
		_ = frontdoor.Serve(ctx, api.Handler(), frontdoor.Options{
			Addr: "127.0.0.1:0", Logger: quiet, OnListen: func(a []net.Addr) { addrs <- a },
			Also:       []frontdoor.Listener{{Addr: "127.0.0.1:0", Handler: rpc.Handler(failing{}, api.Ready, quiet)}},
			DrainDelay: time.Hour,
		})
	}()
	listening := <-addrs
	readyz := func() int {
		t.Helper()
		res, err := http.Get("http://" + listening[0].String() + "/readyz")
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode
	}
	both := func(status int, want string) {
		t.Helper()
		if got := readyz(); got != status {
			t.Errorf("/readyz: got %d, want %d", got, status)
		}
		wantHealth(t, listening[1].String(), "", http.StatusOK, want)
		wantHealth(t, listening[1].String(), "spillway.profile.v1.ProfileService", http.StatusOK, want)
	}
	both(http.StatusOK, `"SERVING_STATUS_SERVING"`)
	away.Store(true)
	both(http.StatusServiceUnavailable, `"SERVING_STATUS_NOT_SERVING"`)
	away.Store(false)
	both(http.StatusOK, `"SERVING_STATUS_SERVING"`)
	stop()
	for readyz() == http.StatusOK { // the signal is on its way
	}
	both(http.StatusServiceUnavailable, `"SERVING_STATUS_NOT_SERVING"`)
}
