package local

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"

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
	name, err := account.FoldUsername(c.Username)
	password := rand.Text()
	if err == nil {
		err = store.Directory(nil).SetTemporaryPassword(ctx, name, password) // which sends no mail
	}
	if code := account.CodeOf(err); code == account.CodeInvalid || code == account.CodeNotFound {
		err = fmt.Errorf("there is no confirmed account %q in %s", c.Username, dir)
	}
	if err == nil {
		_, err = fmt.Fprintf(c.Stdout, "%s\n\nThis password of %s signs in once: POST /login answers challenge_required with a session,\nand POST /login/challenge takes the password that its owner chooses.\n", password, name)
	}
	return errors.Join(err, store.Close())
}
