package account_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/account/accounttest"
)

// TestRevokeUser voids the sessions that are there, and those that begin before the
// directory has ended them, and none that begins after it has returned, although tokens
// tell no more than the second, and by a clock that is a little off.
func TestRevokeUser(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		clock := &accounttest.Clock{}
		pass := func(what string, most int) {
			clock.Advance(time.Duration(rapid.IntRange(0, most).Draw(t, what)) * time.Millisecond)
		}
		ahead := time.Duration(rapid.IntRange(-250, 250).Draw(t, "directory's clock ahead")) * time.Millisecond
		session := func() account.Identity {
			return account.Identity{UserID: "alice", SessionID: "s", Since: clock.Now().Add(ahead).Truncate(time.Second)}
		}
		m := accounttest.NewMemory(clock.Now)
		r := account.NewRevoker(account.RevokerConfig{Denials: m, Now: clock.Now, Wait: func(_ context.Context, d time.Duration) error {
			if d <= 0 || d > 1500*time.Millisecond {
				t.Errorf("waits for %v, want 1.5 s at most", d)
			}
			clock.Advance(d)
			return nil
		}})
		pass("before", 2000)
		ended := []account.Identity{session()}
		pass("until it begins", 1000)
		end := func(context.Context) error {
			for range 3 {
				pass("in the directory", 1500)
				ended = append(ended, session())
			}
			return nil
		}
		if !rapid.Bool().Draw(t, "sessions end in it") {
			end = nil
		}
		if err := r.RevokeUser(context.Background(), "alice", end); err != nil {
			t.Fatal(err)
		}
		want := func(who account.Identity, want bool) {
			if got, err := m.Denied(context.Background(), who); err != nil || got != want {
				t.Errorf("a session since %v: got denied %v, %v; want %v", who.Since, got, err, want)
			}
		}
		for _, who := range ended {
			want(who, true)
		}
		want(session(), false)
	})
}

// TestSignOutEverywhereInTheMiddle opens a session while the directory is asked to end all:
// it ends, and so do its tokens.
func TestSignOutEverywhereInTheMiddle(t *testing.T) {
	t.Parallel()
	clock := &accounttest.Clock{}
	m := accounttest.NewMemory(clock.Now)
	s := account.NewSessions(account.SessionsConfig{
		Directory: &meanwhile{Memory: m, clock: clock}, Verifier: m, Now: clock.Now,
		Revoker: account.NewRevoker(account.RevokerConfig{
			Denials: m, Now: clock.Now, Wait: func(_ context.Context, d time.Duration) error { clock.Advance(d); return nil },
		}),
	})
	if _, err := m.SignUp(t.Context(), account.NewUser{Username: "alice", Password: accounttest.Password}); err != nil {
		t.Fatal(err)
	}
	if err := m.ConfirmUser(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	own, err := s.SignIn(t.Context(), "alice", accounttest.Password)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SignOutEverywhere(t.Context(), own.AccessToken); err != nil {
		t.Fatal(err)
	}
	for what, tokens := range map[string]account.Tokens{"who asked": own, "who came in the middle": s.Directory.(*meanwhile).tokens} {
		if _, err := m.Verify(t.Context(), tokens.AccessToken); account.CodeOf(err) != account.CodeInvalidToken {
			t.Errorf("the access token of %s: got %v, want it void", what, err)
		}
		if _, err := s.Refresh(t.Context(), tokens.RefreshToken); account.CodeOf(err) != account.CodeInvalidToken {
			t.Errorf("the session of %s: got %v, want it ended", what, err)
		}
	}
	after, err := s.SignIn(t.Context(), "alice", accounttest.Password)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Verify(t.Context(), after.AccessToken); err != nil {
		t.Errorf("a session that began after: %v", err)
	}
}

// meanwhile is a directory that takes two seconds to end all sessions, while somebody signs
// in.
type meanwhile struct {
	*accounttest.Memory
	clock  *accounttest.Clock
	tokens account.Tokens
}

func (d *meanwhile) SignOutEverywhere(ctx context.Context, token string) (err error) {
	d.clock.Advance(time.Second)
	if d.tokens, err = d.SignIn(ctx, "alice", accounttest.Password); err != nil {
		return err
	}
	d.clock.Advance(time.Second)
	return d.Memory.SignOutEverywhere(ctx, token)
}

// TestSignOutVoidsAccessTokens signs out of a directory whose refresh token does not tell which
// session it is of: the access token that comes along does.
func TestSignOutVoidsAccessTokens(t *testing.T) {
	t.Parallel()
	m := accounttest.NewMemory(nil)
	s := account.NewSessions(account.SessionsConfig{
		Directory: m, Verifier: m, Revoker: account.NewRevoker(account.RevokerConfig{Denials: m}),
	})
	member(t, m)
	var tokens [3]account.Tokens
	for i := range tokens {
		var err error
		if tokens[i], err = s.SignIn(t.Context(), "alice", accounttest.Password); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // the second time its access token is void
		if err := s.SignOut(t.Context(), tokens[0].RefreshToken, tokens[0].AccessToken); err != nil {
			t.Errorf("SignOut: %v", err)
		}
	}
	if err := s.SignOut(t.Context(), tokens[1].RefreshToken, ""); err != nil {
		t.Errorf("SignOut without an access token: %v", err)
	}
	for i, want := range []account.Code{account.CodeInvalidToken, "", ""} {
		if _, err := m.Verify(t.Context(), tokens[i].AccessToken); account.CodeOf(err) != want {
			t.Errorf("the access token of session %d: got %v, want %q", i, err, want)
		}
	}
}

func TestRevokeUserGivenUp(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	m := accounttest.NewMemory(nil)
	err := account.NewRevoker(account.RevokerConfig{Denials: m}).RevokeUser(ctx, "alice", nil)
	if account.CodeOf(err) != account.CodeUnavailable || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want unavailable for the context's sake", err)
	}
}
