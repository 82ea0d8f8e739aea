package accounttest

import (
	"context"
	"testing"

	"spillway.example/services/internal/account"
)

func listSessions(t *testing.T, h Harness) {
	lister, ok := h.Directory.(account.SessionLister)
	if !ok {
		t.Skip("this directory does not know sessions one by one")
	}
	ctx := context.Background()
	u, other := member(t, h), member(t, h)
	one, err := h.Directory.SignIn(ctx, u.Username, Password)
	must(t, "SignIn", one, err)
	two, err := h.Directory.SignIn(ctx, u.Username, Password)
	must(t, "SignIn", two, err)
	theirs, err := h.Directory.SignIn(ctx, other.Username, Password)
	must(t, "SignIn", theirs, err)

	foreign, _ := listed(t, lister, theirs.AccessToken, 1)
	_, second := listed(t, lister, one.AccessToken, 2)
	for what, id := range map[string]string{"somebody else's session": foreign, "no session": "nonsense"} {
		wantCode(t, "EndSession of "+what, lister.EndSession(ctx, one.AccessToken, id), account.CodeNotFound)
	}
	wantCode(t, "EndSession", lister.EndSession(ctx, one.AccessToken, second), "")
	_, err = h.Directory.Refresh(ctx, two.RefreshToken)
	wantCode(t, "Refresh of a session that was ended", err, account.CodeInvalidToken)
	own, _ := listed(t, lister, one.AccessToken, 1)
	wantCode(t, "EndSession of the current one", lister.EndSession(ctx, one.AccessToken, own), "")
	_, err = lister.ListSessions(ctx, one.AccessToken)
	wantCode(t, "ListSessions of a session that has ended", err, account.CodeInvalidToken)
	wantCode(t, "EndSession by one that has ended", lister.EndSession(ctx, one.AccessToken, own), account.CodeInvalidToken)
	_, err = h.Directory.Refresh(ctx, theirs.RefreshToken)
	wantCode(t, "Refresh of another user", err, "")
}

// listed gives the current session of a token and another, of as many as are wanted.
func listed(t *testing.T, lister account.SessionLister, token string, want int) (current, another string) {
	t.Helper()
	sessions, err := lister.ListSessions(context.Background(), token)
	must(t, "ListSessions", sessions, err)
	if len(sessions) != want {
		t.Fatalf("ListSessions: got %d, want %d", len(sessions), want)
	}
	for _, s := range sessions {
		if s.ID == "" || s.CreatedAt.IsZero() || !s.ExpiresAt.After(s.CreatedAt) {
			t.Errorf("ListSessions: incomplete session %+v", s)
		}
		if s.Current {
			current = s.ID
		} else {
			another = s.ID
		}
	}
	if current == "" {
		t.Error("ListSessions: none is the current one")
	}
	return current, another
}
