package embedded_test

import (
	"testing"
	"time"

	"spillway.example/services/internal/account"
)

// TestSettleForAnother asks to settle a claim for a user who has a profile, but not by
// this claim.
func TestSettleForAnother(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	now := time.Now()
	c := account.Claim{Username: "alice", Attempt: "one", UserID: "a", LeaseUntil: now, CreatedAt: now}
	if _, _, err := s.Acquire(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	wantCode(t, "Attach", s.Attach(t.Context(), c, account.Profile{UserID: "a", Username: "alice"}), "")
	wantCode(t, "PutIfAbsent", s.PutIfAbsent(t.Context(), account.Profile{UserID: "b", Username: "bob"}), "")
	_, err := s.Settle(t.Context(), account.Settlement{Username: "alice", Attempt: "one", UserID: "b", At: now})
	wantCode(t, "Settle for another", err, account.CodeConflict)
	_, err = s.Settle(t.Context(), account.Settlement{Username: "alice", Attempt: "one", UserID: "a", At: now})
	wantCode(t, "Settle", err, "")
}
