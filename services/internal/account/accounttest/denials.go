package accounttest

import (
	"context"
	"crypto/rand"
	"sync"
	"testing"
	"time"

	"spillway.example/services/internal/account"
)

// RunDenials holds an adapter to the contract of [account.Denials]. The list may be
// shared by all tests of a run.
func RunDenials(t *testing.T, open func(t *testing.T) account.Denials) {
	tests := []struct {
		name string
		run  func(t *testing.T, d account.Denials)
	}{
		{"deny a session", denySession},
		{"deny a user", denyUser},
		{"the later entry of a user counts", denyUserAgain},
		{"nobody's tokens are denied by another's entry", denyNobodyElse},
		{"deny from many sides at once", denyRace},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.run(t, open(t))
		})
	}
}

// bearer is somebody with a session that began then.
func bearer(since time.Time) account.Identity {
	return account.Identity{UserID: account.UserID(rand.Text()), SessionID: rand.Text(), Since: since.Truncate(time.Second)}
}

func wantDenied(t *testing.T, what string, d account.Denials, who account.Identity, want bool) {
	t.Helper()
	got, err := d.Denied(context.Background(), who)
	wantCode(t, "Denied "+what, err, "")
	if got != want {
		t.Errorf("%s: got denied %v, want %v", what, got, want)
	}
}

func denySession(t *testing.T, d account.Denials) {
	ctx, now := context.Background(), time.Now()
	who := bearer(now)
	other := who
	other.SessionID = rand.Text()
	wantDenied(t, "before", d, who, false)
	for range 2 {
		wantCode(t, "DenySession", d.DenySession(ctx, who.SessionID, now.Add(time.Hour)), "")
	}
	wantDenied(t, "the session", d, who, true)
	wantDenied(t, "another session of the same user", d, other, false)
}

func denyUser(t *testing.T, d account.Denials) {
	ctx, now := context.Background(), time.Now()
	who := bearer(now)
	for range 2 {
		wantCode(t, "DenyUser", d.DenyUser(ctx, who.UserID, now, now.Add(time.Hour)), "")
	}
	for _, tt := range []struct {
		name  string
		since time.Time
		want  bool
	}{
		{"a session of an hour ago", now.Add(-time.Hour), true},
		{"a session that began in the same second", now, true},
		{"a session that began in the next second", now.Add(time.Second), false},
		{"a session that does not tell when it began", time.Time{}, true},
	} {
		session := bearer(tt.since)
		session.UserID = who.UserID
		wantDenied(t, tt.name, d, session, tt.want)
	}
	without := account.Identity{UserID: who.UserID, Since: now}
	wantDenied(t, "a token that names no session", d, without, true)
}

func denyUserAgain(t *testing.T, d account.Denials) {
	ctx, now := context.Background(), time.Now()
	who := bearer(now)
	for _, began := range []time.Time{now.Add(-time.Minute), now, now.Add(-time.Hour)} {
		wantCode(t, "DenyUser", d.DenyUser(ctx, who.UserID, began, began.Add(2*time.Hour)), "")
	}
	wantDenied(t, "after an earlier, a later and an earlier entry", d, who, true)
}

func denyNobodyElse(t *testing.T, d account.Denials) {
	ctx, now := context.Background(), time.Now()
	one, other := bearer(now), bearer(now)
	// Ids are only ever compared with ids of their kind.
	wantCode(t, "DenyUser", d.DenyUser(ctx, account.UserID(one.SessionID), now, now.Add(time.Hour)), "")
	wantCode(t, "DenySession", d.DenySession(ctx, string(one.UserID), now.Add(time.Hour)), "")
	wantDenied(t, "a user with a session's name", d, one, false)
	wantDenied(t, "somebody else", d, other, false)
	wantDenied(t, "somebody else, by a token that names no session", d, account.Identity{UserID: other.UserID, Since: now}, false)
}

func denyRace(t *testing.T, d account.Denials) {
	ctx, now := context.Background(), time.Now().Truncate(time.Second)
	who := bearer(now.Add(9 * time.Second))
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() {
			if err := d.DenyUser(ctx, who.UserID, now.Add(time.Duration(i)*time.Second), now.Add(time.Hour)); err != nil {
				t.Errorf("DenyUser: %v", err)
			}
		})
	}
	wg.Wait()
	wantDenied(t, "by the latest of ten", d, who, true)
	who.Since = who.Since.Add(time.Second)
	wantDenied(t, "after the latest of ten", d, who, false)
}
