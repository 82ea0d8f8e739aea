package embedded

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"math/big"
	"time"

	"spillway.example/services/internal/account"
)

const (
	// All three are Cognito's.
	confirmLifetime   = 24 * time.Hour
	resetLifetime     = time.Hour
	challengeLifetime = 3 * time.Minute
	// maxTries is how often a code may be tried: with a million codes, guessing
	// one of them succeeds once in two hundred thousand times.
	maxTries = 5
)

// purpose is what a code is good for.
type purpose string

const (
	confirmSignUp purpose = "confirm"
	resetPassword purpose = "reset"
	newPassword   purpose = "challenge" // its code is the challenge's session
)

func (p purpose) lifetime() time.Duration {
	switch p {
	case resetPassword:
		return resetLifetime
	case newPassword:
		return challengeLifetime
	}
	return confirmLifetime
}

// guessable says whether wrong tries use a code up. The session of a challenge has 130 bits:
// nobody guesses that, and strangers, who can try with no more than a name, must not close
// what its owner has open.
func (p purpose) guessable() bool { return p != newPassword }

// newCode draws a code of six digits and stores its hash in the place of an older one.
func (d *Directory) newCode(ctx context.Context, tx *sql.Tx, id account.UserID, p purpose) (string, error) {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return "", fmt.Errorf("drawing a code: %w", err)
	}
	code := fmt.Sprintf("%06d", n)
	return code, d.storeCode(ctx, tx, id, p, code)
}

func (d *Directory) storeCode(ctx context.Context, tx *sql.Tx, id account.UserID, p purpose, code string) error {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails
	_, err := tx.ExecContext(ctx, `
		INSERT OR REPLACE INTO codes (user_id, purpose, salt, hash, tries, expires_at) VALUES (?, ?, ?, ?, 0, ?)`,
		id, p, salt, codeHash(salt, code), stamp(d.store.Now().Add(p.lifetime())))
	return err
}

func codeHash(salt []byte, code string) []byte {
	h := hmac.New(sha256.New, salt)
	h.Write([]byte(code))
	return h.Sum(nil)
}

// useCode tries a code. refused says that it was not the one; err that this cannot be
// known. A code that was the one is used up, and one that was not has been tried,
// provided that the caller lets the transaction stand.
func (d *Directory) useCode(ctx context.Context, tx *sql.Tx, id account.UserID, p purpose, code string) (refused, err error) {
	var salt, hash []byte
	var tries int
	var expires time.Time
	err = tx.QueryRowContext(ctx, `
		UPDATE codes SET tries = tries + 1 WHERE user_id = ? AND purpose = ? RETURNING salt, hash, tries, expires_at`, id, p).
		Scan(&salt, &hash, &tries, (*stamp)(&expires))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return account.ErrCodeMismatch(errors.New("no code was sent")), decoy(ctx, tx)
	case err != nil:
		return nil, err
	case !hmac.Equal(hash, codeHash(salt, code)): // first: a guess must not tell that there is a code
		return account.ErrCodeMismatch(nil), nil
	case p.guessable() && tries > maxTries, !d.store.Now().Before(expires):
		return account.ErrCodeExpired(nil), nil
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM codes WHERE user_id = ? AND purpose = ?`, id, p)
	return nil, err
}

// setPassword gives a user another password, and voids what an older one, or its loss, has
// left: codes and challenges. until is when it ends, unless it is of the user's own choice.
func setPassword(ctx context.Context, tx *sql.Tx, id account.UserID, hash string, until time.Time) error {
	_, err := tx.ExecContext(ctx, `UPDATE users SET password = ?, password_expires_at = ? WHERE id = ?`, hash, stamp(until), id)
	return errors.Join(err, voidCodes(ctx, tx, id))
}

func voidCodes(ctx context.Context, tx *sql.Tx, id account.UserID) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM codes WHERE user_id = ?`, id)
	return err
}

// decoy writes what is of no use, where nothing is written that another answer would
// have written: a transaction that changes nothing need not wait for the disk, and would
// tell by its speed that a name is unknown.
func decoy(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, `UPDATE decoy SET writes = writes + 1`)
	return err
}

// mailCode sends a code to an address.
func (d *Directory) mailCode(ctx context.Context, email string, p purpose, code string) error {
	m := account.Mail{To: email, Subject: "Your confirmation code", Text: "Your confirmation code is %s."}
	if p == resetPassword {
		m.Subject, m.Text = "Your code for a new password", "Your code for a new password is %s."
	}
	m.Text = fmt.Sprintf(m.Text+" It is good for %s.\n\nIf you did not ask for it, there is nothing to do.\n",
		code, map[purpose]string{confirmSignUp: "24 hours", resetPassword: "an hour"}[p])
	err := d.mailer.Send(ctx, m)
	if err != nil {
		return fmt.Errorf("mailing a code: %w", err)
	}
	return nil
}
