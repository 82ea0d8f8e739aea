package local

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"time"

	"spillway.example/services/internal/account"
)

// PasswordConfig is what giving a temporary password is told.
type PasswordConfig struct {
	Environ  []string // as os.Environ gives it: DATA_DIR says where the data is
	Username string
	Stdout   io.Writer
}

// TemporaryPassword gives a user of the embedded store a password that signs in once, to
// the challenge that has them choose their own, and shows it. The error is for the user.
func TemporaryPassword(ctx context.Context, c PasswordConfig) error {
	store, dir, err := openThere(ctx, c.Environ)
	if err != nil {
		return err
	}
	password := rand.Text()
	err = account.NewSessions(account.SessionsConfig{
		Directory: store.Directory(nil), // which sends no mail for it
		Revoker:   account.NewRevoker(account.RevokerConfig{Denials: store}),
	}).GivePassword(ctx, c.Username, password)
	if code := account.CodeOf(err); code == account.CodeInvalid || code == account.CodeNotFound {
		err = fmt.Errorf("there is no confirmed account %q in %s", c.Username, dir)
	}
	if err == nil {
		_, err = fmt.Fprintf(c.Stdout, `%s

This password of %q signs in once, within %d days: POST /login answers challenge_required with a
session, and POST /login/challenge takes the password that its owner chooses. All sessions have ended.
No mail has told the owner: do so yourself.
`, password, c.Username, account.TemporaryPasswordLifetime/(24*time.Hour))
	}
	return errors.Join(err, store.Close())
}
