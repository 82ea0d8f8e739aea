package local

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/backend"
	"spillway.example/services/internal/settings"
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
	s, err := settings.Parse(settings.Local, c.Environ)
	if err != nil {
		return fmt.Errorf("%w\n%w", ErrSettings, err)
	}
	if _, err := os.Stat(s.DataDir); err != nil { // opening would make it
		return fmt.Errorf("data folder %s is not there; DATA_DIR says where it is", s.DataDir)
	}
	store, err := backend.OpenStore(ctx, s, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	name, err := account.FoldUsername(c.Username)
	password := rand.Text()
	if err == nil {
		err = store.Directory(nil).SetTemporaryPassword(ctx, name, password) // which sends no mail
	}
	if code := account.CodeOf(err); code == account.CodeInvalid || code == account.CodeNotFound {
		err = fmt.Errorf("there is no confirmed account %q in %s", c.Username, s.DataDir)
	}
	if err == nil {
		_, err = fmt.Fprintf(c.Stdout, "%s\n\nThis password of %s signs in once: POST /login answers challenge_required with a session,\nand POST /login/challenge takes the password that its owner chooses.\n", password, name)
	}
	return errors.Join(err, store.Close())
}
