package accounttest

import (
	"context"
	"time"

	"spillway.example/services/internal/account"
)

// opening is a directory that keeps the tokens of the sessions it opens.
type opening struct {
	account.Directory
	opened []account.Tokens
}

// SignIn implements [account.Directory].
func (d *opening) SignIn(ctx context.Context, username, password string) (account.Tokens, error) {
	tokens, err := d.Directory.SignIn(ctx, username, password)
	if err == nil {
		d.opened = append(d.opened, tokens)
	}
	return tokens, err
}

// lifeProven proves passwords, which opens sessions that nobody is to have.
func lifeProven(s *saga) {
	ctx := context.Background()
	name := Name("proven")
	s.join(name, Address("proven"))
	own, who := s.enter(name)
	directory, h := &opening{Directory: s.Directory}, s.Harness
	h.Directory, h.Claims = directory, unretiring{h.Claims}
	registrar := s.over(h)
	wantCode(s.T, "ChangeEmail", registrar.ChangeEmail(ctx, who, Address("to"), Password), "")
	wantCode(s.T, "Delete that does not begin", registrar.Delete(ctx, who, Password), account.CodeUnavailable)
	if len(directory.opened) != 2 {
		s.Fatalf("%d sessions were opened, want 2", len(directory.opened))
	}
	for _, tokens := range directory.opened {
		_, err := s.Directory.Refresh(ctx, tokens.RefreshToken)
		wantCode(s.T, "Refresh of a session that proved a password", err, account.CodeInvalidToken)
	}
	_, err := s.Directory.Refresh(ctx, own.RefreshToken)
	wantCode(s.T, "Refresh of one's own", err, "")
}

// unretiring is a table that no deletion can begin at.
type unretiring struct{ account.Claims }

// Retire implements [account.Claims].
func (unretiring) Retire(context.Context, string, account.UserID, time.Time) error {
	return account.ErrUnavailable(nil)
}
