package embedded

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"modernc.org/sqlite" // the driver: SQLite without cgo
	lib "modernc.org/sqlite/lib"
)

// fileName is the data file's name within its folder.
const fileName = "spillway.db"

// openFile opens the data file for one writer and many readers.
func openFile(ctx context.Context, dir string, busyTimeout time.Duration) (write, read *sql.DB, err error) {
	path, err := makeFile(dir)
	if err != nil {
		return nil, nil, err
	}
	write, err = connect(path, busyTimeout, url.Values{"_txlock": {"immediate"}})
	if err != nil {
		return nil, nil, explain(path, err)
	}
	// One connection: writers of this process queue here, where a context can end
	// the wait, and only writers of other processes meet SQLite's lock.
	write.SetMaxOpenConns(1)
	if err := prepare(ctx, write, busyTimeout); err != nil {
		return nil, nil, errors.Join(explain(path, err), write.Close())
	}
	read, err = connect(path, busyTimeout, url.Values{"_query_only": {"1"}})
	if err != nil {
		return nil, nil, errors.Join(explain(path, err), write.Close())
	}
	read.SetMaxOpenConns(readers())
	read.SetMaxIdleConns(readers())
	return write, read, nil
}

// Find fails, in one line for the user, unless a folder has a data file with something in
// it: [Open] would make one.
func Find(dir string) error {
	path := filepath.Join(dir, fileName)
	switch info, err := os.Stat(path); {
	case errors.Is(err, fs.ErrNotExist), err == nil && info.Size() == 0:
		return fmt.Errorf("data file %s is not there", path)
	case err != nil:
		return fmt.Errorf("data file %s cannot be read: %w", path, cause(err))
	}
	return nil
}

// makeFile makes the folder and the file where they are missing: nobody else may read
// password hashes and keys. SQLite gives its own files beside it the same mode.
func makeFile(dir string) (path string, err error) {
	making.Lock()
	defer making.Unlock()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("data folder %s cannot be made: %w", dir, cause(err))
	}
	path, err = filepath.Abs(filepath.Join(dir, fileName))
	if err != nil {
		return "", fmt.Errorf("data folder %s: %w", dir, err)
	}
	// The write-ahead log is another file in the folder.
	probe, err := os.CreateTemp(dir, ".probe-*")
	if err != nil {
		return "", fmt.Errorf("data folder %s cannot be written: %w", dir, cause(err))
	}
	if err := errors.Join(probe.Close(), os.Remove(probe.Name())); err != nil {
		return "", fmt.Errorf("data folder %s cannot be written: %w", dir, cause(err))
	}
	if err := makePrivate(path); err != nil {
		return "", fmt.Errorf("data file %s cannot be made or kept from others: %w", path, cause(err))
	}
	return path, nil
}

// makePrivate makes an empty file that only its owner can read, or makes it one.
func makePrivate(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		return f.Close()
	}
	switch info, statErr := os.Stat(path); {
	case statErr != nil:
		return err
	case !info.Mode().IsRegular():
		return errors.New("it is no file")
	}
	return os.Chmod(path, 0o600)
}

// making keeps the stores that this process opens from making one file at once.
// Closing a file, by whatever descriptor, gives up the process's locks on it (fcntl(2)),
// SQLite's among them, so makeFile must never open one that a store may have open.
var making sync.Mutex

// cause takes the operation and the path off a file error, which the message has.
func cause(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

func connect(path string, busyTimeout time.Duration, query url.Values) (*sql.DB, error) {
	query["_pragma"] = []string{
		fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()),
		"foreign_keys(1)",
		// An answered sign-up or a rotated token must outlive a power cut.
		"synchronous(full)",
		// What is deleted is overwritten: the pages that it was on stay in the file.
		"secure_delete(on)",
	}
	query.Set("_dqs", "0")      // what is in double quotes is a name, never a text
	query.Set("_error_rc", "1") // no stale "out of memory" beside an error
	u := url.URL{Scheme: "file", Path: path, OmitHost: true, RawQuery: query.Encode()}
	connector, err := sqlite.NewConnector(u.String())
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}

// prepare checks the file, which takes about a millisecond for each MiB, switches it to
// write-ahead logging and brings its schema up to date.
func prepare(ctx context.Context, db *sql.DB, patience time.Duration) error {
	var verdict string
	if err := db.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return errDamaged
	}
	if _, _, err := pending(ctx, db); err != nil {
		return err
	}
	if err := useWAL(ctx, db, patience); err != nil {
		return err
	}
	return migrate(ctx, db)
}

// useWAL switches the file to write-ahead logging, once and for all. While another
// process does the same SQLite may say that it is busy without waiting.
func useWAL(ctx context.Context, db *sql.DB, patience time.Duration) error {
	for deadline := time.Now().Add(patience); ; {
		_, err := db.ExecContext(ctx, `PRAGMA journal_mode = wal`)
		if err == nil || !busy(err) || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
}

var errDamaged = errors.New("damaged")

// explain says in one line why the data file cannot be used.
func explain(path string, err error) error {
	var newer *newerError
	switch code := sqliteCode(err); {
	case code == lib.SQLITE_NOTADB:
		return fmt.Errorf("data file %s is no database, or is damaged; move it away or restore a copy", path)
	case errors.Is(err, errDamaged), code == lib.SQLITE_CORRUPT:
		return fmt.Errorf("data file %s is damaged; move it away or restore a copy", path)
	case errors.As(err, &newer):
		return fmt.Errorf("data file %s %w; run that version, or use another folder", path, newer)
	case errors.Is(err, errForeign):
		return fmt.Errorf("data file %s %w; use another folder", path, errForeign)
	}
	return fmt.Errorf("data file %s cannot be opened: %w", path, err)
}
