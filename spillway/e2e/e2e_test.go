//go:build e2e

package e2e_test

import (
	"context"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"spillway.example/frontdoor/frontdoortest"
	"spillway.example/services/local/awstest"
	"spillway.example/spillway/smoke"
)

func TestMain(m *testing.M) { os.Exit(frontdoortest.Main(m)) }

// TestEndToEnd brings everything up once and looks at it from all sides; the parts build
// on each other's state of the composition, so they run in turn.
func TestEndToEnd(t *testing.T) { //nolint:tparallel // one composition, which the last parts stop and start
	s := up(t)
	t.Run("up again", func(t *testing.T) { s.compose(t, "up", "--wait") })
	for _, door := range []string{byHTTP, byLambda} {
		t.Run("walk by "+door, func(t *testing.T) { walk(t, s, door) })
		t.Run("refusals by "+door, func(t *testing.T) { refusals(t, s, door) })
	}
	t.Run("smoke", func(t *testing.T) { smokeTest(t, s) })
	t.Run("direct invocation", func(t *testing.T) { direct(t, s) })
	t.Run("200 at once", func(t *testing.T) { atOnce(t, s, 200) })
	for _, service := range []string{"login", "register"} {
		t.Run("docker stop "+service, func(t *testing.T) { stopService(t, s, service) })
		t.Run("deregister "+service+"-lambda", func(t *testing.T) { stopEmulator(t, s, service+"-lambda") })
	}
}

// walk is an account's life, by one door alone.
func walk(t *testing.T, s *system, door string) {
	t.Helper()
	a, ctx := api{s.gateway, door}, t.Context()
	name := "walker-" + door
	email := name + "@example.com"
	before := s.served(t)

	registered := must(t)(a.post(ctx, "/register", fields{"username": name, "password": password, "email": email}))
	expect(t, "register", registered.Status, 200)
	if registered.Message != "User registered successfully" || !registered.ConfirmationIsDue || registered.RegistrationToken == "" || registered.UserID == "" {
		t.Fatalf("register: %+v", registered)
	}
	again := must(t)(a.post(ctx, "/register", fields{"username": strings.ToUpper(name), "password": password}))
	expect(t, "register again, in capitals", again.Status, 409)
	early := must(t)(a.post(ctx, "/login", fields{"username": name, "password": password}))
	expect(t, "login before confirm", early.Status, 403)

	wrong := must(t)(a.post(ctx, "/register/confirm", fields{"username": name, "code": "000000", "registration_token": registered.RegistrationToken}))
	if wrong.Status/100 != 4 {
		t.Errorf("confirm with a wrong code: got %d", wrong.Status)
	}
	number, err := code(ctx, s.mailbox, email)
	if err != nil {
		t.Fatal(err)
	}
	planted := must(t)(a.post(ctx, "/register/confirm", fields{"username": name, "code": number, "registration_token": "AAAAAAAAAAAAAAAAAAAAAAAAAA"}))
	if planted.Status/100 != 4 {
		t.Errorf("confirm with somebody else's token: got %d", planted.Status)
	}
	confirmed := must(t)(a.post(ctx, "/register/confirm", fields{"username": name, "code": number, "registration_token": registered.RegistrationToken}))
	expect(t, "confirm", confirmed.Status, 200)

	tokens := must(t)(a.post(ctx, "/login", fields{"username": name, "password": password}))
	expect(t, "login", tokens.Status, 200)
	if tokens.AccessToken == "" || tokens.RefreshToken == "" || !strings.EqualFold(tokens.TokenType, "bearer") || tokens.ExpiresIn <= 0 {
		t.Fatalf("login: %+v", tokens)
	}
	me := must(t)(a.call(ctx, http.MethodGet, "/me", nil, tokens.AccessToken))
	expect(t, "me", me.Status, 200)
	if me.Username != name || me.Email != email || !me.EmailVerified || me.UserID != registered.UserID {
		t.Errorf("me: %+v", me)
	}
	refreshed := must(t)(a.post(ctx, "/token/refresh", fields{"refresh_token": tokens.RefreshToken}))
	expect(t, "refresh", refreshed.Status, 200)
	me = must(t)(a.call(ctx, http.MethodGet, "/me", nil, refreshed.AccessToken))
	expect(t, "me after refresh", me.Status, 200)
	out := must(t)(a.post(ctx, "/logout", fields{"refresh_token": refreshed.RefreshToken}))
	expect(t, "logout", out.Status, 204)
	after := must(t)(a.post(ctx, "/token/refresh", fields{"refresh_token": refreshed.RefreshToken}))
	expect(t, "refresh after logout", after.Status, 401)

	// A login function asks register through the gateway, by whichever door has its turn.
	other := map[string]string{byHTTP: "login-lambda", byLambda: "login"}[door]
	if got := s.served(t); got[other] != before[other] {
		t.Errorf("some requests went by the other door: %v, before %v", got, before)
	}
}

// smokeTest makes the walk of a deployment, by the gateway and by the functions.
func smokeTest(t *testing.T, s *system) {
	t.Helper()
	function := func(emulator string) smoke.Invoke {
		return smoke.Named(lambda.NewFromConfig(awstest.Config(emulator)), "function")
	}
	for what, c := range map[string]*http.Client{
		"by the gateway":   nil,
		"by the functions": {Transport: smoke.Functions{Register: function(s.register), Login: function(s.login)}},
	} {
		var out strings.Builder
		if err := (smoke.Walk{Base: s.gateway, Client: c, Out: &out}).Run(t.Context()); err != nil {
			t.Errorf("%s: %v\n%s", what, err, out.String())
		}
	}
}

// refusals are the answers to what is wrong.
func refusals(t *testing.T, s *system, door string) {
	t.Helper()
	a, ctx := api{s.gateway, door}, t.Context()
	name := "refused-" + door
	expect(t, "register", must(t)(a.post(ctx, "/register", fields{"username": name, "password": password})).Status, 200)
	expect(t, "duplicate", must(t)(a.post(ctx, "/register", fields{"username": name, "password": password})).Status, 409)
	expect(t, "missing password", must(t)(a.post(ctx, "/register", fields{"username": name})).Status, 422)
	wrong := must(t)(a.post(ctx, "/login", fields{"username": name, "password": "wrong password 1"}))
	unknown := must(t)(a.post(ctx, "/login", fields{"username": "nobody-at-all", "password": "wrong password 1"}))
	if wrong.Status != 401 || wrong != unknown {
		t.Errorf("wrong password: %+v; unknown user: %+v; want the same 401", wrong, unknown)
	}
	expect(t, "no token", must(t)(a.call(ctx, http.MethodGet, "/me", nil, "")).Status, 401)
	expect(t, "wrong method", must(t)(a.call(ctx, http.MethodDelete, "/login", nil, "")).Status, 405)
	expect(t, "too large", must(t)(a.post(ctx, "/login", fields{"username": strings.Repeat("x", 70_000), "password": password})).Status, 413)
}

// direct is the services' main operation by direct invocation of the functions.
func direct(t *testing.T, s *system) {
	t.Helper()
	ctx := t.Context()
	event := fields{"username": "direct", "password": password}
	registered := must(t)(invoke(ctx, s.register, event))
	expect(t, "register", registered.Status, 200)
	if registered.Message != "User registered successfully" || registered.ConfirmationIsDue {
		t.Errorf("register: %+v", registered)
	}
	duplicate := must(t)(invoke(ctx, s.register, event))
	expect(t, "duplicate", duplicate.Status, 409)
	tokens := must(t)(invoke(ctx, s.login, event))
	expect(t, "login", tokens.Status, 200)
	me := must(t)(api{s.gateway, byHTTP}.call(ctx, http.MethodGet, "/me", nil, tokens.AccessToken))
	if me.Status != 200 || me.Username != "direct" {
		t.Errorf("me: %+v", me)
	}
	wrong := must(t)(invoke(ctx, s.login, fields{"username": "direct", "password": "wrong password 1"}))
	expect(t, "wrong password", wrong.Status, 401)
	if wrong.Code == "" {
		t.Errorf("wrong password: no problem in the body: %+v", wrong)
	}
}

func must(t *testing.T) func(answer, error) answer {
	t.Helper()
	return func(a answer, err error) answer {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
}

func expect(t *testing.T, what string, got, want int) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %d, want %d", what, got, want)
	}
}

// alive waits until the composition has a service healthy again.
func alive(ctx context.Context, t *testing.T, s *system, service string) {
	t.Helper()
	s.compose(t, "start", service)
	for {
		if ctx.Err() != nil {
			t.Fatalf("%s is not healthy again", service)
		}
		if out, err := s.command(ctx, "ps", "--format", "{{.Health}}", service).Output(); err == nil && strings.TrimSpace(string(out)) == "healthy" {
			return
		}
	}
}
