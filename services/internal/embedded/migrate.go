package embedded

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
)

// migrations are the steps from one schema version to the next, in the order of their
// names. A step that was once released never changes.
//
//go:embed migrations/*.sql
var migrations embed.FS

// errForeign says that the file is somebody else's database.
var errForeign = errors.New("belongs to another program")

// newerError says that a file has a schema that this version does not know.
type newerError struct{ has, knows int }

func (e *newerError) Error() string {
	return fmt.Sprintf("comes from a newer version (schema %d, this one knows %d)", e.has, e.knows)
}

// migrate brings the schema up to date in one transaction: another process that opens
// the file at the same time waits, and then finds nothing to do.
func migrate(ctx context.Context, db *sql.DB) error {
	steps, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return fmt.Errorf("listing migrations: %w", err)
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after Commit it has nothing to do
	var version, tables int
	if err := tx.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&version); err != nil {
		return err
	}
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema`).Scan(&tables); err != nil {
		return err
	}
	switch {
	case version == len(steps):
		return nil
	case version > len(steps):
		return &newerError{has: version, knows: len(steps)}
	case version == 0 && tables > 0:
		return errForeign
	}
	for _, name := range steps[version:] {
		step, err := migrations.ReadFile(name)
		if err != nil {
			return fmt.Errorf("reading a migration: %w", err)
		}
		if _, err := tx.ExecContext(ctx, string(step)); err != nil {
			return fmt.Errorf("applying %s: %w", name, err)
		}
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf(`PRAGMA user_version = %d`, len(steps))); err != nil {
		return err
	}
	return tx.Commit()
}
