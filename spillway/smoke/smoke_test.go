package smoke_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"spillway.example/frontdoor/frontdoortest"
	"spillway.example/services/local"
	"spillway.example/spillway/smoke"
)

// services runs both services, as `spillway run` does, until the test ends.
func services(t *testing.T, environ ...string) *url.URL {
	t.Helper()
	port := frontdoortest.FreePort(t)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- local.Run(ctx, local.Config{
			Environ: append(environ, "PORT="+port, "DATA_DIR="+t.TempDir(), "DRAIN_DELAY=0s"), Stdout: io.Discard, Stderr: io.Discard,
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the services end with %v", err)
		}
	})
	u := &url.URL{Scheme: "http", Host: net.JoinHostPort("127.0.0.1", port)}
	for {
		res, err := http.Get(u.String() + "/readyz")
		if err == nil {
			res.Body.Close()
			return u
		}
		select {
		case err := <-ended:
			t.Fatal(err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func walk(t *testing.T, base string, account *smoke.Account) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := smoke.Walk{Base: base, Account: account, Out: &out, Pause: time.Millisecond}.Run(t.Context())
	return out.String(), err
}

func TestWalk(t *testing.T) {
	t.Parallel()
	base := services(t).String()
	out, err := walk(t, base+"/", nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !strings.Contains(out, "10 steps went as they should") || strings.Contains(out, "stays") {
		t.Errorf("the walk says:\n%s", out)
	}
}

// TestWalkWithAnAccount is for environments where a sign-up needs a mailbox.
func TestWalkWithAnAccount(t *testing.T) {
	t.Parallel()
	base := services(t, "EMAIL_REQUIRED=true").String()
	_, err := walk(t, base, nil)
	if step, ok := errors.AsType[*smoke.StepError](err); !ok || step.Step != "register" || !strings.Contains(err.Error(), "got 422") {
		t.Errorf("without an account: got %v", err)
	}

	open := services(t).String()
	account := &smoke.Account{Username: "canary", Password: "correct horse battery staple"}
	_, err = walk(t, open, account)
	if step, ok := errors.AsType[*smoke.StepError](err); !ok || step.Step != "register the account's name" || !strings.Contains(err.Error(), "want 409") {
		t.Errorf("with an account that is not there: got %v", err)
	}
	known := &smoke.Account{Username: "canary-2", Password: account.Password}
	res, err := http.Post(open+"/register", "application/json", strings.NewReader(`{"username":"canary-2","password":"`+known.Password+`"}`))
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatal(res, err)
	}
	res.Body.Close()
	out, err := walk(t, open, known)
	if err != nil || strings.Contains(out, "delete") {
		t.Errorf("got %v\n%s", err, out)
	}
	if out, err := walk(t, open, known); err != nil { // it is still there
		t.Errorf("again: got %v\n%s", err, out)
	}
	_, err = walk(t, open, &smoke.Account{Username: "canary-2", Password: "another horse battery staple"})
	if step, ok := errors.AsType[*smoke.StepError](err); !ok || step.Step != "login" || !strings.Contains(err.Error(), "got 401") {
		t.Errorf("with a wrong password: got %v", err)
	}
}

// TestWalkFindsFaults puts one fault in the way of real services, and wants the step named
// that meets it.
func TestWalkFindsFaults(t *testing.T) {
	t.Parallel()
	base := services(t)
	for what, c := range map[string]struct {
		path  string
		fault func(w http.ResponseWriter, r *http.Request, times int) bool // whether it answered
		step  string
		want  string
	}{
		"register is down":       {"/register", always(503, `{"code":"unavailable","detail":"Not now."}`), "register", "got 503 (unavailable: Not now.)"},
		"register forgets names": {"/register", fromSecond(200, `{"user_id":"x"}`), "register the same name", "got 200, want 409"},
		"register wants a code":  {"/register", always(200, `{"user_id":"x","confirmation_required":true}`), "register", "waits for a code"},
		"any password will do":   {"/login", always(200, `{"access_token":"a","refresh_token":"b","token_type":"Bearer"}`), "login with a wrong password", "got 200, want 401"},
		"login is down":          {"/login", fromSecond(500, `{"code":"internal","detail":"An error of ours."}`), "login", "got 500 (internal: An error of ours.)"},
		"login gives no tokens":  {"/login", fromSecond(200, `{"message":"welcome"}`), "login", "no tokens"},
		"login is a page":        {"/login", fromSecond(200, `<html>`), "login", "no JSON"},
		"me is another":          {"/me", always(200, `{"username":"mallory"}`), "me", "somebody else"},
		"me has another id":      {"/register", func(w http.ResponseWriter, r *http.Request, times int) bool { return times == 1 && alter(w, r, base) }, "me", "and register said x"},
		"deletion is not there":  {"/account/delete", always(404, ``), "delete the account", "got 404, want 204"},
		"nothing is deleted":     {"/account/delete", always(204, ``), "delete the account", "got 200"},
		"no fault":               {"", nil, "", ""},
		"nobody finds register":  {"/me", always(503, `{"code":"unavailable","detail":"Profiles are away."}`), "me", "Profiles are away"},
		"refresh is down":        {"/token/refresh", always(502, ``), "refresh", "got 502"},
		"sessions never end":     {"/token/refresh", fromSecond(200, `{"access_token":"a"}`), "refresh after logout", "got 200, want 401"},
		"logout is not there":    {"/logout", always(404, ``), "logout", "got 404, want 204"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			proxy := httputil.NewSingleHostReverseProxy(base)
			times := map[string]int{}
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				times[r.URL.Path]++
				if r.URL.Path != c.path || !c.fault(w, r, times[r.URL.Path]) {
					proxy.ServeHTTP(w, r)
				}
			}))
			t.Cleanup(server.Close)
			out, err := walk(t, server.URL, nil)
			if c.step == "" {
				if err != nil {
					t.Errorf("with no fault: %v", err)
				}
				return
			}
			step, ok := errors.AsType[*smoke.StepError](err)
			if !ok || step.Step != c.step || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s: %s\n%s", err, c.step, c.want, out)
			}
		})
	}
}

// TestWalkTriesAgain: what no service has answered is no fault of the deployment's.
func TestWalkTriesAgain(t *testing.T) {
	t.Parallel()
	proxy := httputil.NewSingleHostReverseProxy(services(t))
	times := map[string]int{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		times[r.URL.Path]++
		switch {
		case r.URL.Path == "/me" && times["/me"] < 3:
			w.WriteHeader(http.StatusBadGateway)
		case r.URL.Path == "/register" && times["/register"] == 1: // it gets through, and its answer is lost
			proxy.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		default:
			proxy.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	out, err := walk(t, server.URL, nil)
	if err != nil || strings.Count(out, "trying again") != 3 {
		t.Errorf("got %v\n%s", err, out)
	}
}

func TestWalkKeepsSecrets(t *testing.T) {
	t.Parallel()
	proxy := httputil.NewSingleHostReverseProxy(services(t))
	var secrets []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if body, err := io.ReadAll(r.Body); err == nil {
			secrets = append(secrets, string(body), r.Header.Get("Authorization"))
			r.Body = io.NopCloser(bytes.NewReader(body))
		}
		if r.URL.Path == "/logout" {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	out, err := walk(t, server.URL, nil)
	if err == nil {
		t.Fatal("the walk missed the fault")
	}
	for _, s := range secrets {
		for part := range strings.FieldsFuncSeq(s, func(r rune) bool { return strings.ContainsRune(`{}":, `, r) }) {
			if len(part) >= 20 && !strings.HasPrefix(strings.ToLower(part), smoke.Prefix) && strings.Contains(out+err.Error(), part) {
				t.Errorf("%q is told", part)
			}
		}
	}
}

// alter has register do its work and say another user_id.
func alter(w http.ResponseWriter, r *http.Request, to *url.URL) bool {
	httputil.NewSingleHostReverseProxy(to).ServeHTTP(httptest.NewRecorder(), r)
	_, _ = io.WriteString(w, `{"user_id":"x"}`)
	return true
}

func always(status int, body string) func(http.ResponseWriter, *http.Request, int) bool {
	return func(w http.ResponseWriter, _ *http.Request, _ int) bool {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
		return true
	}
}

func fromSecond(status int, body string) func(http.ResponseWriter, *http.Request, int) bool {
	return func(w http.ResponseWriter, r *http.Request, times int) bool {
		return times > 1 && always(status, body)(w, r, times)
	}
}
