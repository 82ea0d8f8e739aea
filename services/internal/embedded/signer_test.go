package embedded_test

import (
	"slices"
	"testing"
	"time"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/account/accounttest"
	"spillway.example/services/internal/embedded"
	"spillway.example/verify"
)

// TestNobodySignsWithAReplacedKey replaces the keys in one process: what another, which
// has read the older ones a moment ago, signs next is good in both.
func TestNobodySignsWithAReplacedKey(t *testing.T) {
	t.Parallel()
	clock, dir := &accounttest.Clock{}, t.TempDir()
	one, other := open(t, dir, on(clock)), open(t, dir, on(clock))
	member(t, directory(one), "alice")
	older := signIn(t, directory(other), "alice")
	for range 2 {
		wantCode(t, "ReplaceKeys", one.ReplaceKeys(t.Context()), "")
		refreshed, err := directory(other).Refresh(t.Context(), older.RefreshToken)
		wantCode(t, "Refresh", err, "")
		for _, s := range []*embedded.Store{one, other} {
			for what, token := range map[string]string{
				"a refreshed session": refreshed.AccessToken,
				"a new session":       signIn(t, directory(other), "alice").AccessToken,
			} {
				_, err := s.Verifier().Verify(t.Context(), token)
				wantCode(t, "Verify the token of "+what, err, "")
			}
		}
		_, err = one.Verifier().Verify(t.Context(), older.AccessToken)
		wantCode(t, "Verify an older token", err, account.CodeInvalidToken)
		older = refreshed
	}
}

// TestLastTokenOfAKey signs in as late as an older key can sign, in a process that has read
// the keys a minute before: the key is served for as long as that token may be taken.
func TestLastTokenOfAKey(t *testing.T) {
	t.Parallel()
	clock, dir := &accounttest.Clock{}, t.TempDir()
	one, other := open(t, dir, on(clock)), open(t, dir, on(clock))
	member(t, directory(one), "alice")
	key := served(t, one)[0]
	wantCode(t, "RotateKeys", one.RotateKeys(t.Context()), "")
	clock.Advance(embedded.KeyLead - time.Minute)
	signIn(t, directory(other), "alice") // reads the keys
	clock.Advance(time.Minute - time.Nanosecond)
	last := signIn(t, directory(other), "alice").AccessToken
	clock.Advance(time.Nanosecond)
	if keys, err := other.SigningKeys(t.Context()); err != nil || len(keys) != 2 || keys[1].ID != key || keys[1].Signs {
		t.Fatalf("the older key still signs: %+v, %v", keys, err)
	}
	next := signIn(t, directory(other), "alice").AccessToken
	clock.Advance(time.Hour + verify.DefaultSkew - 2*time.Second) // tokens tell whole seconds
	for _, s := range []*embedded.Store{one, other} {
		if !slices.Contains(served(t, s), key) {
			t.Error("the older key is not served while its last token may be taken")
		}
		for what, token := range map[string]string{"the last": last, "the next": next} {
			_, err := s.Verifier().Verify(t.Context(), token)
			wantCode(t, "Verify "+what, err, "")
		}
	}
	clock.Advance(10 * time.Minute)
	if got := served(t, one); len(got) != 1 || got[0] == key {
		t.Errorf("served when its last token has expired: %v, want its successor alone", got)
	}
	if got := served(t, other); len(got) != 1 || got[0] == key {
		t.Errorf("served by the other process: %v, want the successor alone", got)
	}
}
