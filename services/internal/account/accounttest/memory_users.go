package accounttest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"math/big"
	"time"

	"spillway.example/services/internal/account"
)

type memoryUser struct {
	account.User
	password [sha256.Size]byte
	code     string    // to confirm the account
	reset    string    // for a new password
	newest   string    // of both
	given    time.Time // until when the password is one that its owner must change; zero where it is their own
	step     string    // the session of an open challenge
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
