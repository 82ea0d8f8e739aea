package embedded_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/account/accounttest"
)

// TestResetCodeExpires tries the code for a new password at the end of its hour, and a
// second before.
func TestResetCodeExpires(t *testing.T) {
	t.Parallel()
	clock, box := &accounttest.Clock{}, &postbox{}
	d := open(t, t.TempDir(), on(clock)).Directory(box)
	signUp(t, d, alice)
	wantCode(t, "Confirm", d.Confirm(t.Context(), "alice", box.code(t)), "")
	for _, tt := range []struct {
		after time.Duration
		want  account.Code
	}{{time.Hour, account.CodeExpired}, {time.Hour - time.Second, ""}} {
		wantCode(t, "ForgotPassword", d.ForgotPassword(t.Context(), "alice"), "")
		clock.Advance(tt.after)
		wantCode(t, "ResetPassword after "+tt.after.String(), d.ResetPassword(t.Context(), "alice", box.code(t), "another horse"), tt.want)
	}
}

// TestChallengeExpires answers a challenge at the end of its three minutes, and a second
// before.
func TestChallengeExpires(t *testing.T) {
	t.Parallel()
	clock := &accounttest.Clock{}
	d := directory(open(t, t.TempDir(), on(clock)))
	member(t, d, "alice")
	wantCode(t, "SetTemporaryPassword", d.SetTemporaryPassword(t.Context(), "alice", "a horse that was given"), "")
	for _, tt := range []struct {
		after time.Duration
		want  account.Code
	}{{3 * time.Minute, account.CodeInvalidCredentials}, {3*time.Minute - time.Second, ""}} {
		_, err := d.SignIn(t.Context(), "alice", "a horse that was given")
		challenge, ok := errors.AsType[*account.Error](err)
		if !ok || challenge.Challenge == nil {
			t.Fatalf("SignIn: got %v, want a challenge", err)
		}
		clock.Advance(tt.after)
		_, err = d.RespondToChallenge(t.Context(), account.ChallengeAnswer{
			Username: "alice", Name: account.NewPasswordRequired, Session: challenge.Challenge.Session,
			Responses: map[string]string{account.NewPassword: "another horse"},
		})
		wantCode(t, "RespondToChallenge after "+tt.after.String(), err, tt.want)
	}
}

// TestDenialsAreForgotten has entries of the deny list outlive every token that they may
// be about, and no longer: whatever is denied next clears them away.
func TestDenialsAreForgotten(t *testing.T) {
	t.Parallel()
	clock, dir := &accounttest.Clock{}, t.TempDir()
	s := open(t, dir, on(clock))
	r := account.NewRevoker(account.RevokerConfig{Denials: s, Now: clock.Now, Wait: accounttest.Pass(clock)})
	who := account.Identity{UserID: "alice", SessionID: "one", Since: clock.Now()}
	other := account.Identity{UserID: "bob", SessionID: "two", Since: clock.Now()}
	wantCode(t, "RevokeSession", r.RevokeSession(t.Context(), other.SessionID), "")
	wantCode(t, "RevokeUser", r.RevokeUser(t.Context(), who.UserID, func(context.Context) error { return nil }), "")
	listed := func() []string {
		t.Helper()
		return column[string](t, dir, `SELECT user_id FROM denied_users UNION ALL SELECT id FROM denied_sessions ORDER BY 1`)
	}
	const longest = 24 * time.Hour // that an access token can live
	clock.Advance(longest + time.Minute)
	wantCode(t, "RevokeSession", r.RevokeSession(t.Context(), "three"), "")
	for _, w := range []account.Identity{who, other} {
		if denied, err := s.Denied(t.Context(), w); err != nil || !denied {
			t.Errorf("%s, when the longest token ends: denied %v, %v", w.UserID, denied, err)
		}
	}
	clock.Advance(time.Hour)
	if got := listed(); len(got) != 3 {
		t.Errorf("the list has %v, want all three", got)
	}
	for _, deny := range []func() error{
		func() error { return s.DenyUser(t.Context(), "carol", clock.Now(), clock.Now().Add(time.Hour)) },
		func() error { return s.DenySession(t.Context(), "four", clock.Now().Add(time.Hour)) },
	} {
		wantCode(t, "deny", deny(), "")
		if got := listed(); slices.Contains(got, "alice") || slices.Contains(got, "two") || !slices.Contains(got, "three") {
			t.Errorf("an hour later the list has %v, want what is not past its time", got)
		}
		for _, w := range []account.Identity{who, other} { // as if another process had written them late
			wantCode(t, "DenyUser", s.DenyUser(t.Context(), w.UserID, w.Since, clock.Now().Add(time.Second)), "")
			wantCode(t, "DenySession", s.DenySession(t.Context(), w.SessionID, clock.Now().Add(time.Second)), "")
		}
		clock.Advance(time.Minute)
	}
}

// TestRecordsAreForgotten has the file lose a request's record when its day is over.
func TestRecordsAreForgotten(t *testing.T) {
	t.Parallel()
	clock, dir := &accounttest.Clock{}, t.TempDir()
	s := open(t, dir, on(clock))
	begin := func(key string) {
		t.Helper()
		now := clock.Now()
		_, begun, err := s.Begin(t.Context(), account.Record{
			Key: key, Attempt: key, Fingerprint: []byte(key), LeaseUntil: now.Add(time.Minute), ExpiresAt: now.Add(24 * time.Hour),
		}, now)
		if err != nil || !begun {
			t.Fatalf("Begin: %v, %v", begun, err)
		}
	}
	begin("one")
	for _, tt := range []struct {
		after time.Duration
		next  string
		want  []string
	}{{24*time.Hour - time.Second, "two", []string{"one", "two"}}, {time.Second, "three", []string{"three", "two"}}} {
		clock.Advance(tt.after)
		begin(tt.next)
		if got := column[string](t, dir, `SELECT key FROM records ORDER BY key`); !slices.Equal(got, tt.want) {
			t.Errorf("the file has the records %v, want %v", got, tt.want)
		}
	}
}
