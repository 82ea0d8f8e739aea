package accounttest

import (
	"context"
	"time"

	"spillway.example/services/internal/account"
)

var _ account.Denials = (*Memory)(nil)

// memoryDenials is the deny list: the second by which a user's sessions began, and
// sessions.
type memoryDenials struct {
	users    map[account.UserID]int64
	sessions map[string]bool
}

// DenyUser implements [account.Denials].
func (m *Memory) DenyUser(_ context.Context, id account.UserID, began, _ time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.denied.users[id] = max(m.denied.users[id], began.Unix())
	return nil
}

// DenySession implements [account.Denials].
func (m *Memory) DenySession(_ context.Context, session string, _ time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.denied.sessions[session] = true
	return nil
}

// Denied implements [account.Denials].
func (m *Memory) Denied(_ context.Context, who account.Identity) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.denied.holds(who), nil
}

func (d memoryDenials) holds(who account.Identity) bool {
	began, denied := d.users[who.UserID]
	return d.sessions[who.SessionID] || denied && who.Since.Unix() <= began
}
