package verify_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"

	"spillway.example/verify"
)

// list is a list of revoked sessions that counts who asks, and can be away.
type list struct {
	asked   atomic.Int64
	mu      sync.Mutex
	revoked map[string]bool
	away    bool
	hold    chan struct{} // if not nil, answers wait for it to be closed
}

func (l *list) Revoked(ctx context.Context, _ string, c verify.Claims) (bool, error) {
	l.asked.Add(1)
	if l.hold != nil {
		select {
		case <-l.hold:
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.away {
		return false, errors.New("the list is away")
	}
	return l.revoked[c.SessionID], nil
}

func (l *list) set(session string, away bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.revoked, l.away = map[string]bool{session: true}, away
}

// revocable is a verifier that asks a list, on a clock, and a way to check a new token of
// a session.
func revocable(t *testing.T, l *list) (*clock, func(what, session string, want error)) {
	t.Helper()
	p, clock := newPair(t, "k1", jwa.ES256()), newClock()
	v := newVerifier(t, keys{p}, func(c *verify.Config) { c.Revocations, c.Now = l, clock.now })
	return clock, func(what, session string, want error) {
		t.Helper()
		_, err := v.Verify(t.Context(), sign(t, p, good(func(c map[string]any) {
			c["origin_jti"] = session
			if session == "" {
				delete(c, "origin_jti")
			}
		}), nil))
		wantKind(t, what, err, want)
	}
}

func (l *list) wantAsked(t *testing.T, when string, want int64) {
	t.Helper()
	if got := l.asked.Load(); got != want {
		t.Errorf("%s: the list was asked %d times, want %d", when, got, want)
	}
}

// TestRevokedWithin asks once for a session in ten seconds, and half a minute after a
// revocation accepts no token any more, whether the list is there or not.
func TestRevokedWithin(t *testing.T) {
	t.Parallel()
	for name, away := range map[string]bool{"the list is there": false, "the list is away from then on": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := &list{}
			clock, check := revocable(t, l)
			for range 100 {
				check("before", "s1", nil)
			}
			l.wantAsked(t, "a hundred checks of one session", 1)
			check("before", "s2", nil)
			l.wantAsked(t, "a check of another session", 2)
			l.set("s1", away)
			for range 300 {
				clock.advance(100 * time.Millisecond)
				if clock.now().Sub(now) < 10*time.Second {
					check("at once after", "s1", nil) // the answer before is still good
				}
			}
			want := verify.ErrInvalidToken
			if away {
				want = verify.ErrUnavailable
			}
			check("half a minute later", "s1", want)
			if !away {
				check("half a minute later", "s2", nil)
			}
		})
	}
}

// TestListAway goes on with what it knows, for a time, and has nobody wait twice for a
// list that does not answer.
func TestListAway(t *testing.T) {
	t.Parallel()
	l := &list{}
	clock, check := revocable(t, l)
	check("before", "s1", nil)
	l.set("", true)
	clock.advance(11 * time.Second)
	for range 100 {
		check("away for ten seconds", "s1", nil)
		check("away, a session that nobody knows of", "s2", verify.ErrUnavailable)
	}
	l.wantAsked(t, "two hundred checks while it is away", 2)
	clock.advance(time.Second)
	check("a second later", "s1", nil)
	l.wantAsked(t, "a second later", 3)
	l.set("", false)
	clock.advance(time.Second)
	check("back", "s2", nil)
	check("back", "s1", nil)
}

// TestRevokedStaysRevoked asks no more for a session that is known to be revoked, and
// lets it in by no fault of the list.
func TestRevokedStaysRevoked(t *testing.T) {
	t.Parallel()
	l := &list{}
	l.set("s1", false)
	clock, check := revocable(t, l)
	check("revoked", "s1", verify.ErrInvalidToken)
	l.set("s1", true)
	clock.advance(15 * time.Second)
	check("revoked, and the list is away", "s1", verify.ErrInvalidToken)
	l.wantAsked(t, "of a session that is revoked", 2)
}

// An introspection endpoint says that a token is not good for whatever reason, such as a
// key that was replaced. The session's next token is not held to that for long.
func TestRevokedIsAskedAgain(t *testing.T) {
	t.Parallel()
	l := &list{}
	clock, check := revocable(t, l)
	l.set("s1", false)
	check("of a key that is gone", "s1", verify.ErrInvalidToken)
	l.set("another", false)
	clock.advance(11 * time.Second)
	check("the session's next token", "s1", nil)
}

// A clock that is set back makes no answer fresh.
func TestClockSetBack(t *testing.T) {
	t.Parallel()
	l := &list{}
	clock, check := revocable(t, l)
	check("before", "s1", nil)
	l.set("s1", false)
	clock.advance(-20 * time.Second) // which tokens may be in front
	check("revoked since", "s1", verify.ErrInvalidToken)
}

func TestManyAskOnce(t *testing.T) {
	t.Parallel()
	l := &list{hold: make(chan struct{})}
	_, check := revocable(t, l)
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() { check("at once", "s1", nil) })
	}
	for l.asked.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	close(l.hold)
	wg.Wait()
	if got := l.asked.Load(); got > 5 { // who comes after the answer finds it kept
		t.Errorf("fifty checks at once: the list was asked %d times", got)
	}
	check("a token of no session", "", nil)
}

func TestIntrospector(t *testing.T) {
	t.Parallel()
	type answer struct {
		status int
		body   string
	}
	var now atomic.Pointer[answer]
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.Header.Get("Authorization") != "Bearer shh" ||
			r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || r.PostFormValue("token") != "a.b+c/=&d" {
			t.Errorf("asked wrongly: %s %v %v", r.Method, r.Header, r.PostForm)
		}
		a := now.Load()
		if a.status == http.StatusFound {
			http.Redirect(w, r, "/elsewhere", a.status)
			return
		}
		w.WriteHeader(a.status)
		_, _ = w.Write([]byte(a.body))
	}))
	t.Cleanup(s.Close)
	i, err := verify.NewIntrospector(s.URL+"/token/introspect", "shh", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		answer
		revoked, fails bool
	}{
		{answer{200, `{"active":true,"sub":"a"}`}, false, false},
		{answer{200, `{"active":false}`}, true, false},
		{answer{200, `{}`}, false, true},
		{answer{200, `{"active":"yes"}`}, false, true},
		{answer{200, `<html>`}, false, true},
		{answer{401, `{"active":true}`}, false, true},
		{answer{302, ``}, false, true},
		{answer{503, ``}, false, true},
	} {
		now.Store(&tt.answer)
		revoked, err := i.Revoked(t.Context(), "a.b+c/=&d", verify.Claims{})
		if revoked != tt.revoked || (err != nil) != tt.fails {
			t.Errorf("%+v: got revoked %v, %v", tt.answer, revoked, err)
		}
	}
	for _, bad := range [][2]string{{"", "shh"}, {"login/token/introspect", "shh"}, {s.URL, ""}} {
		if _, err := verify.NewIntrospector(bad[0], bad[1], nil); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
