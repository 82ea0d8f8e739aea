package embedded_test

import (
	"bytes"
	"context"
	"slices"
	"strconv"
	"sync"
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

// TestWhatWaitsForTheDisk looks at the setting by which a commit waits for the disk, at each
// write: all do but counts, and a count leaves the next write as it was.
func TestWhatWaitsForTheDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	inTheMiddle := func() {}
	s := open(t, dir, func(c *embedded.Config) {
		c.Now = func() time.Time { inTheMiddle(); return time.Now() } // a count looks at the clock before its last statement
	})
	if _, err := raw(t, dir).ExecContext(t.Context(), `
		CREATE TABLE seen (what TEXT, level INTEGER);
		CREATE TRIGGER a AFTER INSERT ON users BEGIN INSERT INTO seen SELECT 'user', synchronous FROM pragma_synchronous; END;
		CREATE TRIGGER b AFTER INSERT ON counters BEGIN INSERT INTO seen SELECT 'count', synchronous FROM pragma_synchronous; END;`); err != nil {
		t.Fatal(err)
	}
	limit := account.Limit{{Count: 1, Per: time.Minute}}
	for i := range 2 {
		member(t, directory(s), accounttest.Name("alice"))
		if _, err := s.Take(t.Context(), strconv.Itoa(i), limit, time.Hour, time.Now()); err != nil {
			t.Fatal(err)
		}
		wantCode(t, "Trust", s.Trust(t.Context(), strconv.Itoa(i), time.Now().Add(time.Hour)), "")
		wantCode(t, "Refund", s.Refund(t.Context(), strconv.Itoa(i), limit), "")
	}
	// A count whose caller goes in its middle leaves nothing behind either.
	ctx, cancel := context.WithCancel(t.Context())
	inTheMiddle = cancel
	_, err := s.Take(ctx, "gone", limit, time.Hour, time.Now())
	wantCode(t, "Take of a caller who goes", err, "")
	if ctx.Err() == nil {
		t.Error("the caller did not go")
	}
	member(t, directory(s), accounttest.Name("alice"))
	const normal, full = 1, 2 // https://www.sqlite.org/pragma.html#pragma_synchronous
	got := map[string][]int{}
	for what := range map[string]bool{"user": true, "count": true} {
		got[what] = column[int](t, dir, `SELECT level FROM seen WHERE what = ?`, what)
	}
	if want := []int{full, full, full}; !slices.Equal(got["user"], want) {
		t.Errorf("sign-ups wait for the disk by %v, want %v", got["user"], want)
	}
	if len(got["count"]) < 4 || slices.ContainsFunc(got["count"], func(level int) bool { return level != normal }) {
		t.Errorf("counts wait for the disk by %v, want %d each", got["count"], normal)
	}
}

// TestBusyFileAdmitsNobodyUncounted has another process write while people sign in: attempts
// that cannot be counted for it are refused, or whoever keeps the file busy could guess without
// end.
func TestBusyFileAdmitsNobodyUncounted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, func(c *embedded.Config) { c.BusyTimeout = 100 * time.Millisecond })
	limits := account.NewLimits(account.LimitsConfig{Counters: s, Policies: account.DefaultPolicies(), Key: []byte("key")})
	other, err := raw(t, dir).Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := other.ExecContext(t.Context(), `BEGIN IMMEDIATE`); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 30 {
		wg.Go(func() {
			_, err := limits.SignIn(t.Context(), "alice")
			wantCode(t, "SignIn while another process writes", err, account.CodeTooManyRequests)
		})
	}
	wg.Wait()
	if _, err := other.ExecContext(t.Context(), `ROLLBACK`); err != nil {
		t.Fatal(err)
	}
	_, err = limits.SignIn(t.Context(), "alice")
	wantCode(t, "SignIn afterwards", err, "")
}
