package accounttest

import (
	"context"
	"sync"
	"time"

	"spillway.example/services/internal/account"
)

// Memory is every port of package account in one process's memory: it works as the
// real adapters do, and forgets all when it goes. The zero value is not ready; see
// [NewMemory].
type Memory struct {
	now func() time.Time

	mu       sync.Mutex
	users    map[string]*memoryUser // by username
	sessions map[string]*memorySession
	profiles map[account.UserID]account.Profile
	claims   map[string]account.Claim
	emails   map[string]account.UserID
	changes  map[account.UserID]account.EmailChange
	mails    []account.Mail
	denied   memoryDenials
}

// NewMemory makes an empty Memory on the given clock; nil is the wall clock.
func NewMemory(now func() time.Time) *Memory {
	if now == nil {
		now = time.Now
	}
	return &Memory{
		now:      now,
		users:    map[string]*memoryUser{},
		sessions: map[string]*memorySession{},
		profiles: map[account.UserID]account.Profile{},
		claims:   map[string]account.Claim{},
		emails:   map[string]account.UserID{},
		changes:  map[account.UserID]account.EmailChange{},
		denied:   memoryDenials{users: map[account.UserID]int64{}, sessions: map[string]bool{}},
	}
}

var (
	_ account.Directory     = (*Memory)(nil)
	_ account.SessionLister = (*Memory)(nil)
	_ account.Profiles      = (*Memory)(nil)
	_ account.Claims        = (*Memory)(nil)
	_ account.Mailer        = (*Memory)(nil)
	_ account.Verifier      = (*Memory)(nil)
)

// Send keeps a mail; Mails gives those sent to an address.
func (m *Memory) Send(_ context.Context, mail account.Mail) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mails = append(m.mails, mail)
	return nil
}

// Mails gives the mails sent to an address, oldest first.
func (m *Memory) Mails(to string) []account.Mail {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []account.Mail
	for _, mail := range m.mails {
		if mail.To == to {
			found = append(found, mail)
		}
	}
	return found
}

// Code gives the code that a user was last sent.
func (m *Memory) Code(username string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if u := m.users[username]; u != nil {
		return u.newest
	}
	return ""
}

// ProfilesOf gives every profile with the username, of which there should be at
// most one.
func (m *Memory) ProfilesOf(username string) []account.Profile {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []account.Profile
	for _, p := range m.profiles {
		if p.Username == username {
			found = append(found, p)
		}
	}
	return found
}
