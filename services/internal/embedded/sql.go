package embedded

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"spillway.example/services/internal/account"
)

// update runs f in a transaction that holds the file's write lock from its beginning,
// so that what f reads stays so. What f fails with undoes all of it, and is what
// update fails with, as an [account.Error].
func (s *Store) update(ctx context.Context, doing string, f func(tx *sql.Tx) error) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return failure(doing, err)
	}
	defer tx.Rollback() //nolint:errcheck // after Commit it has nothing to do
	if err := f(tx); err != nil {
		return failure(doing, err)
	}
	return failure(doing, tx.Commit())
}

// failure makes an [account.Error] of any error, nil of nil.
func failure(doing string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*account.Error](err); ok {
		return err
	}
	err = fmt.Errorf("%s: %w", doing, err)
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return account.ErrUnavailable(err)
	}
	switch sqliteCode(err) {
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED, lib.SQLITE_INTERRUPT,
		lib.SQLITE_FULL, lib.SQLITE_IOERR, lib.SQLITE_CANTOPEN, lib.SQLITE_READONLY:
		return account.ErrUnavailable(err)
	}
	return account.Errorf(account.CodeInternal, err, "Something went wrong.")
}

// sqliteCode gives SQLite's primary result code of an error, 0 if it has none.
func sqliteCode(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code() & 0xff
	}
	return 0
}

func busy(err error) bool { return sqliteCode(err) == lib.SQLITE_BUSY }

// changed says whether a statement changed, or made, any row.
func changed(done sql.Result, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	n, err := done.RowsAffected()
	return n > 0, err
}

// queryer is what can be asked for one row: a transaction, or the readers.
type queryer interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// stamp is a time as the file has it: Unix nanoseconds, null for the zero time.
type stamp time.Time

// Value implements [driver.Valuer].
func (t stamp) Value() (driver.Value, error) {
	if time.Time(t).IsZero() {
		return nil, nil //nolint:nilnil // the driver's way of saying null
	}
	return time.Time(t).UnixNano(), nil
}

// Scan implements [sql.Scanner].
func (t *stamp) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*t = stamp{}
	case int64:
		*t = stamp(time.Unix(0, v).UTC())
	default:
		return fmt.Errorf("a time is stored as %T", v)
	}
	return nil
}
