package accounttest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
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

type memoryUser struct {
	account.User
	password [sha256.Size]byte
	code     string    // to confirm the account
	reset    string    // for a new password
	newest   string    // of both
	given    time.Time // until when the password is one that its owner must change; zero where it is their own
	step     string    // the session of an open challenge
}

// memorySession is found by its refresh token and by its access tokens.
type memorySession struct {
	id     string
	since  time.Time
	user   *memoryUser
	ended  bool
	access []string
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

// sendCode mails u a new code; m.mu is held.
func (m *Memory) sendCode(u *memoryUser) string {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	u.newest = fmt.Sprintf("%06d", n)
	m.mails = append(m.mails, account.Mail{To: u.Email, Subject: "Your code", Text: "Your code is " + u.newest + ".\n"})
	return u.newest
}

// SignUp implements [account.Directory].
func (m *Memory) SignUp(_ context.Context, n account.NewUser) (account.SignedUp, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.users[n.Username] != nil {
		return account.SignedUp{}, account.ErrUsernameTaken(0)
	}
	u := &memoryUser{
		User:     account.User{ID: account.UserID(rand.Text()), Username: n.Username, Email: n.Email, CreatedAt: m.now().UTC()},
		password: sha256.Sum256([]byte(n.Password)),
	}
	m.users[n.Username] = u
	if n.Email != "" {
		u.code = m.sendCode(u)
	}
	return account.SignedUp{UserID: u.ID, CodeSent: n.Email != ""}, nil
}

// PretendSignUp implements [account.Directory].
func (m *Memory) PretendSignUp(context.Context, account.NewUser) error { return nil }

// Confirm implements [account.Directory].
func (m *Memory) Confirm(_ context.Context, username, code string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch u := m.users[username]; {
	case u == nil:
		return account.ErrCodeMismatch(nil)
	case u.Confirmed:
		return account.Errorf(account.CodeAlreadyConfirmed, nil, "The account is confirmed already.")
	case u.code == "" || u.code != code:
		return account.ErrCodeMismatch(nil)
	default:
		u.Confirmed, u.EmailVerified, u.code = true, true, ""
		return nil
	}
}

// ResendCode implements [account.Directory].
func (m *Memory) ResendCode(_ context.Context, username string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	u, err := m.unconfirmed(username)
	if err != nil {
		return err
	}
	u.code = m.sendCode(u)
	return nil
}

// ForgotPassword implements [account.Directory].
func (m *Memory) ForgotPassword(_ context.Context, username string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	u := m.users[username]
	if u == nil || !u.Confirmed || !u.EmailVerified || !u.given.IsZero() {
		return account.Errorf(account.CodeNotFound, nil, "There is nobody to send a code to.")
	}
	u.reset = m.sendCode(u)
	return nil
}

// ResetPassword implements [account.Directory].
func (m *Memory) ResetPassword(_ context.Context, username, code, password string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	u := m.users[username]
	if u == nil || u.reset == "" || u.reset != code {
		return account.ErrCodeMismatch(nil)
	}
	u.reset, u.password = "", sha256.Sum256([]byte(password))
	m.endSessions(u)
	return nil
}

// unconfirmed finds a user that waits for confirmation; m.mu is held.
func (m *Memory) unconfirmed(username string) (*memoryUser, error) {
	switch u := m.users[username]; {
	case u == nil:
		return nil, account.Errorf(account.CodeNotFound, nil, "There is no such user.")
	case u.Confirmed:
		return nil, account.Errorf(account.CodeAlreadyConfirmed, nil, "The account is confirmed already.")
	default:
		return u, nil
	}
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

// SetTemporaryPassword implements [account.Directory].
func (m *Memory) SetTemporaryPassword(_ context.Context, username, password string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	u := m.users[username]
	if u == nil || !u.Confirmed {
		return account.Errorf(account.CodeNotFound, nil, "There is no such user.")
	}
	u.password, u.given, u.step = sha256.Sum256([]byte(password)), m.now().Add(account.TemporaryPasswordLifetime), ""
	m.endSessions(u)
	return nil
}

// SetEmail implements [account.Directory].
func (m *Memory) SetEmail(_ context.Context, username, email string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	u := m.users[username]
	if u == nil {
		return account.Errorf(account.CodeNotFound, nil, "There is no such user.")
	}
	u.Email, u.EmailVerified = email, true
	return nil
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

// ChangePassword implements [account.Directory].
func (m *Memory) ChangePassword(_ context.Context, accessToken, current, password string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, err := m.session("access", accessToken)
	switch {
	case err != nil:
		return err
	case s.user.password != sha256.Sum256([]byte(current)):
		return account.ErrCredentials(nil)
	}
	s.user.password = sha256.Sum256([]byte(password))
	return nil
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

// GetUser implements [account.Directory].
func (m *Memory) GetUser(_ context.Context, accessToken string) (account.User, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, err := m.session("access", accessToken)
	if err != nil {
		return account.User{}, err
	}
	return s.user.User, nil
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

// FindUser implements [account.Directory].
func (m *Memory) FindUser(_ context.Context, username string) (account.User, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if u := m.users[username]; u != nil {
		return u.User, nil
	}
	return account.User{}, account.Errorf(account.CodeNotFound, nil, "There is no such user.")
}

// ConfirmUser implements [account.Directory].
func (m *Memory) ConfirmUser(_ context.Context, username string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	u, err := m.unconfirmed(username)
	if err != nil {
		return err
	}
	u.Confirmed, u.code = true, ""
	return nil
}

// DeleteUser implements [account.Directory].
func (m *Memory) DeleteUser(_ context.Context, id account.UserID) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name, u := range m.users {
		if u.ID == id {
			m.endSessions(u)
			delete(m.users, name)
		}
	}
	return nil
}
