package accounttest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"maps"
	"slices"
	"strings"
	"time"

	"spillway.example/services/internal/account"
)

// memorySession is found by its refresh token and by its access tokens.
type memorySession struct {
	id     string
	since  time.Time
	user   *memoryUser
	ended  bool
	access []string
}

// SignIn implements [account.Directory].
func (m *Memory) SignIn(_ context.Context, username, password string) (account.Tokens, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	u := m.users[username]
	switch {
	case u == nil:
		return account.Tokens{}, account.ErrCredentials(nil)
	case u.password != sha256.Sum256([]byte(password)):
		return account.Tokens{}, account.ErrCredentials(nil)
	case !u.Confirmed:
		return account.Tokens{}, account.ErrNotConfirmed(nil)
	case !u.given.IsZero() && !m.now().Before(u.given):
		return account.Tokens{}, account.ErrCredentials(nil)
	case !u.given.IsZero():
		u.step = rand.Text()
		return account.Tokens{}, account.ErrChallenge(account.Challenge{Name: account.NewPasswordRequired, Session: u.step})
	}
	return m.open(u), nil
}

// RespondToChallenge implements [account.Directory].
func (m *Memory) RespondToChallenge(_ context.Context, a account.ChallengeAnswer) (account.Tokens, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	u := m.users[a.Username]
	switch {
	case a.Name != account.NewPasswordRequired:
		return account.Tokens{}, account.Errorf(account.CodeUnsupported, nil, "There is no such challenge.")
	case u == nil || u.step == "" || u.step != a.Session:
		return account.Tokens{}, account.ErrCredentials(nil)
	}
	u.password, u.step, u.given = sha256.Sum256([]byte(a.Responses[account.NewPassword])), "", time.Time{}
	return m.open(u), nil
}

// open opens a session; m.mu is held.
func (m *Memory) open(u *memoryUser) account.Tokens {
	return m.issue(&memorySession{id: rand.Text(), since: m.now().Truncate(time.Second), user: u})
}

// issue makes new tokens for a session; m.mu is held.
func (m *Memory) issue(s *memorySession) account.Tokens {
	t := account.Tokens{
		AccessToken: "access." + rand.Text(), IDToken: "id." + rand.Text(), RefreshToken: "refresh." + rand.Text(),
		TokenType: "Bearer", ExpiresIn: time.Hour,
	}
	m.sessions[t.AccessToken], m.sessions[t.RefreshToken] = s, s
	s.access = append(s.access, t.AccessToken)
	return t
}

// session finds the live session of a token of the given kind; m.mu is held.
func (m *Memory) session(kind, token string) (*memorySession, error) {
	s := m.sessions[token]
	if s == nil || s.ended || !strings.HasPrefix(token, kind+".") {
		return nil, account.ErrToken(nil)
	}
	return s, nil
}

// Refresh implements [account.Directory].
func (m *Memory) Refresh(_ context.Context, refreshToken string) (account.Tokens, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, err := m.session("refresh", refreshToken)
	if err != nil {
		return account.Tokens{}, err
	}
	return m.issue(s), nil
}

// SignOut implements [account.Directory].
func (m *Memory) SignOut(_ context.Context, refreshToken string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s, err := m.session("refresh", refreshToken); err == nil {
		s.ended = true
	}
	return nil
}

// SignOutEverywhere implements [account.Directory].
func (m *Memory) SignOutEverywhere(_ context.Context, accessToken string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, err := m.session("access", accessToken)
	if err != nil {
		return err
	}
	m.endSessions(s.user)
	return nil
}

// endSessions ends all sessions of u; m.mu is held.
func (m *Memory) endSessions(u *memoryUser) {
	for _, s := range m.sessions {
		if s.user == u {
			s.ended = true
		}
	}
}

// ListSessions implements [account.SessionLister].
func (m *Memory) ListSessions(_ context.Context, accessToken string) ([]account.Session, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	own, err := m.session("access", accessToken)
	if err != nil {
		return nil, err
	}
	found := map[string]account.Session{}
	for _, s := range m.sessions {
		if s.user == own.user && !s.ended {
			found[s.id] = account.Session{ID: s.id, CreatedAt: s.since, ExpiresAt: s.since.Add(24 * time.Hour), Current: s == own}
		}
	}
	return slices.SortedFunc(maps.Values(found), func(a, b account.Session) int { return b.CreatedAt.Compare(a.CreatedAt) }), nil
}

// EndSession implements [account.SessionLister].
func (m *Memory) EndSession(_ context.Context, accessToken, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	own, err := m.session("access", accessToken)
	if err != nil {
		return err
	}
	for _, s := range m.sessions {
		if s.id == id && s.user == own.user && !s.ended {
			s.ended = true
			return nil
		}
	}
	return account.Errorf(account.CodeNotFound, nil, "There is no such session.")
}

// Verify implements [account.Verifier]. Like any check without the directory it
// does not see that a session has ended, but what is on the deny list.
func (m *Memory) Verify(ctx context.Context, accessToken string) (account.Identity, error) {
	who, err := m.Offline(ctx, accessToken)
	if err != nil {
		return who, err
	}
	if denied, err := m.Denied(ctx, who); err != nil || denied {
		return account.Identity{}, account.ErrToken(err)
	}
	return who, nil
}

// Offline is Verify but for whether the token has been made void since.
func (m *Memory) Offline(_ context.Context, accessToken string) (account.Identity, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.sessions[accessToken]
	if s == nil || !strings.HasPrefix(accessToken, "access.") {
		return account.Identity{}, account.ErrToken(nil)
	}
	return account.Identity{
		UserID: s.user.ID, Username: s.user.Username, SessionID: s.id, Since: s.since, ExpiresAt: m.now().Add(time.Hour),
	}, nil
}
