package token

import (
	"context"
	"maps"
	"sync"
	"time"

	"spillway.example/services/internal/account"
	"spillway.example/verify"
)

// written is a deny list that remembers what this process writes to it, for as long as the
// verifier may go on with an answer of before: whoever signs out here is out here at once.
type written struct {
	account.Denials
	now func() time.Time

	mu       sync.Mutex
	users    map[account.UserID]entry
	sessions map[string]entry
	swept    time.Time
}

// entry is one of the deny list.
type entry struct {
	began time.Time // of a user: the sessions that it voids began no later
	at    time.Time // when it was written
}

// remembered is how long an answer that others gave before may be in use.
const remembered = verify.DefaultRevokedWithin

// DenyUser implements [account.Denials].
func (w *written) DenyUser(ctx context.Context, id account.UserID, began, until time.Time) error {
	if err := w.Denials.DenyUser(ctx, id, began, until); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sweep()
	if w.users[id].began.Before(began) {
		w.users[id] = entry{began, w.now()}
	}
	return nil
}

// DenySession implements [account.Denials].
func (w *written) DenySession(ctx context.Context, session string, until time.Time) error {
	if err := w.Denials.DenySession(ctx, session, until); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sweep()
	w.sessions[session] = entry{at: w.now()}
	return nil
}

// denies says whether what was written here voids a bearer's token.
func (w *written) denies(who account.Identity) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, there := w.sessions[who.SessionID]; there && who.SessionID != "" {
		return true
	}
	u, there := w.users[who.UserID]
	return there && !who.Since.After(u.began)
}

// sweep forgets, now and then, what the deny list has told everybody; w.mu is held.
func (w *written) sweep() {
	now := w.now()
	if now.Sub(w.swept) < remembered {
		return
	}
	w.swept = now
	told := func(e entry) bool { return now.Sub(e.at) >= remembered }
	maps.DeleteFunc(w.users, func(_ account.UserID, e entry) bool { return told(e) })
	maps.DeleteFunc(w.sessions, func(_ string, e entry) bool { return told(e) })
}
