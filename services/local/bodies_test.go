package local_test

import (
	"bufio"
	"fmt"
	"io"
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
