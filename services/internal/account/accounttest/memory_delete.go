package accounttest

import (
	"context"
	"time"

	"spillway.example/services/internal/account"
)

// Retire implements [account.Claims].
func (m *Memory) Retire(_ context.Context, username string, id account.UserID, at time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	held, there := m.claims[username]
	switch {
	case !there:
		return notFound()
	case held.UserID != id || !held.Confirmed:
		return conflict()
	case held.RetiredAt.IsZero():
		held.RetiredAt = at
		m.claims[username] = held
	}
	return nil
}

// Erase implements [account.Claims].
func (m *Memory) Erase(_ context.Context, username string, id account.UserID) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	held, there := m.claims[username]
	switch {
	case !there || held.UserID != id:
		return nil
	case held.RetiredAt.IsZero():
		return conflict()
	}
	if email := m.profiles[id].Email; m.emails[email] == id {
		delete(m.emails, email)
	}
	delete(m.profiles, id)
	delete(m.changes, id)
	delete(m.claims, username)
	return nil
}

// Retired implements [account.Claims].
func (m *Memory) Retired(context.Context) (claims []account.Claim, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range m.claims {
		if !c.RetiredAt.IsZero() {
			claims = append(claims, c)
		}
	}
	return claims, nil
}
