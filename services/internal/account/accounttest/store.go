package accounttest

import (
	"context"
	"crypto/rand"
	"sync"
	"testing"
	"time"

	"spillway.example/services/internal/account"
)

// RunStore holds an adapter to the contracts of [account.Profiles] and
// [account.Claims]. The harness needs no Directory.
func RunStore(t *testing.T, open func(t *testing.T) Harness) {
	tests := []struct {
		name string
		run  func(t *testing.T, h Harness)
	}{
		{"profiles", profiles},
		{"profile update is optimistic", profileUpdates},
		{"a claim is acquired once", acquireOnce},
		{"of many acquirers one wins", acquireRace},
		{"supersede", supersede},
		{"attach", attach},
		{"extend", extend},
		{"settle", settle},
		{"settle without an address", settleWithout},
		{"an address has one owner", emailOwner},
		{"release", release},
		{"mark mailed", markMailed},
		{"retire and erase", retireAndErase},
		{"another address", anotherAddress},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.run(t, open(t))
		})
	}
}

func newProfile() account.Profile {
	return account.Profile{
		UserID: account.UserID(rand.Text()), Username: Name("profile"), Email: Address("profile"),
		CreatedAt: epoch, UpdatedAt: epoch,
	}
}

func newClaim(username string) account.Claim {
	return account.Claim{
		Username: username, Attempt: rand.Text(), TokenHash: []byte(rand.Text()), Email: Address("claim"),
		LeaseUntil: epoch.Add(account.Lease), CreatedAt: epoch,
	}
}

// attached acquires a new claim and attaches a new profile to it.
func attached(t *testing.T, h Harness, c account.Claim) (account.Claim, account.Profile) {
	t.Helper()
	_, acquired, err := h.Claims.Acquire(context.Background(), c)
	wantCode(t, "Acquire", err, "")
	if !acquired {
		t.Fatal("Acquire: not acquired")
	}
	p := newProfile()
	p.Username, p.Email = c.Username, c.Email
	c.UserID = p.UserID
	wantCode(t, "Attach", h.Claims.Attach(context.Background(), c, p), "")
	return c, p
}

func wantProfile(t *testing.T, h Harness, want account.Profile) {
	t.Helper()
	got, err := h.Profiles.Get(context.Background(), want.UserID)
	must(t, "Get", got, err)
	if !near(got.CreatedAt, want.CreatedAt) || !near(got.UpdatedAt, want.UpdatedAt) {
		t.Errorf("profile times: got %v and %v, want %v and %v", got.CreatedAt, got.UpdatedAt, want.CreatedAt, want.UpdatedAt)
	}
	if got.CreatedAt.Location() != time.UTC {
		t.Errorf("profile times are in %v, want UTC", got.CreatedAt.Location())
	}
	got.CreatedAt, got.UpdatedAt = want.CreatedAt, want.UpdatedAt
	if got != want {
		t.Errorf("profile: got %+v, want %+v", got, want)
	}
}

func wantClaim(t *testing.T, h Harness, want account.Claim) {
	t.Helper()
	got, err := h.Claims.Find(context.Background(), want.Username)
	must(t, "Find", got, err)
	if got.Attempt != want.Attempt || string(got.TokenHash) != string(want.TokenHash) || got.UserID != want.UserID ||
		got.Email != want.Email || got.Confirmed != want.Confirmed || !near(got.CreatedAt, want.CreatedAt) ||
		!want.Confirmed && !got.LeaseUntil.Equal(want.LeaseUntil) {
		t.Errorf("claim: got %+v, want %+v", got, want)
	}
}

func profiles(t *testing.T, h Harness) {
	ctx := context.Background()
	p := newProfile()
	_, err := h.Profiles.Get(ctx, p.UserID)
	wantCode(t, "Get before Put", err, account.CodeNotFound)
	wantCode(t, "PutIfAbsent", h.Profiles.PutIfAbsent(ctx, p), "")
	p.Version = 1
	wantProfile(t, h, p)
	wantCode(t, "PutIfAbsent again", h.Profiles.PutIfAbsent(ctx, p), account.CodeConflict)
	bare := account.Profile{UserID: account.UserID(rand.Text()), Username: Name("bare"), CreatedAt: epoch, UpdatedAt: epoch}
	wantCode(t, "PutIfAbsent without an address", h.Profiles.PutIfAbsent(ctx, bare), "")
	bare.Version = 1
	wantProfile(t, h, bare)
	for range 2 {
		wantCode(t, "Delete", h.Profiles.Delete(ctx, p.UserID), "")
	}
	_, err = h.Profiles.Get(ctx, p.UserID)
	wantCode(t, "Get after Delete", err, account.CodeNotFound)
}

func profileUpdates(t *testing.T, h Harness) {
	ctx := context.Background()
	p := newProfile()
	_, err := h.Profiles.Update(ctx, p)
	wantCode(t, "Update before Put", err, account.CodeNotFound)
	wantCode(t, "PutIfAbsent", h.Profiles.PutIfAbsent(ctx, p), "")
	p.Version = 1
	const writers = 8
	var wg sync.WaitGroup
	results := make(chan error, writers)
	for range writers {
		wg.Go(func() {
			change := p
			change.Email = Address("changed")
			_, err := h.Profiles.Update(ctx, change)
			results <- err
		})
	}
	wg.Wait()
	close(results)
	won := 0
	for err := range results {
		if err == nil {
			won++
			continue
		}
		wantCode(t, "Update of a stale version", err, account.CodeConflict)
	}
	if won != 1 {
		t.Errorf("%d of %d updates of one version won, want 1", won, writers)
	}
	p, err = h.Profiles.Get(ctx, p.UserID)
	must(t, "Get", p, err)
	if p.Version != 2 {
		t.Errorf("version after one update: got %d, want 2", p.Version)
	}
	p.EmailVerified, p.UpdatedAt = true, epoch.Add(time.Hour)
	p.DisplayName, p.Locale = "Ada, née Byron", "en-GB"
	next, err := h.Profiles.Update(ctx, p)
	must(t, "Update", next, err)
	p.Version = 3
	if next.Version != 3 {
		t.Errorf("Update gave version %d, want 3", next.Version)
	}
	wantProfile(t, h, p)
}
