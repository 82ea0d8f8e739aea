package embedded

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
)

// Secret gives a random key of 32 bytes that belongs to the file: whoever asks for it by
// the same name, in whatever process, gets the same.
func (s *Store) Secret(ctx context.Context, name string) (value []byte, err error) {
	err = s.update(ctx, "reading a secret", func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, `SELECT value FROM secrets WHERE name = ?`, name).Scan(&value)
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		value = make([]byte, 32)
		_, _ = rand.Read(value) // never fails
		_, err = tx.ExecContext(ctx, `INSERT INTO secrets (name, value) VALUES (?, ?)`, name, value)
		return err
	})
	return value, err
}
