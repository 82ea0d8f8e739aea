package embedded_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/account/accounttest"
	"spillway.example/services/internal/embedded"
)

// TestRefreshModel plays honest clients and thieves at once: any token of a session is
// sent at any time, and what comes of it is what a simple model says.
func TestRefreshModel(t *testing.T) {
	t.Parallel()
	clock := &accounttest.Clock{}
	d := directory(open(t, t.TempDir(), on(clock)))
	member(t, d, "alice")
	rapid.Check(t, func(rt *rapid.T) {
		const grace, rotations = 10 * time.Second, 16
		first, err := d.SignIn(context.Background(), "alice", accounttest.Password)
		if err != nil {
			rt.Fatalf("SignIn: %v", err)
		}
		tokens := []string{first.RefreshToken} // oldest first
		var replaced []time.Time               // of all but the newest
		ended := false
		rt.Repeat(map[string]func(*rapid.T){
			"wait": func(rt *rapid.T) {
				clock.Advance(time.Duration(rapid.IntRange(0, 12_000).Draw(rt, "ms")) * time.Millisecond)
			},
			"refresh": func(rt *rapid.T) {
				// Mostly one of the newest, as clients do.
				i := max(0, len(tokens)-1-rapid.IntRange(0, 4).Draw(rt, "back"))
				newest := i == len(tokens)-1
				got, err := d.Refresh(context.Background(), tokens[i])
				switch {
				case ended, !newest && clock.Now().Sub(replaced[i]) >= grace:
					ended = true
					if account.CodeOf(err) != account.CodeInvalidToken {
						rt.Fatalf("token %d of %d: got %v, want it refused", i, len(tokens), err)
					}
				case newest && i >= rotations && clock.Now().Sub(replaced[i-rotations]) < grace:
					if account.CodeOf(err) != account.CodeTooManyRequests {
						rt.Fatalf("token %d of %d, replaced %d times just now: got %v, want it to wait", i, len(tokens), rotations, err)
					}
				case err != nil:
					rt.Fatalf("token %d of %d: %v", i, len(tokens), err)
				case newest:
					if slices.Contains(tokens, got.RefreshToken) {
						rt.Fatal("the newest token was not replaced")
					}
					tokens, replaced = append(tokens, got.RefreshToken), append(replaced, clock.Now())
				case got.RefreshToken != tokens[len(tokens)-1]:
					rt.Fatalf("token %d of %d within its grace: got another than the newest", i, len(tokens))
				}
			},
			"": func(*rapid.T) {},
		})
	})
}

// TestRefreshChainsEnd has nobody make a chain of replaced tokens that is long to walk.
func TestRefreshChainsEnd(t *testing.T) {
	t.Parallel()
	clock := &accounttest.Clock{}
	d := directory(open(t, t.TempDir(), on(clock)))
	member(t, d, "alice")
	tokens, err := d.SignIn(t.Context(), "alice", accounttest.Password)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 50 {
		next, err := d.Refresh(t.Context(), tokens.RefreshToken)
		if account.CodeOf(err) == account.CodeTooManyRequests {
			if e, ok := errors.AsType[*account.Error](err); n != 16 || !ok || e.RetryAfter != 10*time.Second {
				t.Errorf("after %d refreshes at once: %v", n, err)
			}
			clock.Advance(10 * time.Second)
			_, err := d.Refresh(t.Context(), tokens.RefreshToken)
			wantCode(t, "Refresh when it may", err, "")
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		tokens = next
	}
	t.Error("50 refreshes at once")
}

// TestTabsAtOnce refreshes one token from many tabs and both processes at once: nobody
// is signed out, and there is one token to go on with.
func TestTabsAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	processes := []*embedded.Directory{directory(open(t, dir)), directory(open(t, dir))}
	member(t, processes[0], "alice")
	token := signIn(t, processes[0], "alice").RefreshToken
	var mu sync.Mutex
	var wg sync.WaitGroup
	got := map[string]int{}
	for i := range 20 {
		wg.Go(func() {
			tokens, err := processes[i%2].Refresh(context.Background(), token)
			wantCode(t, "Refresh", err, "")
			mu.Lock()
			defer mu.Unlock()
			got[tokens.RefreshToken]++
		})
	}
	wg.Wait()
	if len(got) != 1 {
		t.Fatalf("twenty tabs got %d refresh tokens, want one", len(got))
	}
	for next := range got {
		if next == token {
			t.Error("the token was not replaced")
		}
		_, err := processes[1].Refresh(t.Context(), next)
		wantCode(t, "Refresh with what the tabs got", err, "")
	}
}

func TestReuseEndsTheSession(t *testing.T) {
	t.Parallel()
	clock := &accounttest.Clock{}
	d := directory(open(t, t.TempDir(), on(clock)))
	member(t, d, "alice")
	stolen, other := signIn(t, d, "alice"), signIn(t, d, "alice")
	next, err := d.Refresh(t.Context(), stolen.RefreshToken)
	wantCode(t, "Refresh", err, "")
	clock.Advance(10 * time.Second)
	_, err = d.Refresh(t.Context(), stolen.RefreshToken)
	wantCode(t, "Refresh with a token replaced ten seconds ago", err, account.CodeInvalidToken)
	_, err = d.Refresh(t.Context(), next.RefreshToken)
	wantCode(t, "Refresh with the newest token after that", err, account.CodeInvalidToken)
	_, err = d.GetUser(t.Context(), next.AccessToken)
	wantCode(t, "GetUser after that", err, account.CodeInvalidToken)
	_, err = d.Refresh(t.Context(), other.RefreshToken)
	wantCode(t, "Refresh of another session", err, "")
}

// TestForgedRefreshToken changes each part of a token. What is not of any session
// harms none.
func TestForgedRefreshToken(t *testing.T) {
	t.Parallel()
	d := directory(open(t, t.TempDir()))
	member(t, d, "alice")
	good := signIn(t, d, "alice").RefreshToken
	for name, forged := range map[string]string{
		"another family": "AAAA" + good[4:],
		"cut":            good[:len(good)-4],
		"longer":         good + "AAAA",
		"padded":         good + "=",
		"spaced":         good[:10] + "\n" + good[10:],
	} {
		_, err := d.Refresh(t.Context(), forged)
		wantCode(t, "Refresh, "+name, err, account.CodeInvalidToken)
		wantCode(t, "SignOut, "+name, d.SignOut(t.Context(), forged), "")
	}
	_, err := d.Refresh(t.Context(), good)
	wantCode(t, "Refresh", err, "")
}

func TestSignOutByAnOldToken(t *testing.T) {
	t.Parallel()
	clock := &accounttest.Clock{}
	d := directory(open(t, t.TempDir(), on(clock)))
	member(t, d, "alice")
	first := signIn(t, d, "alice")
	newest := first
	for range 3 {
		var err error
		newest, err = d.Refresh(t.Context(), newest.RefreshToken)
		wantCode(t, "Refresh", err, "")
		clock.Advance(time.Hour / 2)
	}
	_, err := d.GetUser(t.Context(), newest.AccessToken)
	wantCode(t, "GetUser", err, "")
	for range 2 {
		wantCode(t, "SignOut", d.SignOut(t.Context(), first.RefreshToken), "")
	}
	_, err = d.Refresh(t.Context(), newest.RefreshToken)
	wantCode(t, "Refresh after SignOut", err, account.CodeInvalidToken)
	_, err = d.GetUser(t.Context(), newest.AccessToken)
	wantCode(t, "GetUser after SignOut", err, account.CodeInvalidToken)
}

// TestSessionsEnd lets a session come to its end: refreshing does not prolong it, and
// it leaves nothing behind.
func TestSessionsEnd(t *testing.T) {
	t.Parallel()
	clock, dir := &accounttest.Clock{}, t.TempDir()
	d := directory(open(t, dir, on(clock)))
	member(t, d, "alice")
	tokens := signIn(t, d, "alice")
	for range 29 {
		clock.Advance(24 * time.Hour)
		var err error
		if tokens, err = d.Refresh(t.Context(), tokens.RefreshToken); err != nil {
			t.Fatalf("Refresh: %v", err)
		}
	}
	if left := column[[]byte](t, dir, `SELECT hash FROM refresh_tokens`); len(left) != 2 {
		t.Errorf("got %d tokens stored after 29 refreshes, want the newest and the one before", len(left))
	}
	clock.Advance(24 * time.Hour)
	_, err := d.Refresh(t.Context(), tokens.RefreshToken)
	wantCode(t, "Refresh after 30 days", err, account.CodeInvalidToken)
	signIn(t, d, "alice")
	if left := column[string](t, dir, `SELECT id FROM sessions`); len(left) != 1 {
		t.Errorf("got %d sessions stored, want the newest alone", len(left))
	}
}

// TestEndedSessionsAreDenied looks for the access tokens of a session that a sign-out, or
// the reuse of a refresh token, has ended: whoever checks them offline learns of it from
// the deny list.
func TestEndedSessionsAreDenied(t *testing.T) {
	t.Parallel()
	clock := &accounttest.Clock{}
	s := open(t, t.TempDir(), on(clock))
	d := directory(s)
	member(t, d, "alice")
	denied := func(what string, tokens account.Tokens, want bool) {
		t.Helper()
		who, err := s.Verifier().Offline(t.Context(), tokens.AccessToken)
		wantCode(t, "Offline", err, "")
		if got, err := s.Denied(t.Context(), who); err != nil || got != want {
			t.Errorf("%s: got denied %v, %v; want %v", what, got, err, want)
		}
	}
	signedOut, reused, other, ended := signIn(t, d, "alice"), signIn(t, d, "alice"), signIn(t, d, "alice"), signIn(t, d, "alice")
	who, err := s.Verifier().Offline(t.Context(), ended.AccessToken)
	wantCode(t, "Offline", err, "")
	wantCode(t, "EndSession", d.EndSession(t.Context(), other.AccessToken, who.SessionID), "")
	wantCode(t, "SignOut", d.SignOut(t.Context(), signedOut.RefreshToken), "")
	next, err := d.Refresh(t.Context(), reused.RefreshToken)
	wantCode(t, "Refresh", err, "")
	denied("before the reuse", next, false)
	clock.Advance(10 * time.Second)
	_, err = d.Refresh(t.Context(), reused.RefreshToken)
	wantCode(t, "Refresh again", err, account.CodeInvalidToken)
	denied("signed out", signedOut, true)
	denied("reused", reused, true)
	denied("refreshed before the reuse", next, true)
	denied("ended from another session", ended, true)
	denied("another session", other, false)
}
