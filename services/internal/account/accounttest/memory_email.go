package accounttest

import (
	"context"

	"spillway.example/services/internal/account"
)

// PutEmailChange implements [account.Claims].
func (m *Memory) PutEmailChange(_ context.Context, c account.EmailChange) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, there := m.profiles[c.UserID]; !there {
		return notFound()
	}
	m.changes[c.UserID] = c
	return nil
}

// TryEmailChange implements [account.Claims].
func (m *Memory) TryEmailChange(_ context.Context, id account.UserID) (account.EmailChange, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, there := m.changes[id]
	if !there {
		return account.EmailChange{}, notFound()
	}
	c.Tries++
	m.changes[id] = c
	return c, nil
}

// FindEmailChange implements [account.Claims].
func (m *Memory) FindEmailChange(_ context.Context, id account.UserID) (account.EmailChange, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, there := m.changes[id]
	if !there {
		return account.EmailChange{}, notFound()
	}
	return c, nil
}

// MoveEmail implements [account.Claims].
func (m *Memory) MoveEmail(_ context.Context, mv account.EmailMove) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	held, there := m.claims[mv.Username]
	p, known := m.profiles[mv.UserID]
	owner, taken := m.emails[mv.To]
	switch {
	case !there || !known:
		return false, notFound()
	case held.UserID != mv.UserID || !held.Confirmed || !held.RetiredAt.IsZero():
		return false, conflict()
	case taken && owner != mv.UserID:
		return false, nil
	case taken && p.EmailVerified && p.Email == mv.To:
		return true, nil
	}
	if p.EmailVerified {
		delete(m.emails, p.Email)
	}
	m.emails[mv.To] = mv.UserID
	p.Email, p.EmailVerified, p.UpdatedAt = mv.To, true, mv.At
	p.Version++
	m.profiles[mv.UserID] = p
	return true, nil
}

// DropEmailChange implements [account.Claims].
func (m *Memory) DropEmailChange(_ context.Context, id account.UserID) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.changes, id)
	return nil
}
