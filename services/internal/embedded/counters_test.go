package embedded_test

import (
	"bytes"
	"testing"
	"time"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/account/accounttest"
	"spillway.example/services/internal/embedded"
)

// Two processes count together, and keep the same secret.
func TestCountersOfTwoProcesses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	one, two := open(t, dir), open(t, dir)
	limit := account.Limit{{Count: 1, Per: time.Hour}}
	now := time.Now()
	first, err := one.Take(t.Context(), "k", limit, time.Hour, now)
	if err != nil || !first.Admitted {
		t.Fatalf("the first: got %+v, %v", first, err)
	}
	second, err := two.Take(t.Context(), "k", limit, time.Hour, now)
	if err != nil || second.Admitted {
		t.Errorf("the second, elsewhere: got %+v, %v; want it refused", second, err)
	}
	a, errA := one.Secret(t.Context(), "limits")
	b, errB := two.Secret(t.Context(), "limits")
	other, errC := two.Secret(t.Context(), "other")
	if errA != nil || errB != nil || errC != nil || len(a) != 32 || !bytes.Equal(a, b) || bytes.Equal(a, other) {
		t.Errorf("secrets: got %d and %d bytes (%v, %v, %v), want the same for the same name", len(a), len(b), errA, errB, errC)
	}
}

// A counter past its time is cleared away by later ones; one that is trusted stays.
func TestCountersAreSwept(t *testing.T) {
	t.Parallel()
	clock, dir := &accounttest.Clock{}, t.TempDir()
	s := open(t, dir, on(clock))
	limit := account.Limit{{Count: 1, Per: time.Minute}}
	take := func(key string) {
		if _, err := s.Take(t.Context(), key, limit, time.Hour, clock.Now()); err != nil {
			t.Fatalf("Take: %v", err)
		}
	}
	take("old")
	if err := s.Trust(t.Context(), "trusted", clock.Now().Add(24*time.Hour)); err != nil {
		t.Fatalf("Trust: %v", err)
	}
	take("trusted")
	clock.Advance(2 * time.Hour)
	take("new")
	if got := column[string](t, dir, `SELECT key FROM counters ORDER BY key`); len(got) != 2 || got[0] != "new" || got[1] != "trusted" {
		t.Errorf("counters that are left: got %v, want new and trusted", got)
	}
}

// What is written after a count is as durable as before it.
func TestCountsLeaveDurabilityAlone(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	if _, err := s.Take(t.Context(), "k", account.Limit{{Count: 1, Per: time.Minute}}, time.Hour, time.Now()); err != nil {
		t.Fatal(err)
	}
	if got := embedded.Synchronous(t, s); got != 2 {
		t.Errorf("PRAGMA synchronous is %d after a count, want 2 (full)", got)
	}
}
