package local_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"spillway.example/frontdoor"
	"spillway.example/frontdoor/frontdoortest"
	"spillway.example/services/internal/account"
	"spillway.example/services/internal/account/accounttest"
	"spillway.example/services/internal/httpapi"
	"spillway.example/services/internal/rpc"
	"spillway.example/services/internal/telemetry"
	"spillway.example/services/login"
	"spillway.example/services/register"
	"spillway.example/verify"
)

// world is both services over memory, behind one of their doors.
type world struct {
	*accounttest.Memory
	accounttest.Counters
	accounttest.Records
	clock   *accounttest.Clock
	log     *bytes.Buffer
	handler http.Handler
	direct  string // the path of direct invocations
	events  atomic.Int64
}

func (w *world) count(context.Context, string) { w.events.Add(1) }

// change puts other ports in the place of the memory's.
type change struct {
	directory account.Directory
	claims    func(account.Claims) account.Claims
	profiles  rpc.ProfileSource
	hook      accounttest.Hook // in front of every port; none where it is nil
	limits    account.Policies // none where it is nil
	breaches  account.Breaches // none where it is nil
}

func newWorld(c change) *world {
	w := &world{clock: &accounttest.Clock{}, log: &bytes.Buffer{}, direct: register.DirectPath}
	w.Memory = accounttest.NewMemory(w.clock.Now)
	log := slog.New(documented{telemetry.NewLogger(w.log, slog.LevelInfo, "test").Handler()})
	if c.directory == nil {
		c.directory = w.Memory
	}
	claims := account.Claims(w.Memory)
	if c.claims != nil {
		claims = c.claims(claims)
	}
	profiles, counters, records, denials := account.Profiles(w.Memory), account.Counters(&w.Counters), account.Records(&w.Records), account.Denials(w.Memory)
	if c.hook != nil {
		c.directory, claims, profiles = accounttest.HookDirectory(c.directory, c.hook), accounttest.HookClaims(claims, c.hook), accounttest.HookProfiles(profiles, c.hook)
		counters, records, denials = accounttest.HookCounters(counters, c.hook), accounttest.HookRecords(records, c.hook), accounttest.HookDenials(denials, c.hook)
	}
	limits := account.NewLimits(account.LimitsConfig{
		Counters: counters, Policies: c.limits, Key: []byte("limits"), Now: w.clock.Now, Logger: log,
	})
	var breaches *account.BreachCheck
	if c.breaches != nil {
		breaches = &account.BreachCheck{Breaches: c.breaches, Logger: log, Count: w.count}
	}
	registrar := account.NewRegistrar(account.RegistrarConfig{
		Directory: c.directory, Claims: claims, Profiles: profiles, Mailer: w.Memory, Revoker: w.revoker(denials),
		Limits: limits, Breaches: breaches, Now: w.clock.Now, Wait: w.clock.Wait, Logger: log,
	})
	if c.profiles == nil {
		c.profiles = rpc.Local{Verifier: w.Memory, Registrar: registrar}
	}
	api := httpapi.New(httpapi.Config{
		Title: "Test", Version: "1", Logger: log, Bearer: w.Offline,
		Replays: account.NewReplays(account.ReplaysConfig{Records: records, Key: []byte("replays"), Now: w.clock.Now, Logger: log}),
	})
	register.AddRoutes(api, registrar)
	register.Account{Registrar: registrar, Verifier: w.Memory}.AddRoutes(api)
	login.AddRoutes(api, login.Config{
		Sessions: account.NewSessions(account.SessionsConfig{
			Directory: c.directory, Claims: claims, Mailer: w.Memory,
			Limits: limits, Breaches: breaches, Now: w.clock.Now, Logger: log,
			Verifier: w.Memory, Revoker: w.revoker(denials),
		}),
		Verifier: w.Memory, Profiles: c.profiles, Logger: log,
	})
	login.AddIntrospection(api, inactive{}, []string{newSecret})
	api.Mux.HandleFunc("GET /panic", func(http.ResponseWriter, *http.Request) { panic("a secret cause") })
	w.handler = api.Handler()
	return w
}

// documented fails a request that answers with an error which its operation does not
// document.
type documented struct{ slog.Handler }

func (d documented) Handle(ctx context.Context, r slog.Record) error {
	if strings.Contains(r.Message, "does not document") {
		panic(r.Message)
	}
	return d.Handler.Handle(ctx, r)
}

// inactive introspects no token.
type inactive struct{}

func (inactive) Introspect(context.Context, string) (c verify.Claims, active bool, err error) {
	return c, false, nil
}

// revoker voids access tokens on the world's clock, without waiting for it.
func (w *world) revoker(d account.Denials) *account.Revoker {
	return account.NewRevoker(account.RevokerConfig{Denials: d, Now: w.clock.Now, Wait: w.clock.Wait})
}

// call is one request.
type call struct {
	method, path, body, token string
	header                    http.Header
}

func (c call) headers() http.Header {
	h := http.Header{}
	if c.method != http.MethodGet {
		h.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		h.Set("Authorization", "Bearer "+c.token)
	}
	maps.Copy(h, c.header)
	return h
}

// got is an answer, its body read.
type got struct {
	status int
	header http.Header
	body   string
}

// member gives a member of the body, which must be JSON.
func (g got) member(name string) string {
	var m map[string]any
	_ = json.Unmarshal([]byte(g.body), &m) // then there is no such member
	s, _ := m[name].(string)
	return s
}

// fields gives the names of the fields that a problem blames.
func (g got) fields() (names []string) {
	var p httpapi.Problem
	_ = json.Unmarshal([]byte(g.body), &p) // then there are none
	for _, f := range p.Errors {
		names = append(names, f.Field)
	}
	slices.Sort(names)
	return names
}

// doors are the ways to send a call.
var doors = map[string]func(t *testing.T, w *world, c call) got{
	"http": func(t *testing.T, w *world, c call) got {
		t.Helper()
		s := httptest.NewServer(w.handler)
		defer s.Close()
		req, err := http.NewRequestWithContext(context.Background(), c.method, s.URL+c.path, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header = c.headers()
		res, err := http.DefaultTransport.RoundTrip(req)
		return answer(t, res, err)
	},
	"lambda behind a load balancer": throughLambda(frontdoortest.ALB),
	"lambda behind an HTTP API":     throughLambda(frontdoortest.HTTPAPI),
}

func throughLambda(form frontdoortest.Form) func(t *testing.T, w *world, c call) got {
	return func(t *testing.T, w *world, c call) got {
		t.Helper()
		event, err := frontdoortest.Event(form, c.method, c.path, "accounts.example.com", c.headers(), []byte(c.body))
		if err != nil {
			t.Fatal(err)
		}
		out := w.invoke(t, event)
		res, err := frontdoortest.Response(form, out)
		return answer(t, res, err)
	}
}

func (w *world) invoke(t *testing.T, event []byte) []byte {
	t.Helper()
	out, err := frontdoor.NewInvoker(w.handler, frontdoor.Options{DirectPath: w.direct}).Invoke(context.Background(), event)
	if err != nil {
		t.Fatalf("invoking: %v", err)
	}
	return out
}

func answer(t *testing.T, res *http.Response, err error) got {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return got{res.StatusCode, res.Header, string(body)}
}

// everyDoor runs a test once for each door.
func everyDoor(t *testing.T, test func(t *testing.T, send func(*testing.T, *world, call) got)) {
	t.Parallel()
	for name, send := range doors {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, send)
		})
	}
}

const alice = `{"username":"alice","password":"` + accounttest.Password + `"}`

func post(path, body string) call { return call{method: http.MethodPost, path: path, body: body} }

func TestWalk(t *testing.T) {
	everyDoor(t, func(t *testing.T, send func(*testing.T, *world, call) got) {
		t.Helper()
		w := newWorld(change{})
		g := send(t, w, post("/register", `{"username":"Alice","password":"`+accounttest.Password+`","email":"alice@example.com"}`))
		want(t, "register", g, 200, "")
		token, id := g.member("registration_token"), g.member("user_id")
		if token == "" || id == "" || g.member("message") != "User registered successfully" || !strings.Contains(g.body, `"confirmation_required":true`) {
			t.Errorf("register: got %s", g.body)
		}
		want(t, "login unconfirmed", send(t, w, post("/login", alice)), 403, "not_confirmed")
		want(t, "resend", send(t, w, post("/register/resend", `{"username":"alice"}`)), 202, "")
		confirm := `{"username":"alice","code":"` + w.Code("alice") + `","registration_token":"` + token + `"}`
		g = send(t, w, post("/register/confirm", confirm))
		if want(t, "confirm", g, 200, ""); g.member("user_id") != id {
			t.Errorf("confirm: got the id %s, want %s", g.member("user_id"), id)
		}
		g = send(t, w, post("/login", alice))
		want(t, "login", g, 200, "")
		access, refresh := g.member("access_token"), g.member("refresh_token")
		if access == "" || refresh == "" || g.member("id_token") == "" || g.member("token_type") != "Bearer" || !strings.Contains(g.body, `"expires_in":3600`) {
			t.Errorf("login: incomplete answer")
		}
		g = send(t, w, call{method: "GET", path: "/me", token: access})
		if want(t, "me", g, 200, ""); g.member("user_id") != id || g.member("username") != "alice" || g.member("email") != "alice@example.com" {
			t.Errorf("me: got %s", g.body)
		}
		g = send(t, w, post("/token/refresh", `{"refresh_token":"`+refresh+`"}`))
		want(t, "refresh", g, 200, "")
		refresh = g.member("refresh_token")
		for range 2 {
			g = send(t, w, post("/logout", `{"refresh_token":"`+refresh+`"}`))
			if want(t, "logout", g, 204, ""); g.body != "" {
				t.Errorf("logout: got a body %q", g.body)
			}
		}
		want(t, "refresh after logout", send(t, w, post("/token/refresh", `{"refresh_token":"`+refresh+`"}`)), 401, "invalid_token")
		g = send(t, w, post("/login", alice))
		access, refresh = g.member("access_token"), g.member("refresh_token")
		want(t, "logout everywhere", send(t, w, call{method: "POST", path: "/logout", body: `{"everywhere":true}`, token: access}), 204, "")
		want(t, "refresh after that", send(t, w, post("/token/refresh", `{"refresh_token":"`+refresh+`"}`)), 401, "invalid_token")
	})
}

func TestPasswords(t *testing.T) {
	everyDoor(t, func(t *testing.T, send func(*testing.T, *world, call) got) {
		t.Helper()
		w := newWorld(change{})
		w.member(t, send, "alice@example.com")
		unknown := send(t, w, post("/login/forgot", `{"username":"nobody@example.com"}`))
		want(t, "forgot nobody", unknown, 202, "")
		known := send(t, w, post("/login/forgot", `{"username":"Alice@example.com"}`))
		if want(t, "forgot", known, 202, ""); known.body != unknown.body {
			t.Errorf("a known name gets %s, an unknown one %s", known.body, unknown.body)
		}
		reset := func(code, password string) got {
			return send(t, w, post("/login/reset", `{"username":"alice@example.com","code":"`+code+`","password":"`+password+`"}`))
		}
		want(t, "reset with a weak password", reset("000000", "password1"), 422, "invalid_request")
		want(t, "reset with a wrong code", reset("x", accounttest.Password), 400, "code_mismatch")
		want(t, "reset", reset(w.Code("alice@example.com"), "another horse, another staple"), 204, "")
		want(t, "login", send(t, w, post("/login", `{"username":"alice@example.com","password":"another horse, another staple"}`)), 200, "")
		if mails := w.Mails("alice@example.com"); !strings.Contains(mails[len(mails)-1].Subject, "password was changed") {
			t.Errorf("the owner was not told, but %+v", mails)
		}
	})
}

func TestChallenge(t *testing.T) {
	everyDoor(t, func(t *testing.T, send func(*testing.T, *world, call) got) {
		t.Helper()
		w := newWorld(change{})
		want(t, "register", send(t, w, post("/register", alice)), 200, "")
		if err := w.SetTemporaryPassword(t.Context(), "alice", "a horse that was given"); err != nil {
			t.Fatal(err)
		}
		g := send(t, w, post("/login", `{"username":"alice","password":"a horse that was given"}`))
		want(t, "login", g, 403, "challenge_required")
		var p httpapi.Problem
		if err := json.Unmarshal([]byte(g.body), &p); err != nil || p.Challenge == nil || p.Challenge.Name != "NEW_PASSWORD_REQUIRED" {
			t.Fatalf("login: %s, %v", g.body, err)
		}
		answer := func(session, password string) got {
			return send(t, w, post("/login/challenge", `{"username":"alice","challenge":"NEW_PASSWORD_REQUIRED","session":"`+session+
				`","responses":{"NEW_PASSWORD":"`+password+`"}}`))
		}
		g = answer(p.Challenge.Session, "short")
		if want(t, "a weak password", g, 422, "invalid_request"); !slices.Equal(g.fields(), []string{"responses.NEW_PASSWORD"}) {
			t.Errorf("a weak password blames %v", g.fields())
		}
		want(t, "another session", answer("x", "another horse, another staple"), 401, "invalid_credentials")
		g = answer(p.Challenge.Session, "another horse, another staple")
		if want(t, "challenge", g, 200, ""); g.member("access_token") == "" {
			t.Error("no tokens came")
		}
	})
}

func TestChangePassword(t *testing.T) {
	everyDoor(t, func(t *testing.T, send func(*testing.T, *world, call) got) {
		t.Helper()
		w := newWorld(change{})
		want(t, "register", send(t, w, post("/register", alice)), 200, "")
		g := send(t, w, post("/login", alice))
		access, refresh := g.member("access_token"), g.member("refresh_token")
		to := func(token, current, next string) got {
			return send(t, w, call{
				method: "POST", path: "/me/password", token: token,
				body: `{"current_password":"` + current + `","new_password":"` + next + `"}`,
			})
		}
		const next = "another horse, another staple"
		want(t, "change without a token", to("", accounttest.Password, next), 401, "invalid_token")
		want(t, "change with a wrong password", to(access, "wrong", next), 403, "wrong_password")
		g = to(access, accounttest.Password, "short")
		if want(t, "change to a weak one", g, 422, "invalid_request"); !slices.Equal(g.fields(), []string{"new_password"}) {
			t.Errorf("change to a weak one blames %v", g.fields())
		}
		g = to(access, accounttest.Password, next)
		want(t, "change", g, 200, "")
		want(t, "refresh of the older session", send(t, w, post("/token/refresh", `{"refresh_token":"`+refresh+`"}`)), 401, "invalid_token")

		access = g.member("access_token")
		list := func(token string) (ids []string, g got) {
			g = send(t, w, call{method: "GET", path: "/me/sessions", token: token})
			for _, m := range regexp.MustCompile(`"id":"([^"]*)"`).FindAllStringSubmatch(g.body, -1) {
				ids = append(ids, m[1])
			}
			return ids, g
		}
		ids, g := list(access)
		if want(t, "sessions", g, 200, ""); len(ids) != 1 || !strings.Contains(g.body, `"current":true`) {
			t.Errorf("sessions: %s", g.body)
		}
		want(t, "end no session", send(t, w, call{method: "DELETE", path: "/me/sessions/none", token: access}), 404, "not_found")
		want(t, "end the session", send(t, w, call{method: "DELETE", path: "/me/sessions/" + ids[0], token: access}), 204, "")
		_, g = list(access)
		want(t, "sessions of one that has ended", g, 401, "invalid_token")

		// What a directory does not have is no failure of ours, which would alarm somebody.
		w = newWorld(opaque())
		_, g = list("any")
		want(t, "sessions of nobody, of a directory that does not know them", g, 401, "invalid_token")
		_, err := w.SignUp(t.Context(), account.NewUser{Username: "alice", Password: accounttest.Password})
		err = errors.Join(err, w.ConfirmUser(t.Context(), "alice"))
		tokens, err2 := w.SignIn(t.Context(), "alice", accounttest.Password)
		if err = errors.Join(err, err2); err != nil {
			t.Fatal(err)
		}
		_, g = list(tokens.AccessToken)
		want(t, "sessions of a directory that does not know them", g, 404, "not_supported")
	})
}

// opaque is a directory that is one and no more.
func opaque() change {
	return change{directory: struct{ account.Directory }{accounttest.NewMemory(nil)}}
}

// member makes an account with an address as its name.
func (w *world) member(t *testing.T, send func(*testing.T, *world, call) got, email string) {
	t.Helper()
	g := send(t, w, post("/register", `{"username":"`+email+`","password":"`+accounttest.Password+`"}`))
	want(t, "register", g, 200, "")
	want(t, "confirm", send(t, w, post("/register/confirm",
		`{"username":"`+email+`","code":"`+w.Code(email)+`","registration_token":"`+g.member("registration_token")+`"}`)), 200, "")
	w.clock.Advance(time.Hour)
}

// want fails unless an answer has the status and, for a problem, the code.
func want(t *testing.T, what string, g got, status int, code string) {
	t.Helper()
	if g.status != status || g.member("code") != code {
		t.Fatalf("%s: got %d %s, want %d %s", what, g.status, g.body, status, code)
	}
	if g.header.Get("X-Request-Id") == "" || g.header.Get("Cache-Control") != "no-store" {
		t.Errorf("%s: no request id, or an answer that may be stored: %v", what, g.header)
	}
	if code == "" {
		return
	}
	if ct := g.header.Get("Content-Type"); ct != "application/problem+json" {
		t.Errorf("%s: content type %q, want a problem's", what, ct)
	}
	if g.member("request_id") != g.header.Get("X-Request-Id") || g.member("title") == "" || g.member("detail") == "" {
		t.Errorf("%s: incomplete problem %s", what, g.body)
	}
}

func TestProblems(t *testing.T) {
	everyDoor(t, func(t *testing.T, send func(*testing.T, *world, call) got) {
		t.Helper()
		w := newWorld(change{})
		want(t, "register", send(t, w, post("/register", alice)), 200, "")
		waiting := `{"username":"bob","password":"` + accounttest.Password + `","email":"bob@example.com"}`
		want(t, "register bob", send(t, w, post("/register", waiting)), 200, "")
		for _, tt := range []struct {
			name   string
			call   call
			status int
			code   string
			fields []string
			header [2]string // a name and what its value begins with
		}{
			{"not JSON", post("/register", `{"username":`), 400, "malformed_request", nil, [2]string{}},
			{"trailing garbage", post("/register", alice+"x"), 400, "malformed_request", nil, [2]string{}},
			{"no body", post("/register", ""), 400, "malformed_request", nil, [2]string{}},
			{"missing fields", post("/register", `{}`), 422, "invalid_request", []string{"password", "username"}, [2]string{}},
			{"unknown fields", post("/login", `{"username":"alice","password":"x","admin":true,"x":1}`), 422, "invalid_request", []string{"admin", "x"}, [2]string{}},
			{"wrong types", post("/login", `{"username":1,"password":["x"]}`), 422, "invalid_request", []string{"password", "username"}, [2]string{}},
			{"broken rules", post("/register", `{"username":"a b","password":"short","email":"x"}`), 422, "invalid_request", []string{"email", "password", "username"}, [2]string{}},
			{"a common password", post("/register", `{"username":"carol","password":"password1"}`), 422, "invalid_request", []string{"password"}, [2]string{}},
			{"wrong content type", call{method: "POST", path: "/register", body: alice, header: http.Header{"Content-Type": {"text/plain"}}}, 415, "unsupported_media_type", nil, [2]string{}},
			{"a patch's content type", call{method: "POST", path: "/register", body: alice, header: http.Header{"Content-Type": {"application/merge-patch+json"}}}, 415, "unsupported_media_type", nil, [2]string{}},
			{"a broken content type", call{method: "POST", path: "/register", body: alice, header: http.Header{"Content-Type": {"application/json; charset"}}}, 415, "unsupported_media_type", nil, [2]string{}},
			{"a content type in capitals", call{method: "POST", path: "/register", body: alice, header: http.Header{"Content-Type": {`Application/JSON; Charset="UTF-8"`}}}, 409, "username_taken", nil, [2]string{}},
			{"no content type", call{method: "POST", path: "/register", body: alice, header: http.Header{"Content-Type": {}}}, 409, "username_taken", nil, [2]string{}},
			{"a path with an empty segment", post("//register", alice), 404, "not_found", nil, [2]string{}},
			{"a path with a detour", post("/x/../register", alice), 404, "not_found", nil, [2]string{}},
			{"a path that ends in a slash", post("/register/", alice), 404, "not_found", nil, [2]string{}},
			{"an unclean path and the wrong method", call{method: "GET", path: "//register"}, 404, "not_found", nil, [2]string{}},
			{"wrong method", call{method: "GET", path: "/register"}, 405, "method_not_allowed", nil, [2]string{"Allow", "POST"}},
			{"unknown path", call{method: "GET", path: "/nowhere"}, 404, "not_found", nil, [2]string{}},
			{"too large", post("/register", `{"username":"`+strings.Repeat("a", 64<<10)+`"}`), 413, "body_too_large", nil, [2]string{}},
			{"a confirmed handle", post("/register", alice), 409, "username_taken", nil, [2]string{}},
			{"a leased handle", post("/register", waiting), 409, "username_taken", nil, [2]string{"Retry-After", "60"}},
			{"wrong password", post("/login", `{"username":"alice","password":"wrong"}`), 401, "invalid_credentials", nil, [2]string{"WWW-Authenticate", "Bearer"}},
			{"unknown user", post("/login", `{"username":"nobody","password":"wrong"}`), 401, "invalid_credentials", nil, [2]string{"WWW-Authenticate", "Bearer"}},
			{"a wrong code", post("/register/confirm", `{"username":"bob","code":"000000","registration_token":"x"}`), 400, "code_mismatch", nil, [2]string{}},
			{"no token", call{method: "GET", path: "/me"}, 401, "invalid_token", nil, [2]string{"WWW-Authenticate", "Bearer"}},
			{"no token and a body that breaks rules", call{method: "PATCH", path: "/account", body: `{"unknown":1}`}, 401, "invalid_token", nil, [2]string{"WWW-Authenticate", "Bearer"}},
			{"a wrong token", call{method: "GET", path: "/me", token: "x.y.z"}, 401, "invalid_token", nil, [2]string{"WWW-Authenticate", `Bearer error="invalid_token"`}},
			{"logout from nothing", post("/logout", `{}`), 422, "invalid_request", []string{"refresh_token"}, [2]string{}},
			{"two tokens", call{method: "GET", path: "/me", header: http.Header{"Authorization": {"Bearer x.y.z x.y.z"}}}, 401, "invalid_token", nil, [2]string{"WWW-Authenticate", `Bearer error="invalid_token"`}},
			{"another scheme", call{method: "GET", path: "/me", header: http.Header{"Authorization": {"Basic eC55Lno="}}}, 401, "invalid_token", nil, [2]string{"WWW-Authenticate", "Bearer"}},
			{"logout everywhere without a token", post("/logout", `{"everywhere":true}`), 401, "invalid_token", nil, [2]string{"WWW-Authenticate", "Bearer"}},
			{"a panic", call{method: "GET", path: "/panic"}, 500, "internal", nil, [2]string{}},
		} {
			g := send(t, w, tt.call)
			want(t, tt.name, g, tt.status, tt.code)
			if !slices.Equal(g.fields(), tt.fields) {
				t.Errorf("%s: blames %v, want %v", tt.name, g.fields(), tt.fields)
			}
			if tt.header[0] != "" && g.header.Get(tt.header[0]) != tt.header[1] {
				t.Errorf("%s: %s is %q, want %q", tt.name, tt.header[0], g.header.Get(tt.header[0]), tt.header[1])
			}
			for _, secret := range []string{"short", "password1", "a secret cause"} {
				if strings.Contains(g.body, secret) && secret != "short" {
					t.Errorf("%s: the answer repeats %q", tt.name, secret)
				}
			}
		}
		if strings.Contains(w.log.String(), accounttest.Password) || strings.Contains(w.log.String(), "bob@") {
			t.Error("the log holds a password or an address")
		}
	})
}

// down is a directory that fails.
type down struct {
	account.Directory
	err error
}

func (d down) SignUp(context.Context, account.NewUser) (account.SignedUp, error) {
	return account.SignedUp{}, d.err
}

func (d down) SignIn(context.Context, string, string) (account.Tokens, error) {
	return account.Tokens{}, d.err
}

func TestDirectoryDown(t *testing.T) {
	everyDoor(t, func(t *testing.T, send func(*testing.T, *world, call) got) {
		t.Helper()
		for _, tt := range []struct {
			err    error
			status int
			code   string
		}{
			{account.ErrUnavailable(errors.New("a secret cause")), 503, "unavailable"},
			{account.ErrThrottled(errors.New("a secret cause")), 429, "too_many_requests"},
			{errors.New("a secret cause"), 500, "internal"},
			{account.Errorf(account.CodeInternal, errors.New("a secret cause"), "an internal message"), 500, "internal"},
		} {
			w := newWorld(change{directory: down{err: tt.err}})
			for _, path := range []string{"/register", "/login"} {
				g := send(t, w, post(path, alice))
				want(t, path, g, tt.status, tt.code)
				if (g.header.Get("Retry-After") != "") != (tt.status != 500) {
					t.Errorf("%s: Retry-After %q with %d", path, g.header.Get("Retry-After"), tt.status)
				}
				if strings.Contains(g.body, "secret") || strings.Contains(g.body, "internal message") {
					t.Errorf("%s: the answer tells the cause: %s", path, g.body)
				}
			}
			if tt.status >= 500 && !strings.Contains(w.log.String(), "a secret cause") {
				t.Errorf("the log does not tell the cause of a %d", tt.status)
			}
		}
	})
}

// away is register, gone.
type away struct{}

func (away) ProfileOf(context.Context, string) (account.Profile, error) {
	return account.Profile{}, account.ErrUnavailable(errors.New("nobody there"))
}

// slow is a directory that answers when nobody waits any more.
type slow struct {
	account.Directory
	asked chan struct{}
}

func (d slow) SignIn(ctx context.Context, _, _ string) (account.Tokens, error) {
	close(d.asked)
	<-ctx.Done()
	return account.Tokens{}, account.ErrUnavailable(ctx.Err())
}

// A caller who hangs up is no fault of ours, in the log or in what is counted.
func TestCallerHangsUp(t *testing.T) {
	t.Parallel()
	d := slow{asked: make(chan struct{})}
	w := newWorld(change{directory: d})
	s := httptest.NewServer(w.handler)
	ctx, hangUp := context.WithCancel(t.Context())
	go func() {
		<-d.asked
		hangUp()
	}()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/login", strings.NewReader(alice))
	if err != nil {
		t.Fatal(err)
	}
	if res, err := http.DefaultTransport.RoundTrip(req); err == nil {
		res.Body.Close()
		t.Fatalf("an answer: %d", res.StatusCode)
	}
	s.Close() // when the handler has ended
	if log := w.log.String(); strings.Contains(log, `"ERROR"`) || !strings.Contains(log, `"status":499`) || !strings.Contains(log, "the caller has gone") {
		t.Errorf("the log says %s", log)
	}
}

// What a drain cuts is no caller who hung up: it is a failed request, in the log and in what is
// counted.
func TestDrainCutsARequest(t *testing.T) {
	t.Parallel()
	d := slow{asked: make(chan struct{})}
	w := newWorld(change{directory: d})
	address, served := make(chan string, 1), make(chan error, 1)
	ctx, end := context.WithCancel(t.Context())
	go func() {
		<-d.asked
		end()
	}()
	answered := make(chan struct{})
	h := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		defer close(answered)
		w.handler.ServeHTTP(rw, r)
	})
	go func() {
		served <- frontdoor.Serve(ctx, h, frontdoor.Options{
			Addr: "127.0.0.1:0", DrainTimeout: time.Millisecond, Logger: slog.New(slog.DiscardHandler),
			OnListen: func(a []net.Addr) { address <- a[0].String() },
		})
	}()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+<-address+"/login", strings.NewReader(alice))
	if err != nil {
		t.Fatal(err)
	}
	if res, err := http.DefaultTransport.RoundTrip(req); err == nil {
		res.Body.Close()
	}
	<-answered
	if err := <-served; err == nil {
		t.Error("the drain ended in time")
	}
	if log := w.log.String(); strings.Contains(log, `"status":499`) || !strings.Contains(log, `"status":503`) || !strings.Contains(log, `"ERROR"`) {
		t.Errorf("the log says %s", log)
	}
}

func TestMeWithoutRegister(t *testing.T) {
	everyDoor(t, func(t *testing.T, send func(*testing.T, *world, call) got) {
		t.Helper()
		w := newWorld(change{profiles: away{}})
		want(t, "register", send(t, w, post("/register", alice)), 200, "")
		access := send(t, w, post("/login", alice)).member("access_token")
		g := send(t, w, call{method: "GET", path: "/me", token: access})
		want(t, "me", g, 503, "unavailable")
		if !strings.Contains(g.body, `"username":"alice"`) || !strings.Contains(g.body, `"user_id":"`) || g.header.Get("Retry-After") == "" {
			t.Errorf("me: got %s, want what the token says", g.body)
		}
	})
}

func TestRequestID(t *testing.T) {
	everyDoor(t, func(t *testing.T, send func(*testing.T, *world, call) got) {
		t.Helper()
		w := newWorld(change{})
		for id, kept := range map[string]bool{"abc-123": true, "has space": false, strings.Repeat("x", 129): false, `quote"`: false} {
			g := send(t, w, call{method: "GET", path: "/healthz", header: http.Header{"X-Request-Id": {id}}})
			if got := g.header.Get("X-Request-Id"); (got == id) != kept || got == "" {
				t.Errorf("request id %q came back as %q", id, got)
			}
		}
	})
}

func TestDirectInvocation(t *testing.T) {
	t.Parallel()
	w := newWorld(change{})
	decode := func(out []byte) (status int, body string, members int) {
		var a map[string]any
		if err := json.Unmarshal(out, &a); err != nil {
			t.Fatal(err)
		}
		n, _ := a["statusCode"].(float64)
		body, _ = a["body"].(string)
		return int(n), body, len(a)
	}
	status, body, members := decode(w.invoke(t, []byte(alice)))
	if status != 200 || members != 2 || !strings.HasPrefix(body, `{"message":"User registered successfully"`) {
		t.Errorf("register: got %d %s and %d members", status, body, members)
	}
	status, body, _ = decode(w.invoke(t, []byte(alice)))
	if status != 409 || !strings.Contains(body, `"code":"username_taken"`) {
		t.Errorf("register again: got %d %s", status, body)
	}
	status, body, _ = decode(w.invoke(t, []byte(`{"username":"bob"}`)))
	if status != 422 || !strings.Contains(body, `"field":"password"`) {
		t.Errorf("register without a password: got %d %s", status, body)
	}
	w.direct = login.DirectPath
	status, body, _ = decode(w.invoke(t, []byte(alice)))
	if status != 200 || !strings.Contains(body, `"access_token":"`) {
		t.Errorf("login: got %d", status)
	}
	for name, broken := range map[string]*world{
		"an unexpected error": newWorld(change{directory: down{err: errors.New("a secret cause")}}),
		"a panic":             newWorld(change{directory: panics{}}),
	} {
		status, body, _ = decode(broken.invoke(t, []byte(alice)))
		if status != 500 || body != `{"error":"Internal server error"}` {
			t.Errorf("%s: got %d %s", name, status, body)
		}
		if !strings.Contains(broken.log.String(), "a secret cause") {
			t.Errorf("%s: the log does not tell the cause", name)
		}
	}
}

type panics struct{ account.Directory }

func (panics) SignUp(context.Context, account.NewUser) (account.SignedUp, error) {
	panic("a secret cause")
}
