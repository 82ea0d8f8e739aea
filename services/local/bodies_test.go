package local_test

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"spillway.example/services/internal/account/accounttest"
	"spillway.example/services/internal/httpapi"
)

// A body that cannot be read, or that two readers might read in two ways, is refused with
// what is wrong with it, and nothing of it is repeated but a member's name.
func TestBodiesThatAreRefused(t *testing.T) {
	everyDoor(t, func(t *testing.T, send func(*testing.T, *world, call) got) {
		t.Helper()
		w := newWorld(change{})
		for name, tt := range map[string]struct {
			path, body string
			status     int
			says       string
		}{
			"empty":               {"/register", "", 400, "The body is empty"},
			"cut off":             {"/register", `{"username":"alice"`, 400, "at byte 19"},
			"trailing garbage":    {"/register", alice + "x", 400, fmt.Sprintf("at byte %d", len(alice)+1)},
			"not UTF-8":           {"/login", "{\"username\":\"alice\",\"password\":\"\xff\"}", 400, "UTF-8"},
			"out of range":        {"/login", `{"username":1e999,"password":"x"}`, 400, "out of range"},
			"a member twice":      {"/login", `{"username":"alice","password":"a secret","password":"x"}`, 400, `\"password\" more than once`},
			"escaped, and plain":  {"/login", `{"username":"alice","\u0070assword":"a secret","password":"x"}`, 400, `\"password\" more than once`},
			"twice, further down": {"/login/challenge", `{"username":"alice","challenge":"X","session":"x","responses":{"ANSWER":"a","ANSWER":"b"}}`, 400, `\"ANSWER\" more than once`},
			"a long name twice":   {"/login", `{"` + strings.Repeat("k", 9000) + `":1,"` + strings.Repeat("k", 9000) + `":2}`, 400, "more than once"},
			"no object":           {"/login", `[]`, 422, `"field":"body"`},
		} {
			g := send(t, w, post(tt.path, tt.body))
			if g.status != tt.status || !strings.Contains(g.body, tt.says) || strings.Contains(g.body, "a secret") || len(g.body) > 1000 {
				t.Errorf("%s: got %d %.300s, want %d and %s", name, g.status, g.body, tt.status, tt.says)
			}
		}
		// The same name in two objects is no repetition.
		g := send(t, w, post("/login/challenge", `{"username":"alice","challenge":"username","session":"session","responses":{"username":"a","session":"session"}}`))
		if g.status == http.StatusBadRequest && g.member("code") == "malformed_request" {
			t.Errorf("one name in two objects: %s", g.body)
		}
	})
}

// What a body is written in must be what the operation reads: JSON, or a form, in UTF-8 and as
// it is. The refusal says what would have been taken.
func TestBodiesInOtherForms(t *testing.T) {
	everyDoor(t, func(t *testing.T, send func(*testing.T, *world, call) got) {
		t.Helper()
		w := newWorld(change{})
		want(t, "register", send(t, w, post("/register", alice)), 200, "")
		const form = "application/x-www-form-urlencoded"
		asks := introspect("x", "Bearer "+newSecret)
		for _, tt := range []struct {
			name    string
			call    call
			header  http.Header
			says    string // of the header that the refusal has; "" is taken
			instead string
		}{
			{"text", post("/login", alice), http.Header{"Content-Type": {"text/plain"}}, "Accept", "application/json"},
			{"a type with no form", post("/login", alice), http.Header{"Content-Type": {"application/json; charset"}}, "Accept", "application/json"},
			{"Latin-1", post("/login", alice), http.Header{"Content-Type": {"application/json; charset=latin1"}}, "Accept", "application/json"},
			{"UTF-16, quoted", post("/login", alice), http.Header{"Content-Type": {`application/json; Charset="UTF-16"`}}, "Accept", "application/json"},
			{"UTF-8", post("/login", alice), http.Header{"Content-Type": {"application/json; charset=utf-8"}}, "", ""},
			{"UTF-8 in capitals, quoted", post("/login", alice), http.Header{"Content-Type": {`application/json;CHARSET="UTF-8"`}}, "", ""},
			{"another parameter", post("/login", alice), http.Header{"Content-Type": {"application/json; profile=x"}}, "", ""},
			{"JSON for a form", asks, http.Header{"Content-Type": {"application/json"}}, "Accept", form},
			{"a form in Latin-1", asks, http.Header{"Content-Type": {form + "; charset=ISO-8859-1"}}, "Accept", form},
			{"a form in UTF-8", asks, http.Header{"Content-Type": {form + "; charset=UTF-8"}}, "", ""},
			{"compressed", post("/login", alice), http.Header{"Content-Encoding": {"gzip"}}, "Accept-Encoding", "identity"},
			{"compressed twice", post("/login", alice), http.Header{"Content-Encoding": {"br, gzip"}}, "Accept-Encoding", "identity"},
			{"by name as it is, then compressed", post("/login", alice), http.Header{"Content-Encoding": {"identity", "zstd"}}, "Accept-Encoding", "identity"},
			{"a compressed form", asks, http.Header{"Content-Encoding": {"deflate"}}, "Accept-Encoding", "identity"},
			{"by name as it is", post("/login", alice), http.Header{"Content-Encoding": {"Identity"}}, "", ""},
			{"no coding", post("/login", alice), http.Header{"Content-Encoding": {""}}, "", ""},
		} {
			c := tt.call
			c.header = c.header.Clone()
			if c.header == nil {
				c.header = http.Header{}
			}
			maps.Copy(c.header, tt.header)
			g := send(t, w, c)
			if tt.says == "" {
				want(t, tt.name, g, 200, "")
				continue
			}
			want(t, tt.name, g, 415, "unsupported_media_type")
			for _, name := range []string{"Accept", "Accept-Encoding"} {
				instead := ""
				if name == tt.says {
					instead = tt.instead
				}
				if got := g.header.Get(name); got != instead {
					t.Errorf("%s: %s is %q, want %q", tt.name, name, got, instead)
				}
			}
			if tt.instead != "" && !strings.Contains(g.member("detail"), strings.TrimPrefix(tt.instead, "identity")) {
				t.Errorf("%s: %s", tt.name, g.body)
			}
		}
		want(t, "a coding of no body", send(t, w, call{method: "GET", path: "/healthz", header: http.Header{"Content-Encoding": {"gzip"}}}), 200, "")
	})
}

// Who shows no access token is told of that first, and has no body read.
func TestTokenComesBeforeTheBody(t *testing.T) {
	everyDoor(t, func(t *testing.T, send func(*testing.T, *world, call) got) {
		t.Helper()
		w := newWorld(change{})
		for _, c := range []call{
			{method: "PATCH", path: "/account"}, post("/account/delete", ""), post("/account/email", ""),
			post("/account/email/confirm", ""), post("/me/password", ""), {method: "DELETE", path: "/me/sessions/" + strings.Repeat("x", 65)},
		} {
			for name, body := range map[string]string{"none": "", "broken": `{"x":`, "too long": strings.Repeat("a", 80<<10), "other fields": `{"x":1}`} {
				c.body, c.header = body, http.Header{}
				want(t, c.path+", "+name, send(t, w, c), 401, "invalid_token")
				c.header = http.Header{"Authorization": {"Bearer a b"}, "Content-Type": {"text/plain"}}
				g := send(t, w, c)
				if want(t, c.path+", "+name+", no token", g, 401, "invalid_token"); g.header.Get("WWW-Authenticate") != `Bearer error="invalid_token"` {
					t.Errorf("%s, %s: challenged with %q", c.path, name, g.header.Get("WWW-Authenticate"))
				}
			}
		}
		want(t, "a body where a token may be", send(t, w, post("/logout", "")), 400, "malformed_request")
	})
}

// A body is taken up to the length that the refusal of a longer one names.
func TestLongestBody(t *testing.T) {
	everyDoor(t, func(t *testing.T, send func(*testing.T, *world, call) got) {
		t.Helper()
		w := newWorld(change{})
		longest := alice + strings.Repeat(" ", httpapi.MaxBody-len(alice))
		want(t, "the longest", send(t, w, post("/register", longest)), 200, "")
		want(t, "one byte longer", send(t, w, post("/register", longest+" ")), 413, "body_too_large")
	})
}

// An answer is JSON and says so, whatever is asked for.
func TestAcceptIsNotHeeded(t *testing.T) {
	everyDoor(t, func(t *testing.T, send func(*testing.T, *world, call) got) {
		t.Helper()
		w := newWorld(change{})
		for _, accept := range []string{"json", "text/html", "application/problem+json", "*/*;q=0"} {
			g := send(t, w, call{method: "GET", path: "/healthz", header: http.Header{"Accept": {accept}}})
			if want(t, accept, g, 200, ""); g.header.Get("Content-Type") != "application/json" {
				t.Errorf("Accept: %s gets %q", accept, g.header.Get("Content-Type"))
			}
		}
	})
}

// A body that stops before its end is the caller's fault, not ours.
func TestBodyThatEndsEarly(t *testing.T) {
	t.Parallel()
	w := newWorld(change{})
	s := httptest.NewServer(w.handler)
	defer s.Close()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, err = io.WriteString(conn, "POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"+
		`{"username":"alice","password":"`+accounttest.Password)
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil { //nolint:forcetypeassert // it was dialled as one
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	want(t, "a body cut off", answer(t, res, err), 400, "malformed_request")
	if strings.Contains(w.log.String(), `"ERROR"`) {
		t.Errorf("the log says %s", w.log)
	}
}

// Header lines of one name are one list, and a field is blamed by its own name.
func TestHeaderLinesAreOneList(t *testing.T) {
	everyDoor(t, func(t *testing.T, send func(*testing.T, *world, call) got) {
		t.Helper()
		w := newWorld(change{})
		access := w.signedIn(t, send)
		etag := send(t, w, call{method: "GET", path: "/account", token: access}).header.Get("ETag")
		g := send(t, w, call{
			method: "PATCH", path: "/account", token: access, body: `{"locale":"en"}`, header: http.Header{"If-Match": {`"999"`, etag}},
		})
		want(t, "two lines of If-Match", g, 200, "")
		g = send(t, w, call{method: "DELETE", path: "/me/sessions/" + strings.Repeat("x", 65), token: access})
		if want(t, "a long id", g, 422, "invalid_request"); len(g.fields()) != 1 || g.fields()[0] != "id" {
			t.Errorf("a long id: blames %v", g.fields())
		}
	})
}

// Two keys are none: which of them is meant nobody knows. A load balancer that passes on the
// last line alone is beyond us.
func TestTwoKeysAreRefused(t *testing.T) {
	t.Parallel()
	for _, door := range []string{"http", "lambda behind an HTTP API"} {
		two := post("/register/resend", `{"username":"alice"}`)
		two.header = http.Header{"Idempotency-Key": {uuid, uuid2}}
		g := doors[door](t, newWorld(change{}), two)
		if want(t, door, g, 422, "invalid_request"); len(g.fields()) != 1 || g.fields()[0] != "Idempotency-Key" {
			t.Errorf("by %s: blames %v", door, g.fields())
		}
	}
}

// Lengths are told in words that help, and never with a number that is not the field's own rule.
func TestLengthsInWords(t *testing.T) {
	t.Parallel()
	for what, tt := range map[string]struct {
		call call
		says string
	}{
		"a long password": {post("/register", `{"username":"alice","password":"`+strings.Repeat("x", 2000)+`"}`), `{"field":"password","message":"is too long"}`},
		"a longer one than may be": {
			post("/register", `{"username":"alice","password":"`+strings.Repeat("x", 200)+`"}`), `{"field":"password","message":"must have at most 128 characters"}`,
		},
		"a short key": {keyed(post("/register", alice), "short"), `{"field":"Idempotency-Key","message":"must have at least 16 characters"}`},
		"no code":     {post("/register/confirm", `{"username":"alice","code":"","registration_token":"x"}`), `{"field":"code","message":"is required"}`},
	} {
		g := doors["http"](t, newWorld(change{}), tt.call)
		if want(t, what, g, 422, "invalid_request"); !strings.Contains(g.body, tt.says) {
			t.Errorf("%s: %s", what, g.body)
		}
	}
}
