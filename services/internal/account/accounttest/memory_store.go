package accounttest

import (
	"context"
	"time"

	"spillway.example/services/internal/account"
)

func conflict() error {
	return account.Errorf(account.CodeConflict, nil, "The record has changed.")
}

func notFound() error {
	return account.Errorf(account.CodeNotFound, nil, "There is no such record.")
}

// PutIfAbsent implements [account.Profiles].
func (m *Memory) PutIfAbsent(_ context.Context, p account.Profile) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, there := m.profiles[p.UserID]; there {
		return conflict()
	}
	p.Version = 1
	m.profiles[p.UserID] = p
	return nil
}

// Get implements [account.Profiles].
func (m *Memory) Get(_ context.Context, id account.UserID) (account.Profile, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p, there := m.profiles[id]
	if !there {
		return account.Profile{}, notFound()
	}
	return p, nil
}

// Update implements [account.Profiles].
func (m *Memory) Update(_ context.Context, p account.Profile) (account.Profile, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	stored, there := m.profiles[p.UserID]
	switch {
	case !there:
		return account.Profile{}, notFound()
	case stored.Version != p.Version:
		return account.Profile{}, conflict()
	}
	p.Version++
	m.profiles[p.UserID] = p
	return p, nil
}

// Delete implements [account.Profiles].
func (m *Memory) Delete(_ context.Context, id account.UserID) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.profiles, id)
	return nil
}

// Acquire implements [account.Claims].
func (m *Memory) Acquire(_ context.Context, c account.Claim) (account.Claim, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if held, there := m.claims[c.Username]; there {
		return held, held.Attempt == c.Attempt, nil
	}
	m.claims[c.Username] = c
	return c, true, nil
}

// Supersede implements [account.Claims].
func (m *Memory) Supersede(_ context.Context, old, c account.Claim) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	held := m.claims[old.Username]
	switch {
	case held.Attempt == c.Attempt:
		return nil
	case held.Attempt != old.Attempt || held.Confirmed || !held.LeaseUntil.Equal(old.LeaseUntil):
		return conflict()
	}
	delete(m.profiles, held.UserID)
	m.claims[c.Username] = c
	return nil
}

// Find implements [account.Claims].
func (m *Memory) Find(_ context.Context, username string) (account.Claim, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, there := m.claims[username]
	if !there {
		return account.Claim{}, notFound()
	}
	return c, nil
}

// Attach implements [account.Claims].
func (m *Memory) Attach(_ context.Context, c account.Claim, p account.Profile) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	held := m.claims[c.Username]
	_, there := m.profiles[p.UserID]
	switch {
	case held.Attempt != c.Attempt:
		return conflict()
	case there && held.UserID == c.UserID:
		return nil
	case there || held.Confirmed:
		return conflict()
	}
	held.UserID, held.TokenHash = c.UserID, c.TokenHash
	m.claims[c.Username] = held
	p.Version = 1
	m.profiles[p.UserID] = p
	return nil
}

// Extend implements [account.Claims].
func (m *Memory) Extend(_ context.Context, username, attempt string, until time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	held := m.claims[username]
	if held.Attempt != attempt || held.Confirmed {
		return conflict()
	}
	held.LeaseUntil = until
	m.claims[username] = held
	return nil
}

// Settle implements [account.Claims].
func (m *Memory) Settle(_ context.Context, s account.Settlement) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	held := m.claims[s.Username]
	p, there := m.profiles[s.UserID]
	if held.Attempt != s.Attempt || held.UserID != s.UserID || !there {
		return false, conflict()
	}
	if held.Confirmed {
		return s.Email != "" && m.emails[s.Email] == s.UserID, nil
	}
	held.Confirmed = true
	m.claims[s.Username] = held
	owned := false
	if s.Email != "" {
		owner, taken := m.emails[s.Email]
		owned = !taken || owner == s.UserID
		p.Email, p.EmailVerified = "", false
		if owned {
			m.emails[s.Email] = s.UserID
			p.Email, p.EmailVerified = s.Email, true
		}
	}
	p.UpdatedAt = s.At
	p.Version++
	m.profiles[s.UserID] = p
	return owned, nil
}

// Release implements [account.Claims].
func (m *Memory) Release(_ context.Context, username, attempt string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if held := m.claims[username]; held.Attempt == attempt && !held.Confirmed {
		delete(m.profiles, held.UserID)
		delete(m.claims, username)
	}
	return nil
}

// MarkMailed implements [account.Claims].
func (m *Memory) MarkMailed(_ context.Context, username string, use account.MailUse, now time.Time, interval time.Duration) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	held, there := m.claims[username]
	at := held.Mailed.At(use)
	if !there || now.Sub(*at) < interval {
		return false, nil
	}
	*at = now
	m.claims[username] = held
	return true, nil
}

// EmailOwner implements [account.Claims].
func (m *Memory) EmailOwner(_ context.Context, email string) (account.UserID, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	id, there := m.emails[email]
	if !there {
		return "", notFound()
	}
	return id, nil
}
