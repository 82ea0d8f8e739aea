package local_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"spillway.example/frontdoor/frontdoortest"
	"spillway.example/services/internal/account"
	"spillway.example/services/internal/account/accounttest"
)

// docs/attacks.md says which defence each of these tests is for, and that it fails without
// it.

// from sends a call from a client address, by no wire: attacks need many.
func (w *world) from(address string, c call) got {
	req := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
	req.Header, req.RemoteAddr = c.headers(), address+":40000"
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, req)
	return got{rec.Code, rec.Header(), rec.Body.String()}
}

// bot gives the address of one of many.
func bot(i int) string { return fmt.Sprintf("198.18.%d.%d", i/250, 1+i%250) }

// guesses counts what comes through to the directory.
type guesses struct {
	account.Directory
	passwords, codes atomic.Int64
}

func (g *guesses) SignIn(ctx context.Context, username, password string) (account.Tokens, error) {
	g.passwords.Add(1)
	return g.Directory.SignIn(ctx, username, password)
}

func (g *guesses) Confirm(ctx context.Context, username, code string) error {
	g.codes.Add(1)
	return g.Directory.Confirm(ctx, username, code)
}

func (g *guesses) ResetPassword(ctx context.Context, username, code, password string) error {
	g.codes.Add(1)
	return g.Directory.ResetPassword(ctx, username, code, password)
}

// guarded is a world with limits whose directory counts the guesses at it.
func guarded() (*world, *guesses) {
	g := &guesses{}
	w := newWorld(change{directory: g, limits: account.DefaultPolicies()})
	g.Directory = w.Memory
	return w, g
}

const home = "203.0.113.80"

func credentialsOf(name, password string) string {
	return `{"username":"` + name + `","password":"` + password + `"}`
}

// A thousand people sign up for one name at once. One has it, with their own password, and
// whatever the others were told, nothing of theirs is left.
func TestThousandSignUpsForOneName(t *testing.T) {
	t.Parallel()
	w := newStored(t)
	var winner atomic.Int64
	var wins, told atomic.Int64
	var wg sync.WaitGroup
	for i := range 1000 {
		wg.Go(func() {
			switch g := w.from(bot(i), post("/register", credentialsOf("Alice", fmt.Sprintf("the password of %04d", i)))); g.status {
			case http.StatusOK:
				wins.Add(1)
				winner.Store(int64(i))
			case http.StatusConflict:
				told.Add(1)
			default:
				t.Errorf("got %d %s", g.status, g.body)
			}
		})
	}
	wg.Wait()
	if wins.Load() != 1 || told.Load() != 999 {
		t.Fatalf("%d have the name and %d were told that it is taken", wins.Load(), told.Load())
	}
	for _, i := range []int64{0, winner.Load(), 999} {
		g := w.from(home, post("/login", credentialsOf("alice", fmt.Sprintf("the password of %04d", i))))
		if (g.status == http.StatusOK) != (i == winner.Load()) {
			t.Errorf("the password of %d, where %d has the name: got %d", i, winner.Load(), g.status)
		}
	}
}

// Leaked credentials are tried from one address on many accounts, and from many addresses
// on one. The owner, at home, signs in all the while.
func TestCredentialStuffing(t *testing.T) {
	t.Parallel()
	w, g := guarded()
	want(t, "register", w.from(home, post("/register", alice)), 200, "")
	want(t, "login", w.from(home, post("/login", alice)), 200, "")

	before := g.passwords.Load()
	for i := range 3000 {
		w.from("198.51.100.9", post("/login", credentialsOf(fmt.Sprintf("victim-%d", i), "leaked password")))
	}
	if n := g.passwords.Load() - before; n == 0 || n > 60 {
		t.Errorf("one address tried %d accounts within a minute, want some, and at most 60", n)
	}

	before = g.passwords.Load()
	for hour := range 24 {
		for i := range 200 {
			w.from(bot(200*hour+i), post("/login", credentialsOf("alice", "leaked password")))
		}
		want(t, "login at home", w.from(home, post("/login", alice)), 200, "")
		w.clock.Advance(time.Hour)
	}
	if n := g.passwords.Load() - before - 24; n == 0 || n > 100 {
		t.Errorf("4,800 addresses tried %d passwords of one account in a day, want some, and at most 100", n)
	}
	refused := w.from(bot(9999), post("/login", credentialsOf("alice", "leaked password")))
	for range 60 {
		if refused.status == http.StatusTooManyRequests {
			break
		}
		refused = w.from(bot(9999), post("/login", credentialsOf("alice", "leaked password")))
	}
	want(t, "one of them", refused, 429, "too_many_requests")
	for name, begins := range map[string]string{"Retry-After": "", "RateLimit": `"`, "RateLimit-Policy": `"`} {
		if v := refused.header.Get(name); v == "" || !strings.HasPrefix(v, begins) {
			t.Errorf("429 says %q in %s", v, name)
		}
	}
}

// A client cannot have another address by writing one: not into X-Forwarded-For over
// HTTP, not left of what the load balancer adds before Lambda.
func TestForgedAddresses(t *testing.T) {
	t.Parallel()
	byHTTP := func(w *world, forged string) got {
		c := post("/login", credentialsOf("alice", "leaked password"))
		c.header = http.Header{"X-Forwarded-For": {forged}, "Forwarded": {"for=" + forged}, "X-Real-Ip": {forged}}
		return w.from("198.51.100.9", c)
	}
	byLambda := func(w *world, forged string) got {
		c := post("/login", credentialsOf("alice", "leaked password"))
		event, err := frontdoortest.Event(frontdoortest.ALB, c.method, c.path, "accounts.example.com", c.headers(), []byte(c.body))
		if err != nil {
			t.Fatal(err)
		}
		event = bytes.ReplaceAll(event, []byte("203.0.113.18"), []byte(forged+", 203.0.113.18"))
		out := w.invoke(t, event)
		res, err := frontdoortest.Response(frontdoortest.ALB, out)
		return answer(t, res, err)
	}
	for door, send := range map[string]func(*world, string) got{"http": byHTTP, "lambda": byLambda} {
		w, g := guarded()
		for i := range 50 {
			send(w, bot(i))
		}
		if n := g.passwords.Load(); n > 5 {
			t.Errorf("%s: with a forged address each, %d guesses of 50 came through, want 5", door, n)
		}
	}
}

// Codes are guessed for a day, with all the new codes that can be had.
func TestCodeGuessing(t *testing.T) {
	t.Parallel()
	w, g := guarded()
	signUp := w.from(home, post("/register", carol))
	want(t, "register", signUp, 200, "")
	confirm := func(code string) call {
		return post("/register/confirm", `{"username":"carol","code":"`+code+`","registration_token":"`+signUp.member("registration_token")+`"}`)
	}
	reset := func(code string) call {
		return post("/login/reset", `{"username":"carol","code":"`+code+`","password":"another horse, another staple"}`)
	}
	for what, guess := range map[string]func(code string) call{"confirm": confirm, "reset": reset} {
		before := g.codes.Load()
		for hour := range 24 {
			for i := range 100 {
				w.from(bot(100*hour+i), post("/register/resend", `{"username":"carol"}`))
				w.from(bot(100*hour+i), post("/login/forgot", `{"username":"carol"}`))
				w.from(bot(100*hour+i), guess("x"+fmt.Sprint(i)))
			}
			w.clock.Advance(time.Hour)
		}
		if n := g.codes.Load() - before; n == 0 || n > 30 {
			t.Errorf("%s: %d codes were tried in a day, want some, and at most 30", what, n)
		}
	}
	if n := len(w.Mails("carol@example.com")); n > 2*20+2 {
		t.Errorf("carol got %d mails in two days, want at most 20 a day", n)
	}
	w.clock.Advance(24 * time.Hour)
	want(t, "carol herself", w.from(home, confirm(w.Code("carol"))), 200, "")
}

// What nobody may set about themselves cannot be slipped in beside what they may.
func TestMassAssignment(t *testing.T) {
	everyDoor(t, func(t *testing.T, send func(*testing.T, *world, call) got) {
		t.Helper()
		w := newWorld(change{})
		for _, extra := range []string{
			`"user_id":"1"`, `"confirmed":true`, `"email_verified":true`, `"version":9`, `"role":"admin"`,
			`"UserID":"1"`, `"USERNAME":"root"`, `"__proto__":{"admin":true}`, `"Body":{"username":"root"}`, `"IdempotencyKey":"x"`,
		} {
			body := strings.Replace(carol, "{", "{"+extra+",", 1)
			want(t, extra, send(t, w, post("/register", body)), 422, "invalid_request")
		}
		if _, err := w.FindUser(t.Context(), "carol"); account.CodeOf(err) != account.CodeNotFound {
			t.Errorf("a user was made all the same: %v", err)
		}
	})
}

// Nothing that a client writes begins a line or a field of its own, in the log, in an
// answer or in a mail.
func TestInjection(t *testing.T) {
	t.Parallel()
	const crlf = "\r\nX-Injected: yes\r\n\r\n{\"level\":\"ERROR\",\"msg\":\"injected\"}"
	w, _ := guarded()
	// As short as names may be, so that nothing but its line ends is wrong with it.
	const short = "\r\nX-Injected: y"
	for field, body := range map[string]map[string]string{
		"username": {"username": "alice" + short, "password": accounttest.Password},
		"email":    {"username": "alice", "password": accounttest.Password, "email": "a" + short + "@example.com"},
	} {
		g := w.from(home, post("/register", mustEncode(t, body)))
		if want(t, field+" with line ends", g, 422, "invalid_request"); !strings.Contains(g.body, `"field":"`+field+`"`) {
			t.Errorf("%s with line ends: got %s", field, g.body)
		}
	}
	calls := []call{
		post("/register", mustEncode(t, map[string]string{"username": "alice" + crlf, "password": accounttest.Password})),
		post("/register", mustEncode(t, map[string]string{"username": "alice", "password": accounttest.Password + crlf})),
		post("/register", mustEncode(t, map[string]string{"username": "alice", "password": accounttest.Password, "email": "a@example.com" + crlf})),
		post("/login", mustEncode(t, map[string]string{"username": "alice" + crlf, "password": crlf, crlf: crlf})),
		post("/nowhere%0d%0aX-Injected:%20yes", "{}"),
		{method: "GET", path: "/healthz?x=%0d%0aX-Injected:%20yes"},
	}
	for i := range calls {
		calls[i].header = http.Header{"X-Request-Id": {"id" + crlf}, "Idempotency-Key": {uuid + crlf}, "User-Agent": {crlf}}
	}
	clean := func(g got) {
		t.Helper()
		for name, values := range g.header {
			if name == "X-Injected" || strings.ContainsAny(strings.Join(values, ""), "\r\n") {
				t.Errorf("the answer has the header %q: %q", name, values)
			}
		}
	}
	for _, c := range calls {
		clean(w.from(home, c))                                                                // as if a door had let it through
		for _, form := range []frontdoortest.Form{frontdoortest.ALB, frontdoortest.HTTPAPI} { // over HTTP such a header cannot be sent
			event, err := frontdoortest.Event(form, c.method, c.path, "accounts.example.com", c.headers(), []byte(c.body))
			if err != nil {
				t.Fatal(err)
			}
			res, err := frontdoortest.Response(form, w.invoke(t, event))
			clean(answer(t, res, err))
		}
	}
	for line := range strings.Lines(w.log.String()) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil || entry["msg"] == "injected" || strings.Contains(line, "X-Injected") {
			t.Errorf("the log has the line %s", line)
		}
	}
	if n := len(w.Mails("a@example.com")); n != 0 {
		t.Errorf("%d mails went out", n)
	}
}

func mustEncode(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A body costs no more than its 64 KiB, whatever is in it, and its answer no more still.
func TestHostileJSON(t *testing.T) {
	everyDoor(t, func(t *testing.T, send func(*testing.T, *world, call) got) {
		t.Helper()
		w := newWorld(change{})
		var members strings.Builder
		for i := range 6000 {
			fmt.Fprintf(&members, `"k%d":1,`, i)
		}
		for name, tt := range map[string]struct {
			body   string
			status int
		}{
			"a deep array":     {`{"username":` + strings.Repeat("[", 30_000) + strings.Repeat("]", 30_000) + `}`, 400},
			"a deep object":    {strings.Repeat(`{"username":`, 5_000) + "1" + strings.Repeat("}", 5_000), 422},
			"never closed":     {strings.Repeat("[", 60_000), 400},
			"a long text":      {`{"username":"` + strings.Repeat("a", 60_000) + `","password":"x"}`, 422},
			"a huge number":    {`{"username":1e999999999,"password":"x"}`, 400},
			"many members":     {"{" + members.String() + `"username":"alice"}`, 422},
			"a long member":    {`{"` + strings.Repeat("k", 60_000) + `":1}`, 422},
			"one byte too big": {`{"username":"` + strings.Repeat("a", 64<<10) + `"}`, 413},
			"not UTF-8":        {"{\"username\":\"al\xffice\",\"password\":\"" + accounttest.Password + "\"}", 400},
			"a lone surrogate": {`{"username":"al\ud800ice","password":"` + accounttest.Password + `"}`, 422},
			"a NUL":            {`{"username":"al\u0000ice","password":"` + accounttest.Password + `"}`, 422},
			"no object":        {`[]`, 422},
			"null":             {`null`, 422},
		} {
			g := send(t, w, post("/register", tt.body))
			if g.status != tt.status || !strings.HasPrefix(g.header.Get("Content-Type"), "application/problem+json") {
				t.Errorf("%s: got %d %.200s, want %d", name, g.status, g.body, tt.status)
			}
			if len(g.body) > 8<<10 {
				t.Errorf("%s: the answer has %d bytes", name, len(g.body))
			}
		}
	})
}

// A body larger than is allowed is not read to its end.
func TestOversizedBodyIsNotRead(t *testing.T) {
	t.Parallel()
	w := newWorld(change{})
	body := &endless{}
	req := httptest.NewRequest(http.MethodPost, "/register", body)
	req.Header.Set("Content-Type", "application/json")
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, req)
	if rec.Code != http.StatusRequestEntityTooLarge || body.read > 1<<20 {
		t.Errorf("got %d after %d bytes", rec.Code, body.read)
	}
}

type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	if e.read += len(p); e.read > 16<<20 {
		return 0, context.DeadlineExceeded // or a test without the limit would never end
	}
	for i := range p {
		p[i] = '['
	}
	return len(p), nil
}

// Nobody has a name that looks like somebody else's.
func TestLookalikeNames(t *testing.T) {
	t.Parallel()
	w := newWorld(change{})
	want(t, "register", w.from(home, post("/register", credentialsOf("alice-cooper", accounttest.Password))), 200, "")
	for _, name := range []string{
		"Alice-Cooper", "ALİCE-COOPER", "alice\u200b-cooper", "alice\u00ad-cooper", "alice-cooper\u2060", "\u202ealice-cooper", "alice-cooper\ufe0f",
		"аlice-cooper", "alice-сооpеr", "αlice-cooper", "alice-cօօper", "ａlice-cooper", "𝐚lice-cooper", "ⓐlice-cooper", "alice-cooper\u3164", "ali\u0307ce-cooper",
	} {
		g := w.from(home, post("/register", credentialsOf(name, accounttest.Password)))
		if g.status != http.StatusConflict && g.status != http.StatusUnprocessableEntity {
			t.Errorf("%+q: got %d %s", name, g.status, g.body)
		}
	}
}

// described is what the API says of its operations.
type described struct {
	Paths map[string]map[string]struct {
		OperationID string `json:"operationId"`
		Parameters  []struct{ Name, In string }
		RequestBody struct {
			Content map[string]struct {
				Schema struct {
					Ref string `json:"$ref"`
				}
			}
		}
	}
	Components struct {
		Schemas map[string]struct {
			AdditionalProperties any
		}
	}
}

func describe(t *testing.T) (d described) {
	t.Helper()
	w := newWorld(change{})
	if err := json.Unmarshal([]byte(w.from(home, call{method: "GET", path: "/openapi.json"}).body), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// No body of any operation takes members that it does not know.
func TestNoBodyTakesUnknownMembers(t *testing.T) {
	t.Parallel()
	d, bodies := describe(t), 0
	for path, methods := range d.Paths {
		for method, op := range methods {
			for media, body := range op.RequestBody.Content {
				if media == "application/x-www-form-urlencoded" {
					continue // whose unknown fields are ignored (RFC 6749 section 3.2), as each is read by its name
				}
				bodies++
				name := body.Schema.Ref[strings.LastIndexByte(body.Schema.Ref, '/')+1:]
				if s, known := d.Components.Schemas[name]; !known || s.AdditionalProperties != false {
					t.Errorf("%s %s: the schema %q of %s takes members that it does not name", method, path, name, media)
				}
			}
		}
	}
	if bodies < 8 {
		t.Errorf("only %d bodies are described", bodies)
	}
}

// Every POST takes an Idempotency-Key, but for those that docs/idempotency.md names.
func TestEveryPOSTTakesAKey(t *testing.T) {
	t.Parallel()
	without := map[string]bool{"login": true, "challenge": true, "refresh": true, "logout": true, "introspect": true, "delete_account": true}
	for path, methods := range describe(t).Paths {
		op, ok := methods["post"]
		if !ok {
			continue
		}
		takes := false
		for _, p := range op.Parameters {
			takes = takes || p.In == "header" && p.Name == "Idempotency-Key"
		}
		if takes == without[op.OperationID] {
			t.Errorf("POST %s (%s) takes a key: %v", path, op.OperationID, takes)
		}
	}
}

// Both doors and both services count on the same budgets.
func TestLimitsAcrossDoors(t *testing.T) {
	t.Parallel()
	w, g := guarded()
	guess := post("/login", credentialsOf("alice", "leaked password"))
	for range 5 {
		want(t, "by HTTP", w.from("203.0.113.18", guess), 401, "invalid_credentials")
	}
	for _, door := range []string{"lambda behind a load balancer", "lambda behind an HTTP API"} { // with the same client
		if r := doors[door](t, w, guess); r.status != http.StatusTooManyRequests {
			t.Errorf("%s: got %d %s", door, r.status, r.body)
		}
	}
	if n := g.passwords.Load(); n != 5 {
		t.Errorf("%d guesses came through, want 5", n)
	}
}
