package local_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/account/accounttest"
)

// keyed is a call with an Idempotency-Key.
func keyed(c call, key string) call {
	c.header = http.Header{"Idempotency-Key": {key}}
	return c
}

const (
	uuid  = "0d6b6f0e-3f0c-4d38-9a86-3f5c1f0f7f11"
	uuid2 = "5a1f2c9e-7f63-4f0b-8f0e-2b9e4c1d0a22"
	carol = `{"username":"carol","password":"` + accounttest.Password + `","email":"carol@example.com"}`
)

// A request that came by one door gets, when it comes again by another, the answer that it
// got, and is not done again.
func TestReplayAcrossDoors(t *testing.T) {
	t.Parallel()
	w := newWorld(change{})
	first := doors["http"](t, w, keyed(post("/register", carol), uuid))
	want(t, "register", first, 200, "")
	code := w.Code("carol")
	for _, door := range []string{"lambda behind a load balancer", "lambda behind an HTTP API", "http"} {
		again := doors[door](t, w, keyed(post("/register", carol), uuid))
		if again.status != first.status || again.body != first.body || again.header.Get("Content-Type") != first.header.Get("Content-Type") {
			t.Errorf("by %s: got %d %s, want %d %s", door, again.status, again.body, first.status, first.body)
		}
		// Space between its members does not make another request of it.
		again = doors[door](t, w, keyed(post("/register", strings.ReplaceAll(carol, ",", " , ")), uuid))
		if again.body != first.body {
			t.Errorf("by %s, with space: got %d %s", door, again.status, again.body)
		}
	}
	if w.Code("carol") != code {
		t.Error("the sign-up was done again: the code is another")
	}
	want(t, "without the key", doors["http"](t, w, post("/register", carol)), 409, "username_taken")
	confirm := post("/register/confirm", `{"username":"carol","code":"`+code+`","registration_token":"`+first.member("registration_token")+`"}`)
	for range 2 {
		want(t, "confirm", doors["http"](t, w, keyed(confirm, uuid)), 200, "") // the same key for another operation
	}
	w.clock.Advance(24 * time.Hour)
	other := strings.Replace(carol, "battery", "cattery", 1)
	want(t, "another request, a day later", doors["http"](t, w, keyed(post("/register", other), uuid)), 409, "username_taken")
}

func TestReplayProblems(t *testing.T) {
	everyDoor(t, func(t *testing.T, send func(*testing.T, *world, call) got) {
		t.Helper()
		w := newWorld(change{})
		want(t, "register", send(t, w, keyed(post("/register", carol), uuid)), 200, "")
		other := strings.Replace(carol, "battery", "cattery", 1)
		want(t, "the key with another password", send(t, w, keyed(post("/register", other), uuid)), 422, "idempotency_key_reused")
		want(t, "the key of somebody else", send(t, w, keyed(post("/register", alice), uuid)), 200, "")
		for name, key := range map[string]string{"a key that can be guessed": "1", "an empty key": ""} {
			g := send(t, w, keyed(post("/register", carol), key))
			want(t, name, g, 422, "invalid_request")
			if f := g.fields(); len(f) != 1 || f[0] != "Idempotency-Key" {
				t.Errorf("%s: blames %v", name, f)
			}
		}
		// What ends the same however often it is asked is answered so; what passes is not.
		taken := send(t, w, keyed(post("/register", alice), uuid2))
		want(t, "a name that is taken", taken, 409, "username_taken")
		again := send(t, w, keyed(post("/register", alice), uuid2))
		want(t, "a name that is taken, again", again, 409, "username_taken")
		leased := keyed(post("/register", carol), uuid2)
		want(t, "a name that is leased", send(t, w, leased), 409, "username_taken")
		w.clock.Advance(account.Lease)
		want(t, "a name that was leased", send(t, w, leased), 200, "")
	})
}

// Signing in is never answered from a record: its tokens are nobody's to keep.
func TestSignInIsNotReplayed(t *testing.T) {
	t.Parallel()
	w := newWorld(change{})
	want(t, "register", doors["http"](t, w, post("/register", alice)), 200, "")
	first := doors["http"](t, w, keyed(post("/login", alice), uuid))
	second := doors["http"](t, w, keyed(post("/login", alice), uuid))
	if first.member("access_token") == "" || first.member("access_token") == second.member("access_token") {
		t.Error("two sign-ins have the same token, or none")
	}
	if n := len(w.All()); n != 0 {
		t.Errorf("%d records, want none", n)
	}
}

// Many at once are one: all get its answer, or are told to come back.
func TestReplayAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(change{})
	answers := make([]got, 50)
	var wg sync.WaitGroup
	for i := range answers {
		wg.Go(func() {
			answers[i] = doors["lambda behind a load balancer"](t, w, keyed(post("/register", carol), uuid))
		})
	}
	wg.Wait()
	for _, g := range answers {
		switch {
		case g.status == 200 && g.body == answers[0].body:
		case g.status == 409 && g.member("code") == "request_in_progress" && g.header.Get("Retry-After") != "":
		default:
			t.Fatalf("got %d %s", g.status, g.body)
		}
	}
}

// stuck is a directory in which a sign-up does not come to its end.
type stuck struct {
	account.Directory
	entered chan struct{}
	leave   chan struct{}
}

func (s stuck) SignUp(ctx context.Context, u account.NewUser) (account.SignedUp, error) {
	close(s.entered)
	<-s.leave
	return s.Directory.SignUp(ctx, u)
}

// One that finds the same request being worked on waits a while, and is then told to come
// back.
func TestReplayInProgress(t *testing.T) {
	t.Parallel()
	dir := stuck{accounttest.NewMemory(nil), make(chan struct{}), make(chan struct{})}
	w := newWorld(change{directory: dir})
	var wg sync.WaitGroup
	wg.Go(func() {
		want(t, "the first", doors["lambda behind a load balancer"](t, w, keyed(post("/register", carol), uuid)), 200, "")
	})
	<-dir.entered
	g := doors["lambda behind an HTTP API"](t, w, keyed(post("/register", carol), uuid))
	if want(t, "the second", g, 409, "request_in_progress"); g.header.Get("Retry-After") == "" {
		t.Error("the second is not told when to come back")
	}
	close(dir.leave)
	wg.Wait()
	want(t, "the second again", doors["http"](t, w, keyed(post("/register", carol), uuid)), 200, "")
}

// The answer to a change of password is had again with the token that it made void, and
// nobody else's token has it.
func TestReplayOfABearersRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(change{})
	send := doors["http"]
	tokens := map[string]string{}
	for _, name := range []string{"alice", "mallory"} {
		body := strings.Replace(alice, "alice", name, 1)
		want(t, "register", send(t, w, post("/register", body)), 200, "")
		tokens[name] = send(t, w, post("/login", body)).member("access_token")
	}
	request := post("/me/password", `{"current_password":"`+accounttest.Password+`","new_password":"another horse, another staple"}`)
	request.token = tokens["alice"]
	first := send(t, w, keyed(request, uuid))
	want(t, "change", first, 200, "")
	second := doors["lambda behind a load balancer"](t, w, keyed(request, uuid))
	if want(t, "change, again", second, 200, ""); second.body != first.body || first.member("access_token") == "" {
		t.Error("the answers differ, or have no token")
	}
	request.token = "x.y.z"
	want(t, "with no token", send(t, w, keyed(request, uuid)), 401, "invalid_token")
	request.token = tokens["mallory"]
	g := send(t, w, keyed(request, uuid))
	if want(t, "with somebody else's token", g, 200, ""); g.body == first.body {
		t.Error("somebody else has the answer")
	}
}

// A token that has become void is no answer to keep: the same request with a fresh one of
// the same account is done.
func TestVoidTokenIsNoAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(change{})
	send := doors["http"]
	want(t, "register", send(t, w, post("/register", alice)), 200, "")
	token := send(t, w, post("/login", alice)).member("access_token")
	out := post("/logout", `{"everywhere":true}`)
	out.token = token
	want(t, "logout", send(t, w, out), 204, "")
	request := post("/account/email", `{"email":"new@example.com","password":"`+accounttest.Password+`"}`)
	request.token = token
	want(t, "with a void token", send(t, w, keyed(request, uuid)), 401, "invalid_token")
	request.token = send(t, w, post("/login", alice)).member("access_token")
	want(t, "with a fresh one", send(t, w, keyed(request, uuid)), 202, "")
}

// What is kept tells nobody anything who does not know the request and its key already,
// and is gone when the account's records are.
func TestRecordsHoldNoSecret(t *testing.T) {
	t.Parallel()
	w := newWorld(change{})
	g := doors["http"](t, w, keyed(post("/register", carol), uuid))
	want(t, "register", g, 200, "")
	all, err := json.Marshal(w.All())
	if err != nil || len(w.All()) != 1 {
		t.Fatalf("%d records, %v; want one", len(w.All()), err)
	}
	for _, secret := range []string{g.member("registration_token"), g.member("user_id"), "carol", accounttest.Password, uuid} {
		if secret == "" || strings.Contains(string(all), secret) {
			t.Errorf("the record holds %q", secret)
		}
	}
	if answer := w.All()[0].Answer; strings.Contains(string(answer), "message") || strings.Contains(string(answer), g.member("registration_token")) {
		t.Error("the answer is kept as it is")
	}
	replays := account.NewReplays(account.ReplaysConfig{Records: &w.Records, Key: []byte("replays"), Now: w.clock.Now})
	if err := replays.Forget(t.Context(), "carol", "an id"); err != nil || len(w.All()) != 0 {
		t.Errorf("Forget: %v, and %d records are left", err, len(w.All()))
	}
}
