package local_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/account/accounttest"
	"spillway.example/services/register"
)

// signedIn makes alice's account and gives her access token.
func (w *world) signedIn(t *testing.T, send func(*testing.T, *world, call) got) string {
	t.Helper()
	want(t, "register", send(t, w, post("/register", alice)), 200, "")
	g := send(t, w, post("/login", alice))
	want(t, "login", g, 200, "")
	return g.member("access_token")
}

func TestAccount(t *testing.T) {
	everyDoor(t, func(t *testing.T, send func(*testing.T, *world, call) got) {
		t.Helper()
		w := newWorld(change{})
		access := w.signedIn(t, send)
		read := send(t, w, call{method: "GET", path: "/account", token: access})
		want(t, "account", read, 200, "")
		etag := read.header.Get("ETag")
		patch := func(ifMatch, body string) got {
			c := call{method: "PATCH", path: "/account", token: access, body: body, header: http.Header{}}
			if ifMatch != "" {
				c.header.Set("If-Match", ifMatch)
			}
			return send(t, w, c)
		}
		const ada = `{"display_name":"Ada","locale":"en-gb"}`
		want(t, "change without If-Match", patch("", ada), 428, "precondition_required")
		for _, other := range []string{`"999"`, "W/" + etag, `W/"a,b", ` + "W/" + etag, `"x"`, `"*"`, `"a,` + strings.Trim(etag, `"`) + `"`} {
			g := patch(other, ada)
			want(t, "change with If-Match: "+other, g, 412, "precondition_failed")
			if weak := strings.HasPrefix(other, "W/"); strings.Contains(g.body, "weak") != weak {
				t.Errorf("change with If-Match: %s: %s", other, g.body)
			}
		}
		for _, none := range []string{strings.Trim(etag, `"`), `"x`, "*, " + etag, etag + etag, `w/"3"`} {
			if g := patch(none, ada); !slices.Equal(g.fields(), []string{"If-Match"}) {
				t.Errorf("change with If-Match: %s: %d %s", none, g.status, g.body)
			}
		}
		g := patch(`"999", `+etag, ada)
		if want(t, "change", g, 200, ""); g.member("display_name") != "Ada" || g.member("locale") != "en-GB" || g.header.Get("ETag") == etag {
			t.Errorf("change: %s with ETag %s", g.body, g.header.Get("ETag"))
		}
		want(t, "change of an older version", patch(etag, ada), 412, "precondition_failed")
		if g = patch("*", `{"display_name":""}`); strings.Contains(g.body, "display_name") || g.member("locale") != "en-GB" {
			t.Errorf("change of one field: %s", g.body)
		}
		// Nobody makes themselves somebody else.
		for _, field := range []string{"username", "user_id", "email", "email_verified", "created_at", "version", "admin"} {
			if g = patch("*", `{"`+field+`":"x"}`); !slices.Equal(g.fields(), []string{field}) {
				t.Errorf("change of %s: %d %s", field, g.status, g.body)
			}
		}
		me := send(t, w, call{method: "GET", path: "/me", token: access})
		if want(t, "me", me, 200, ""); me.member("locale") != "en-GB" {
			t.Errorf("me: %s", me.body)
		}
		g = send(t, w, call{method: "GET", path: "/account/export", token: access})
		want(t, "export", g, 200, "")
		for _, part := range []string{`"exported_at":"`, `"profile":{"user_id":"`, `"directory":{"user_id":"`, `"sign_up":{"at":"`, `"sessions":[{"id":"`, `"locale":"en-GB"`} {
			if !strings.Contains(g.body, part) {
				t.Errorf("the export has no %s: %s", part, g.body)
			}
		}
		if !strings.HasPrefix(g.header.Get("Content-Disposition"), "attachment") {
			t.Errorf("the export is shown, not saved: %v", g.header)
		}
		for _, path := range []string{"/account", "/account/export"} {
			want(t, path+" without a token", send(t, w, call{method: "GET", path: path}), 401, "invalid_token")
		}
	})
}

func TestChangeEmail(t *testing.T) {
	everyDoor(t, func(t *testing.T, send func(*testing.T, *world, call) got) {
		t.Helper()
		w := newWorld(change{})
		access := w.signedIn(t, send)
		to := func(path, body string) got {
			return send(t, w, call{method: "POST", path: path, token: access, body: body})
		}
		change := func(email, password string) got {
			return to("/account/email", `{"email":"`+email+`","password":"`+password+`"}`)
		}
		want(t, "with a wrong password", change("ada@example.com", "wrong"), 403, "wrong_password")
		want(t, "to no address", change("ada", accounttest.Password), 422, "invalid_request")
		want(t, "change", change("Ada@example.com", accounttest.Password), 202, "")
		mails := w.Mails("ada@example.com")
		code := regexp.MustCompile(`\b\d{6}\b`).FindString(mails[len(mails)-1].Text)
		want(t, "a wrong code", to("/account/email/confirm", `{"code":"x"}`), 400, "code_mismatch")
		g := to("/account/email/confirm", `{"code":"`+code+`"}`)
		if want(t, "confirm", g, 200, ""); g.member("email") != "ada@example.com" || g.header.Get("ETag") == "" {
			t.Errorf("confirm: %s", g.body)
		}
	})
}

func TestDeleteAccount(t *testing.T) {
	everyDoor(t, func(t *testing.T, send func(*testing.T, *world, call) got) {
		t.Helper()
		w := newWorld(change{})
		access := w.signedIn(t, send)
		remove := func(token, password string) got {
			return send(t, w, call{method: "POST", path: "/account/delete", token: token, body: `{"password":"` + password + `"}`})
		}
		want(t, "delete without a token", remove("", accounttest.Password), 401, "invalid_token")
		want(t, "delete with a wrong password", remove(access, "wrong"), 403, "wrong_password")
		want(t, "account", send(t, w, call{method: "GET", path: "/account", token: access}), 200, "")
		want(t, "delete", remove(access, accounttest.Password), 204, "")
		want(t, "account of nobody", send(t, w, call{method: "GET", path: "/account", token: access}), 401, "invalid_token")
		want(t, "delete again", remove(access, accounttest.Password), 401, "invalid_token")
		want(t, "login", send(t, w, post("/login", alice)), 401, "invalid_credentials")
		want(t, "register anew", send(t, w, post("/register", alice)), 200, "")
	})
}

// A deletion that fails has voided the token it came with, so that it cannot come again: it
// goes on by itself.
func TestDeleteAccountGoesOn(t *testing.T) {
	everyDoor(t, func(t *testing.T, send func(*testing.T, *world, call) got) {
		t.Helper()
		w := newWorld(change{claims: accounttest.FailingToErase})
		access := w.signedIn(t, send)
		remove := call{method: "POST", path: "/account/delete", token: access, body: `{"password":"` + accounttest.Password + `"}`}
		g := send(t, w, remove)
		want(t, "delete that fails", g, 503, "unavailable")
		if !strings.Contains(g.body, "goes on by itself") || g.header.Get("Retry-After") != "" {
			t.Errorf("a deletion that goes on asks to be repeated: %v %s", g.header, g.body)
		}
		want(t, "delete again", send(t, w, remove), 401, "invalid_token")
		want(t, "register anew", send(t, w, post("/register", alice)), 200, "")
	})
}

// What no process works on any more is found without a request.
func TestWatchDeletions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := accounttest.NewMemory(nil)
		r := account.NewRegistrar(account.RegistrarConfig{Directory: m, Claims: m, Profiles: m, Mailer: m})
		register.WatchDeletions(t.Context(), r)
		got, err := r.Register(t.Context(), account.Registration{Username: "alice", Password: accounttest.Password})
		if err == nil {
			err = m.Retire(t.Context(), "alice", got.UserID, time.Now())
		}
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(11 * time.Minute)
		synctest.Wait()
		if claim, err := m.Find(t.Context(), "alice"); account.CodeOf(err) != account.CodeNotFound {
			t.Errorf("a deletion that was interrupted is left: %+v, %v", claim, err)
		}
	})
}
