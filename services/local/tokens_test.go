package local_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/account/accounttest"
	"spillway.example/services/internal/embedded"
	"spillway.example/services/internal/httpapi"
	"spillway.example/services/internal/rpc"
	"spillway.example/services/login"
	"spillway.example/services/register"
	"spillway.example/verify"
)

// The secrets of introspection: the one in use, and the one that it takes the place of.
const newSecret, oldSecret = "a secret of thirty-two characters", "another of thirty-two characters!"

// newStored is both services over the embedded store, whose tokens are real, behind one
// of their doors.
func newStored(t *testing.T) *world {
	t.Helper()
	w := &world{clock: &accounttest.Clock{}, log: &bytes.Buffer{}, direct: register.DirectPath}
	w.Memory = accounttest.NewMemory(w.clock.Now) // for its mails
	log := slog.New(slog.NewJSONHandler(w.log, nil))
	s, err := embedded.Open(t.Context(), embedded.Config{
		DataDir: t.TempDir(), Issuer: "https://issuer.example", ClientID: "client", Now: w.clock.Now,
		Argon2: embedded.Argon2{Memory: 8, Iterations: 1, Parallelism: 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	directory := s.Directory(w.Memory)
	registrar := account.NewRegistrar(account.RegistrarConfig{
		Directory: directory, Claims: s, Profiles: s, Mailer: w.Memory, Now: w.clock.Now, Logger: log,
	})
	api := httpapi.New(httpapi.Config{Title: "Test", Version: "1", Logger: log})
	register.AddRoutes(api, registrar)
	login.AddRoutes(api, login.Config{
		Sessions: account.NewSessions(account.SessionsConfig{
			Directory: directory, Claims: s, Mailer: w.Memory, Now: w.clock.Now, Logger: log,
			Verifier: s.Verifier(), Revoker: w.revoker(s),
		}),
		Verifier: s.Verifier(), Profiles: rpc.Local{Verifier: s.Verifier(), Registrar: registrar}, Logger: log,
	})
	login.AddIntrospection(api, s.Verifier(), []string{newSecret, oldSecret})
	w.handler = api.Handler()
	return w
}

// session signs alice in.
func session(t *testing.T, w *world, send func(*testing.T, *world, call) got) (access, refresh string) {
	t.Helper()
	g := send(t, w, post("/login", alice))
	want(t, "login", g, 200, "")
	return g.member("access_token"), g.member("refresh_token")
}

func introspect(token, authorization string) call {
	return call{
		method: http.MethodPost, path: "/token/introspect", body: url.Values{"token": {token}}.Encode(),
		header: http.Header{"Authorization": {authorization}, "Content-Type": {"application/x-www-form-urlencoded"}},
	}
}

// TestSignOutStopsAccessTokens is what docs/tokens.md states: within half a minute.
func TestSignOutStopsAccessTokens(t *testing.T) {
	everyDoor(t, func(t *testing.T, send func(*testing.T, *world, call) got) {
		t.Helper()
		w := newStored(t)
		me := func(what, token string, status int, code string) {
			t.Helper()
			want(t, "me "+what, send(t, w, call{method: "GET", path: "/me", token: token}), status, code)
		}
		active := func(what, token, answer string) {
			t.Helper()
			g := send(t, w, introspect(token, "Bearer "+newSecret))
			if want(t, "introspect "+what, g, 200, ""); !strings.HasPrefix(g.body, `{"active":`+answer) {
				t.Errorf("introspect %s: got %s, want it active: %s", what, g.body, answer)
			}
		}
		want(t, "register", send(t, w, post("/register", alice)), 200, "")

		here, refresh := session(t, w, send)
		elsewhere, _ := session(t, w, send)
		me("here", here, 200, "")
		me("elsewhere", elsewhere, 200, "")
		want(t, "logout", send(t, w, post("/logout", `{"refresh_token":"`+refresh+`"}`)), 204, "")
		active("at once after", here, "false")
		active("of another session", elsewhere, "true")
		w.clock.Advance(verify.DefaultRevokedWithin)
		me("half a minute after signing out", here, 401, "invalid_token")
		me("elsewhere", elsewhere, 200, "")

		want(t, "logout everywhere", send(t, w, call{method: "POST", path: "/logout", body: `{"everywhere":true}`, token: elsewhere}), 204, "")
		active("at once after", elsewhere, "false")
		fresh, _ := session(t, w, send)
		me("in a session that began at once after", fresh, 200, "")
		w.clock.Advance(verify.DefaultRevokedWithin)
		me("half a minute after signing out everywhere", elsewhere, 401, "invalid_token")
		me("in the session that began after it", fresh, 200, "")
		want(t, "logout everywhere by a token that was revoked",
			send(t, w, call{method: "POST", path: "/logout", body: `{"everywhere":true}`, token: elsewhere}), 401, "invalid_token")
		active("after that", fresh, "true")
	})
}

func TestIntrospection(t *testing.T) {
	everyDoor(t, func(t *testing.T, send func(*testing.T, *world, call) got) {
		t.Helper()
		w := newStored(t)
		want(t, "register", send(t, w, post("/register", alice)), 200, "")
		g := send(t, w, post("/login", alice))
		access, id, refresh := g.member("access_token"), g.member("id_token"), g.member("refresh_token")
		basic := func(user, password string) string {
			return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
		}
		for name, authorization := range map[string]string{
			"bearer": "Bearer " + newSecret, "the older secret": "Bearer " + oldSecret, "basic": basic("orders", newSecret), "basic without a name": basic("", oldSecret),
		} {
			g := send(t, w, introspect(access, authorization))
			if want(t, name, g, 200, ""); g.header.Get("Content-Type") != "application/json" {
				t.Errorf("%s: content type %q", name, g.header.Get("Content-Type"))
			}
			var said struct {
				Active                         bool
				Scope, Username, Iss, Sub, Jti string
				ClientID                       string `json:"client_id"`
				TokenType                      string `json:"token_type"`
				OriginJti                      string `json:"origin_jti"`
				Exp, Iat                       int64
			}
			if err := json.Unmarshal([]byte(g.body), &said); err != nil {
				t.Fatal(err)
			}
			now := w.clock.Now().Unix()
			if !said.Active || said.Scope != "aws.cognito.signin.user.admin" || said.Username != "alice" || said.Iss != "https://issuer.example" ||
				said.Sub == "" || said.Jti == "" || said.OriginJti == "" || said.ClientID != "client" || said.TokenType != "Bearer" ||
				said.Iat != now || said.Exp != now+3600 {
				t.Errorf("%s: got %s", name, g.body)
			}
		}
		for name, authorization := range map[string]string{
			"nothing": "", "another secret": "Bearer " + strings.ToUpper(newSecret), "a part of it": "Bearer " + newSecret[:20],
			"an access token": "Bearer " + access, "both with a comma": "Bearer " + newSecret + "," + oldSecret, "no Basic": "Basic !", "the name": basic(newSecret, ""),
		} {
			g := send(t, w, introspect(access, authorization))
			want(t, name, g, 401, "invalid_client")
			offered := strings.Join(g.header.Values("WWW-Authenticate"), ", ") // some doors have one line for all
			if !strings.HasPrefix(offered, `Basic realm="token introspection", Bearer`) || strings.Contains(g.body, newSecret) ||
				strings.HasSuffix(offered, `error="invalid_token"`) != strings.HasPrefix(authorization, "Bearer") {
				t.Errorf("%s: got %v %s", name, g.header, g.body)
			}
		}
		// Who asks comes before what is asked (RFC 6749 section 5.2): nobody else is told of it.
		for name, body := range map[string]string{"no body": "", "no form": "token=%zz", "no token": "x=y", "too much": strings.Repeat("a", 80<<10)} {
			c := introspect("", "Bearer another secret")
			c.body = body
			want(t, name+" of a stranger", send(t, w, c), 401, "invalid_client")
			c.header.Del("Authorization")
			c.header.Set("Content-Type", "text/plain")
			want(t, name+" of nobody", send(t, w, c), 401, "invalid_client")
		}
		for name, token := range map[string]string{
			"an id token": id, "a refresh token": refresh, "nonsense": "nonsense", "a long one": strings.Repeat("a", 20<<10), "a forgery": access[:len(access)-8] + "AAAAAAAA",
			"alg none": "eyJhbGciOiJub25lIn0." + strings.Split(access, ".")[1] + ".",
		} {
			g := send(t, w, introspect(token, "Bearer "+newSecret))
			if want(t, name, g, 200, ""); strings.TrimSpace(g.body) != `{"active":false}` {
				t.Errorf("%s: got %s", name, g.body)
			}
		}
		bad := introspect("", "Bearer "+newSecret)
		want(t, "no token", send(t, w, bad), 422, "invalid_request")
		bad.body = "token=a&token=b"
		want(t, "two tokens", send(t, w, bad), 422, "invalid_request")
		bad.body = "token=a&other=1&other=2"
		if g := send(t, w, bad); g.status != 422 || !slices.Equal(g.fields(), []string{"other"}) {
			t.Errorf("another field twice: %d, blames %v", g.status, g.fields())
		}
		bad.body = "token=%zz"
		want(t, "no form", send(t, w, bad), 422, "invalid_request")
		bad.body = ""
		want(t, "no body", send(t, w, bad), 400, "malformed_request")
		bad = introspect(access, "Bearer "+newSecret)
		bad.header.Set("Content-Type", "application/json")
		want(t, "JSON", send(t, w, bad), 415, "unsupported_media_type")
		w.clock.Advance(time.Hour + verify.DefaultSkew)
		if g := send(t, w, introspect(access, "Bearer "+newSecret)); !strings.HasPrefix(g.body, `{"active":false`) {
			t.Errorf("an expired token: got %s", g.body)
		}
		if log := w.log.String(); strings.Contains(log, newSecret) || strings.Contains(log, "eyJ") {
			t.Error("the log holds a secret or a token")
		}
	})
}

// TestRefreshRaceAndReplay refreshes from twenty tabs at once, which signs nobody out, and
// then plays the old token again, as a thief would: that ends the session, with its access
// tokens, and no other.
func TestRefreshRaceAndReplay(t *testing.T) {
	everyDoor(t, func(t *testing.T, send func(*testing.T, *world, call) got) {
		t.Helper()
		w := newStored(t)
		want(t, "register", send(t, w, post("/register", alice)), 200, "")
		_, stolen := session(t, w, send)
		other, otherRefresh := session(t, w, send)
		refresh := func(token string) call { return post("/token/refresh", `{"refresh_token":"`+token+`"}`) }
		var mu sync.Mutex
		var wg sync.WaitGroup
		next, access := map[string]int{}, ""
		for range 20 {
			wg.Go(func() {
				g := send(t, w, refresh(stolen))
				if g.status != 200 {
					t.Errorf("one of twenty tabs got %d %s", g.status, g.body)
				}
				mu.Lock()
				defer mu.Unlock()
				next[g.member("refresh_token")]++
				access = g.member("access_token")
			})
		}
		wg.Wait()
		if len(next) != 1 {
			t.Fatalf("twenty tabs got %d refresh tokens, want one", len(next))
		}
		w.clock.Advance(10 * time.Second)
		want(t, "replay", send(t, w, refresh(stolen)), 401, "invalid_token")
		for token := range next {
			want(t, "refresh of the session that was replayed", send(t, w, refresh(token)), 401, "invalid_token")
		}
		for token, active := range map[string]string{access: "false", other: "true"} {
			if g := send(t, w, introspect(token, "Bearer "+newSecret)); !strings.HasPrefix(g.body, `{"active":`+active) {
				t.Errorf("after the replay: got %s, want active %s", g.body, active)
			}
		}
		want(t, "refresh of another session", send(t, w, refresh(otherRefresh)), 200, "")
	})
}

// TestForgedTokens shows GET /me what is no access token of this directory.
func TestForgedTokens(t *testing.T) {
	everyDoor(t, func(t *testing.T, send func(*testing.T, *world, call) got) {
		t.Helper()
		w, elsewhere := newStored(t), newStored(t)
		for _, w := range []*world{w, elsewhere} {
			want(t, "register", send(t, w, post("/register", alice)), 200, "")
		}
		g := send(t, w, post("/login", alice))
		access, id := g.member("access_token"), g.member("id_token")
		theirs, _ := session(t, elsewhere, send)
		want(t, "me", send(t, w, call{method: "GET", path: "/me", token: access}), 200, "")
		parts := strings.Split(access, ".")
		encode := base64.RawURLEncoding.EncodeToString
		for name, token := range map[string]string{
			"alg none":               encode([]byte(`{"alg":"none"}`)) + "." + parts[1] + ".",
			"alg none, with its key": encode([]byte(strings.Replace(decode(t, parts[0]), "ES256", "none", 1))) + "." + parts[1] + "." + parts[2],
			"HS256":                  encode([]byte(strings.Replace(decode(t, parts[0]), "ES256", "HS256", 1))) + "." + parts[1] + "." + parts[2],
			"another user":           parts[0] + "." + encode([]byte(strings.Replace(decode(t, parts[1]), "alice", "admin", 1))) + "." + parts[2],
			"an id token":            id,
			"another store's token":  theirs,
			"two signatures":         access + "." + parts[2],
			"padding":                access + "==",
			"a very long token":      strings.Repeat("a", 20<<10),
		} {
			want(t, name, send(t, w, call{method: "GET", path: "/me", token: token}), 401, "invalid_token")
		}
	})
}

// decode gives the JSON of one part of a token.
func decode(t *testing.T, part string) string {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Of two Authorization headers nobody knows which one the next reader takes: none counts.
func TestTwoAuthorizationHeaders(t *testing.T) {
	t.Parallel()
	w := newStored(t)
	want(t, "register", w.from(home, post("/register", alice)), 200, "")
	good := "Bearer " + w.from(home, post("/login", alice)).member("access_token")
	for status, values := range map[int][]string{200: {good}, 401: {good, good}} {
		want(t, "me", w.from(home, call{method: http.MethodGet, path: "/me", header: http.Header{"Authorization": values}}), status, map[int]string{401: "invalid_token"}[status])
	}
}
