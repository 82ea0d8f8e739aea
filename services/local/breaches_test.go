package local_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"spillway.example/services/internal/account/accounttest"
	"spillway.example/services/internal/breach"
	"spillway.example/services/internal/httpapi"
)

// A password that has appeared in a breach is refused wherever one is set, and while the
// breaches cannot be had every other is taken, and counted.
func TestBreachedPasswords(t *testing.T) {
	t.Parallel()
	up := true
	ranges := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !up {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		fmt.Fprint(w, "0018A45C4D1DEF81644B54AB7F969B88D65:3\r\n")
		if r.URL.Path == "/range/ABF7A" { // SHA-1 of "correct horse battery staple"
			fmt.Fprint(w, "AD6438836DBE526AA231ABDE2D0EEF74D42:1\r\n")
		}
	}))
	defer ranges.Close()
	base, err := url.Parse(ranges.URL)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(change{breaches: breach.New(base)})
	send := doors["http"]
	refused := func(what string, g got, field string) {
		t.Helper()
		if want(t, what, g, 422, "invalid_request"); !slices.Equal(g.fields(), []string{field}) || !strings.Contains(g.body, "breach") {
			t.Errorf("%s: got %s", what, g.body)
		}
	}
	refused("sign-up", send(t, w, post("/register", carol)), "password")
	good := strings.Replace(carol, "battery", "cattery", 1)
	g := send(t, w, post("/register", good))
	want(t, "sign-up with another", g, 200, "")
	confirm := `{"username":"carol","code":"` + w.Code("carol") + `","registration_token":"` + g.member("registration_token") + `"}`
	want(t, "confirm", send(t, w, post("/register/confirm", confirm)), 200, "")
	want(t, "forgot", send(t, w, post("/login/forgot", `{"username":"carol"}`)), 202, "")
	refused("reset", send(t, w, post("/login/reset", `{"username":"carol","code":"000000","password":"`+accounttest.Password+`"}`)), "password")
	taken := strings.Replace(accounttest.Password, "battery", "cattery", 1)
	change := post("/me/password", `{"current_password":"`+taken+`","new_password":"`+accounttest.Password+`"}`)
	change.token = send(t, w, post("/login", credentialsOf("carol", taken))).member("access_token")
	refused("change", send(t, w, change), "new_password")
	const given = "a horse that was given"
	if err := w.SetTemporaryPassword(t.Context(), "carol", given); err != nil {
		t.Fatal(err)
	}
	var opened httpapi.Problem
	if err := json.Unmarshal([]byte(send(t, w, post("/login", credentialsOf("carol", given))).body), &opened); err != nil || opened.Challenge == nil {
		t.Fatalf("a temporary password opens no challenge: %+v, %v", opened, err)
	}
	answer := `{"username":"carol","challenge":"NEW_PASSWORD_REQUIRED","session":"` + opened.Challenge.Session + `","responses":{"NEW_PASSWORD":"` + accounttest.Password + `"}}`
	refused("in the place of a temporary one", send(t, w, post("/login/challenge", answer)), "responses.NEW_PASSWORD")
	if n := w.events.Load(); n != 0 {
		t.Errorf("%d passwords counted as unchecked", n)
	}
	up = false
	want(t, "sign-up while nobody can be asked", send(t, w, post("/register", alice)), 200, "")
	if n := w.events.Load(); n != 1 {
		t.Errorf("%d passwords counted as unchecked, want 1", n)
	}
}
