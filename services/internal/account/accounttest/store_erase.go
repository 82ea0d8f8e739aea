package accounttest

import (
	"context"
	"slices"
	"testing"
	"time"

	"spillway.example/services/internal/account"
)

func retireAndErase(t *testing.T, h Harness) {
	ctx := context.Background()
	c, p := attached(t, h, newClaim(Name("retire")))
	at := epoch.Add(time.Minute)
	wantCode(t, "Retire a pending claim", h.Claims.Retire(ctx, c.Username, c.UserID, at), account.CodeConflict)
	wantCode(t, "Retire no claim", h.Claims.Retire(ctx, Name("none"), c.UserID, at), account.CodeNotFound)
	_, err := h.Claims.Settle(ctx, account.Settlement{Username: c.Username, Attempt: c.Attempt, UserID: c.UserID, Email: c.Email, At: at})
	wantCode(t, "Settle", err, "")
	wantCode(t, "Retire somebody else's", h.Claims.Retire(ctx, c.Username, "another", at), account.CodeConflict)
	wantCode(t, "Erase what is not retired", h.Claims.Erase(ctx, c.Username, c.UserID), account.CodeConflict)

	for i := range 2 {
		wantCode(t, "Retire", h.Claims.Retire(ctx, c.Username, c.UserID, at.Add(time.Duration(i)*time.Hour)), "")
	}
	held, err := h.Claims.Find(ctx, c.Username)
	must(t, "Find", held, err)
	if !held.RetiredAt.Equal(at) || !held.Confirmed {
		t.Errorf("a retired claim: got %+v, want one retired at %v", held, at)
	}
	if !retired(t, h, c) {
		t.Error("a retired claim is not listed")
	}
	_, acquired, err := h.Claims.Acquire(ctx, newClaim(c.Username))
	wantCode(t, "Acquire a retired name", err, "")
	if acquired {
		t.Error("a retired name was acquired")
	}
	wantCode(t, "Erase somebody else's", h.Claims.Erase(ctx, c.Username, "another"), "")
	if !retired(t, h, c) {
		t.Error("a claim was erased for somebody else")
	}
	for range 2 {
		wantCode(t, "Erase", h.Claims.Erase(ctx, c.Username, c.UserID), "")
	}
	if retired(t, h, c) {
		t.Error("an erased claim is still listed")
	}
	_, err = h.Claims.Find(ctx, c.Username)
	wantCode(t, "Find what was erased", err, account.CodeNotFound)
	_, err = h.Profiles.Get(ctx, p.UserID)
	wantCode(t, "Get what was erased", err, account.CodeNotFound)
	_, err = h.Claims.EmailOwner(ctx, c.Email)
	wantCode(t, "EmailOwner of what was erased", err, account.CodeNotFound)
	next, _ := attached(t, h, newClaim(c.Username))
	wantCode(t, "Erase when the name is somebody else's", h.Claims.Erase(ctx, c.Username, c.UserID), "")
	wantClaim(t, h, next)

	// One without an address, by many at once.
	bare := newClaim(Name("bare"))
	bare.Email = ""
	bare, _ = attached(t, h, bare)
	_, err = h.Claims.Settle(ctx, account.Settlement{Username: bare.Username, Attempt: bare.Attempt, UserID: bare.UserID, At: at})
	wantCode(t, "Settle", err, "")
	race(t, 5, func(ctx context.Context) (bool, error) {
		if err := h.Claims.Retire(ctx, bare.Username, bare.UserID, at); err != nil && account.CodeOf(err) != account.CodeNotFound {
			return false, err
		}
		return true, h.Claims.Erase(ctx, bare.Username, bare.UserID)
	})
	if retired(t, h, bare) {
		t.Error("a claim that was erased by many is still listed")
	}
}

// retired says whether a claim is listed as retired.
func retired(t *testing.T, h Harness, c account.Claim) bool {
	t.Helper()
	claims, err := h.Claims.Retired(context.Background())
	must(t, "Retired", claims, err)
	return slices.ContainsFunc(claims, func(r account.Claim) bool { return r.Username == c.Username && r.UserID == c.UserID })
}
