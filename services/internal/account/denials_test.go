package account_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/account/accounttest"
)

// TestRevokeUser voids the sessions that are there, and none that begins after it has
// returned, although tokens tell no more than the second.
func TestRevokeUser(t *testing.T) {
	t.Parallel()
	clock := &accounttest.Clock{}
	clock.Advance(300 * time.Millisecond)
	m := accounttest.NewMemory(clock.Now)
	r := account.NewRevoker(account.RevokerConfig{Denials: m, Now: clock.Now, Wait: func(_ context.Context, d time.Duration) error {
		if d <= 0 || d > 1250*time.Millisecond {
			t.Errorf("waits for %v, want 1.25 s at most", d)
		}
		clock.Advance(d)
		return nil
	}})
	session := func() account.Identity {
		return account.Identity{UserID: "alice", SessionID: "s", Since: clock.Now().Truncate(time.Second)}
	}
	before := session()
	clock.Advance(400 * time.Millisecond) // the same second
	if err := r.RevokeUser(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	for want, who := range map[bool]account.Identity{true: before, false: session()} {
		if got, err := m.Denied(t.Context(), who); err != nil || got != want {
			t.Errorf("a session since %v: got denied %v, %v; want %v", who.Since, got, err, want)
		}
	}
	// A directory whose clock lags a little gives a session just after that is good, too.
	lagging := session()
	lagging.Since = clock.Now().Add(-200 * time.Millisecond).Truncate(time.Second)
	if got, err := m.Denied(t.Context(), lagging); err != nil || got {
		t.Errorf("a session by a clock 200 ms behind: got denied %v, %v", got, err)
	}
}

func TestRevokeUserGivenUp(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	m := accounttest.NewMemory(nil)
	err := account.NewRevoker(account.RevokerConfig{Denials: m}).RevokeUser(ctx, "alice")
	if account.CodeOf(err) != account.CodeUnavailable || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want unavailable for the context's sake", err)
	}
}
