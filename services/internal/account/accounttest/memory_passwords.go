package accounttest

import (
	"context"
	"crypto/sha256"

	"spillway.example/services/internal/account"
)

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
