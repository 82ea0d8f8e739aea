package accounttest

import (
	"context"
	"crypto/rand"
	"sync"
	"testing"
	"time"

	"spillway.example/services/internal/account"
)

func acquireOnce(t *testing.T, h Harness) {
	ctx := context.Background()
	c := newClaim(Name("claim"))
	c.Mailed.SignUp = epoch
	_, err := h.Claims.Find(ctx, c.Username)
	wantCode(t, "Find before Acquire", err, account.CodeNotFound)
	for range 2 { // the second is a retry whose first answer was lost
		_, acquired, err := h.Claims.Acquire(ctx, c)
		wantCode(t, "Acquire", err, "")
		if !acquired {
			t.Fatal("Acquire: not acquired")
		}
	}
	wantClaim(t, h, c)
	held, acquired, err := h.Claims.Acquire(ctx, newClaim(c.Username))
	wantCode(t, "Acquire a held name", err, "")
	if acquired || held.Attempt != c.Attempt || held.Confirmed || !held.LeaseUntil.Equal(c.LeaseUntil) {
		t.Errorf("Acquire a held name: got %+v, %v", held, acquired)
	}
	wantClaim(t, h, c)
}

func acquireRace(t *testing.T, h Harness) {
	name := Name("race")
	won := race(t, 20, func(ctx context.Context) (bool, error) {
		_, acquired, err := h.Claims.Acquire(ctx, newClaim(name))
		return acquired, err
	})
	if won != 1 {
		t.Errorf("%d acquired the name, want 1", won)
	}
}

// race runs f n times at once and counts how often it gave true.
func race(t *testing.T, n int, f func(context.Context) (bool, error)) int {
	t.Helper()
	var wg sync.WaitGroup
	var mu sync.Mutex
	won := 0
	start := make(chan struct{})
	for range n {
		wg.Go(func() {
			<-start
			ok, err := f(context.Background())
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Errorf("in a race: %v", err)
			}
			if ok {
				won++
			}
		})
	}
	close(start)
	wg.Wait()
	return won
}

func supersede(t *testing.T, h Harness) {
	ctx := context.Background()
	old, p := attached(t, h, newClaim(Name("old")))
	next := newClaim(old.Username)

	stale := old
	stale.LeaseUntil = old.LeaseUntil.Add(-time.Second)
	wantCode(t, "Supersede a claim whose lease has moved", h.Claims.Supersede(ctx, stale, next), account.CodeConflict)
	wantProfileStays := p
	wantProfileStays.Version = 1
	wantProfile(t, h, wantProfileStays)

	for range 2 {
		wantCode(t, "Supersede", h.Claims.Supersede(ctx, old, next), "")
	}
	wantClaim(t, h, next)
	_, err := h.Profiles.Get(ctx, p.UserID)
	wantCode(t, "Get the superseded profile", err, account.CodeNotFound)
	wantCode(t, "Supersede what is gone", h.Claims.Supersede(ctx, old, newClaim(old.Username)), account.CodeConflict)

	// One that never got as far as a user, and one that is confirmed.
	third := newClaim(old.Username)
	wantCode(t, "Supersede a claim without a user", h.Claims.Supersede(ctx, next, third), "")
	done, _ := attached(t, h, newClaim(Name("done")))
	_, err = h.Claims.Settle(ctx, account.Settlement{Username: done.Username, Attempt: done.Attempt, UserID: done.UserID, At: epoch})
	wantCode(t, "Settle", err, "")
	wantCode(t, "Supersede a confirmed claim", h.Claims.Supersede(ctx, done, newClaim(done.Username)), account.CodeConflict)
}

func attach(t *testing.T, h Harness) {
	ctx := context.Background()
	c, p := attached(t, h, newClaim(Name("attach")))
	wantCode(t, "Attach again", h.Claims.Attach(ctx, c, p), "")
	wantClaim(t, h, c)
	p.Version = 1
	wantProfile(t, h, p)

	lost := newClaim(c.Username)
	other := newProfile()
	lost.UserID = other.UserID
	wantCode(t, "Attach to somebody else's claim", h.Claims.Attach(ctx, lost, other), account.CodeConflict)
	_, err := h.Profiles.Get(ctx, other.UserID)
	wantCode(t, "Get what was not attached", err, account.CodeNotFound)
	lost.Username = Name("none")
	wantCode(t, "Attach to no claim", h.Claims.Attach(ctx, lost, other), account.CodeConflict)

	void := newClaim(Name("void"))
	_, _, err = h.Claims.Acquire(ctx, void)
	wantCode(t, "Acquire", err, "")
	void.UserID, void.TokenHash = other.UserID, nil
	wantCode(t, "Attach with no token", h.Claims.Attach(ctx, void, other), "")
	wantClaim(t, h, void)
}

func extend(t *testing.T, h Harness) {
	ctx := context.Background()
	c, _ := attached(t, h, newClaim(Name("extend")))
	c.LeaseUntil = epoch.Add(time.Hour)
	wantCode(t, "Extend", h.Claims.Extend(ctx, c.Username, c.Attempt, c.LeaseUntil), "")
	wantClaim(t, h, c)
	wantCode(t, "Extend somebody else's", h.Claims.Extend(ctx, c.Username, rand.Text(), epoch), account.CodeConflict)
	wantCode(t, "Extend nothing", h.Claims.Extend(ctx, Name("none"), c.Attempt, epoch), account.CodeConflict)
	_, err := h.Claims.Settle(ctx, account.Settlement{Username: c.Username, Attempt: c.Attempt, UserID: c.UserID, At: epoch})
	wantCode(t, "Settle", err, "")
	wantCode(t, "Extend a confirmed claim", h.Claims.Extend(ctx, c.Username, c.Attempt, epoch), account.CodeConflict)
}

func settle(t *testing.T, h Harness) {
	ctx := context.Background()
	c, p := attached(t, h, newClaim(Name("settle")))
	s := account.Settlement{Username: c.Username, Attempt: c.Attempt, UserID: c.UserID, Email: c.Email, At: epoch.Add(time.Minute)}

	other := newProfile()
	wantCode(t, "PutIfAbsent", h.Profiles.PutIfAbsent(ctx, other), "")
	for what, change := range map[string]func(*account.Settlement){
		"another attempt": func(s *account.Settlement) { s.Attempt = rand.Text() },
		"a user with a profile that is not the claim's": func(s *account.Settlement) { s.UserID = other.UserID },
		"another user": func(s *account.Settlement) { s.UserID = account.UserID(rand.Text()) },
		"another name": func(s *account.Settlement) { s.Username = Name("none") },
	} {
		bad := s
		change(&bad)
		_, err := h.Claims.Settle(ctx, bad)
		wantCode(t, "Settle for "+what, err, account.CodeConflict)
	}
	for range 2 {
		owned, err := h.Claims.Settle(ctx, s)
		wantCode(t, "Settle", err, "")
		if !owned {
			t.Error("Settle: the address is not owned")
		}
	}
	c.Confirmed = true
	wantClaim(t, h, c)
	p.Email, p.EmailVerified, p.UpdatedAt, p.Version = c.Email, true, s.At, 2
	wantProfile(t, h, p)
	owner, err := h.Claims.EmailOwner(ctx, c.Email)
	must(t, "EmailOwner", owner, err)
	if owner != c.UserID {
		t.Errorf("EmailOwner: got %s, want %s", owner, c.UserID)
	}
	held, acquired, err := h.Claims.Acquire(ctx, newClaim(c.Username))
	wantCode(t, "Acquire a confirmed name", err, "")
	if acquired || !held.Confirmed {
		t.Errorf("Acquire a confirmed name: got %+v, %v", held, acquired)
	}
}

func settleWithout(t *testing.T, h Harness) {
	ctx := context.Background()
	c := newClaim(Name("bare"))
	c.Email = ""
	c, p := attached(t, h, c)
	for range 2 {
		owned, err := h.Claims.Settle(ctx, account.Settlement{Username: c.Username, Attempt: c.Attempt, UserID: c.UserID, At: epoch})
		wantCode(t, "Settle", err, "")
		if owned {
			t.Error("Settle: an address is owned, and there is none")
		}
	}
	c.Confirmed = true
	wantClaim(t, h, c)
	p.Version = 2
	wantProfile(t, h, p)
	_, err := h.Claims.EmailOwner(ctx, Address("nobody"))
	wantCode(t, "EmailOwner of an unknown address", err, account.CodeNotFound)
}

func emailOwner(t *testing.T, h Harness) {
	ctx := context.Background()
	const rivals = 5
	email := Address("shared")
	var claims [rivals]account.Claim
	for i := range claims {
		c := newClaim(Name("rival"))
		c.Email = email
		claims[i], _ = attached(t, h, c)
	}
	next := make(chan account.Claim, rivals)
	for _, c := range claims {
		next <- c
	}
	won := race(t, rivals, func(ctx context.Context) (bool, error) {
		c := <-next
		return h.Claims.Settle(ctx, account.Settlement{Username: c.Username, Attempt: c.Attempt, UserID: c.UserID, Email: email, At: epoch})
	})
	if won != 1 {
		t.Errorf("%d own the address, want 1", won)
	}
	owner, err := h.Claims.EmailOwner(ctx, email)
	must(t, "EmailOwner", owner, err)
	for _, c := range claims {
		p, err := h.Profiles.Get(ctx, c.UserID)
		must(t, "Get", p, err)
		if owns := p.UserID == owner; p.EmailVerified != owns || (p.Email == email) != owns {
			t.Errorf("profile of %s: address %q, verified %v; it owns it: %v", c.Username, p.Email, p.EmailVerified, owns)
		}
	}
}

func release(t *testing.T, h Harness) {
	ctx := context.Background()
	c, p := attached(t, h, newClaim(Name("release")))
	wantCode(t, "Release somebody else's", h.Claims.Release(ctx, c.Username, rand.Text()), "")
	wantClaim(t, h, c)
	for range 2 {
		wantCode(t, "Release", h.Claims.Release(ctx, c.Username, c.Attempt), "")
	}
	_, err := h.Claims.Find(ctx, c.Username)
	wantCode(t, "Find after Release", err, account.CodeNotFound)
	_, err = h.Profiles.Get(ctx, p.UserID)
	wantCode(t, "Get after Release", err, account.CodeNotFound)

	c, _ = attached(t, h, newClaim(Name("kept")))
	_, err = h.Claims.Settle(ctx, account.Settlement{Username: c.Username, Attempt: c.Attempt, UserID: c.UserID, At: epoch})
	wantCode(t, "Settle", err, "")
	wantCode(t, "Release a confirmed claim", h.Claims.Release(ctx, c.Username, c.Attempt), "")
	c.Confirmed = true
	wantClaim(t, h, c)
}

func markMailed(t *testing.T, h Harness) {
	ctx := context.Background()
	due, err := h.Claims.MarkMailed(ctx, Name("none"), account.MailReset, epoch, time.Minute)
	wantCode(t, "MarkMailed with no claim", err, "")
	if due {
		t.Error("MarkMailed with no claim: due")
	}
	c, _ := attached(t, h, newClaim(Name("mail")))
	for _, tt := range []struct {
		at  time.Duration
		due bool
	}{{0, true}, {0, false}, {59 * time.Second, false}, {time.Minute, true}, {90 * time.Second, false}} {
		for _, use := range []account.MailUse{account.MailSignUp, account.MailConfirmation, account.MailReset} {
			due, err := h.Claims.MarkMailed(ctx, c.Username, use, epoch.Add(tt.at), time.Minute)
			wantCode(t, "MarkMailed", err, "")
			if due != tt.due {
				t.Errorf("MarkMailed for %s, %v after the first: got %v, want %v", use, tt.at, due, tt.due)
			}
		}
	}
	won := race(t, 10, func(ctx context.Context) (bool, error) {
		return h.Claims.MarkMailed(ctx, c.Username, account.MailReset, epoch.Add(time.Hour), time.Minute)
	})
	if won != 1 {
		t.Errorf("%d of 10 at once were due, want 1", won)
	}
}
