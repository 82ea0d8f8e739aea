package embedded

import (
	"context"
	"database/sql"
	"errors"

	"github.com/google/uuid"

	"spillway.example/services/internal/account"
)

// Directory is the store seen as [account.Directory].
type Directory struct {
	store  *Store
	mailer account.Mailer
}

var _ account.Directory = (*Directory)(nil)

// Directory gives the store's directory, which sends its codes by the mailer.
func (s *Store) Directory(mailer account.Mailer) *Directory {
	return &Directory{store: s, mailer: mailer}
}

// SignUp implements [account.Directory]. The code goes out when the user is there to
// stay; where it cannot be sent, the user is made all the same and may ask again.
func (d *Directory) SignUp(ctx context.Context, n account.NewUser) (account.SignedUp, error) {
	const doing = "signing up"
	password, err := d.store.hasher.hash(ctx, n.Password)
	if err != nil {
		return account.SignedUp{}, failure(doing, err)
	}
	made := account.SignedUp{UserID: account.UserID(uuid.NewString())}
	var code string
	err = d.store.update(ctx, doing, func(tx *sql.Tx) error {
		free, err := changed(tx.ExecContext(ctx, `
			INSERT INTO users (id, username, email, email_verified, confirmed, password, created_at)
			VALUES (?, ?, ?, false, false, ?, ?) ON CONFLICT (username) DO NOTHING`,
			made.UserID, n.Username, n.Email, password, stamp(d.store.Now())))
		switch {
		case err != nil:
			return err
		case !free:
			return account.ErrUsernameTaken(0)
		case n.Email == "":
			return nil
		}
		code, err = d.newCode(ctx, tx, made.UserID, confirmSignUp)
		return err
	})
	if err != nil {
		return account.SignedUp{}, err
	}
	if n.Email != "" {
		err := d.mailCode(ctx, n.Email, confirmSignUp, code)
		if made.CodeSent = err == nil; err != nil {
			d.store.Logger.WarnContext(ctx, "code not sent", "err", err)
		}
	}
	return made, nil
}

// PretendSignUp implements [account.Directory]: a hash and a write.
func (d *Directory) PretendSignUp(ctx context.Context, n account.NewUser) error {
	const doing = "pretending to sign up"
	if _, err := d.store.hasher.hash(ctx, n.Password); err != nil {
		return failure(doing, err)
	}
	return d.store.update(ctx, doing, func(tx *sql.Tx) error { return decoy(ctx, tx) })
}

// Confirm implements [account.Directory].
func (d *Directory) Confirm(ctx context.Context, username, code string) error {
	var refused error // a code that was tried stays tried
	err := d.store.update(ctx, "confirming", func(tx *sql.Tx) error {
		u, err := unconfirmed(ctx, tx, username)
		switch account.CodeOf(err) {
		case "":
		case account.CodeNotFound:
			refused = account.ErrCodeMismatch(err)
			return decoy(ctx, tx)
		default:
			return err
		}
		if refused, err = d.useCode(ctx, tx, u.ID, confirmSignUp, code); refused != nil || err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE users SET confirmed = true, email_verified = true WHERE id = ?`, u.ID)
		return err
	})
	if err != nil {
		return err
	}
	return refused
}

// ResendCode implements [account.Directory]. CodeNotFound, too, where the user has no
// address to send a code to.
func (d *Directory) ResendCode(ctx context.Context, username string) error {
	var email, code string
	var refused error
	err := d.store.update(ctx, "making a new code", func(tx *sql.Tx) error {
		var u account.User
		if u, refused = unconfirmed(ctx, tx, username); refused == nil && u.Email == "" {
			refused = account.Errorf(account.CodeNotFound, nil, "The account has no e-mail address.")
		}
		switch account.CodeOf(refused) {
		case "":
		case account.CodeNotFound, account.CodeAlreadyConfirmed:
			return decoy(ctx, tx)
		default:
			return refused
		}
		email = u.Email
		var err error
		code, err = d.newCode(ctx, tx, u.ID, confirmSignUp)
		return err
	})
	switch {
	case err != nil:
		return err
	case refused != nil:
		return refused
	}
	if err := d.mailCode(ctx, email, confirmSignUp, code); err != nil {
		return account.ErrUnavailable(err)
	}
	return nil
}

// FindUser implements [account.Directory].
func (d *Directory) FindUser(ctx context.Context, username string) (account.User, error) {
	u, _, err := findUser(ctx, d.store.read, username)
	return u, failure("finding a user", err)
}

// ConfirmUser implements [account.Directory].
func (d *Directory) ConfirmUser(ctx context.Context, username string) error {
	return d.store.update(ctx, "confirming", func(tx *sql.Tx) error {
		u, err := unconfirmed(ctx, tx, username)
		if err != nil {
			return err
		}
		if err := voidCodes(ctx, tx, u.ID); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE users SET confirmed = true WHERE id = ?`, u.ID)
		return err
	})
}

// DeleteUser implements [account.Directory].
func (d *Directory) DeleteUser(ctx context.Context, id account.UserID) error {
	return d.store.update(ctx, "deleting a user", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM users WHERE id = ?`, id)
		return err
	})
}

const userColumns = `users.id, users.username, users.email, users.email_verified, users.confirmed, users.created_at`

func userFields(u *account.User) []any {
	return []any{&u.ID, &u.Username, &u.Email, &u.EmailVerified, &u.Confirmed, (*stamp)(&u.CreatedAt)}
}

// findUser reads a user with the hash of its password. CodeNotFound.
func findUser(ctx context.Context, q queryer, username string) (u account.User, password string, err error) {
	err = q.QueryRowContext(ctx, `SELECT `+userColumns+`, users.password FROM users WHERE username = ?`, username).
		Scan(append(userFields(&u), &password)...)
	if errors.Is(err, sql.ErrNoRows) {
		return u, "", account.Errorf(account.CodeNotFound, nil, "There is no such user.")
	}
	return u, password, err
}

// unconfirmed finds a user that waits for confirmation. CodeNotFound;
// CodeAlreadyConfirmed.
func unconfirmed(ctx context.Context, tx *sql.Tx, username string) (account.User, error) {
	u, _, err := findUser(ctx, tx, username)
	if err == nil && u.Confirmed {
		err = account.Errorf(account.CodeAlreadyConfirmed, nil, "The account is confirmed already.")
	}
	return u, err
}
