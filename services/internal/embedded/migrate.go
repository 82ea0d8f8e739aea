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
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after Commit it has nothing to do
	todo, latest, err := pending(ctx, tx)
	if err != nil || len(todo) == 0 {
		return err
	}
	for _, name := range todo {
		step, err := migrations.ReadFile(name)
		if err != nil {
			return fmt.Errorf("reading a migration: %w", err)
		}
		if _, err := tx.ExecContext(ctx, string(step)); err != nil {
			return fmt.Errorf("applying %s: %w", name, err)
		}
	}
	// The pragma is part of the transaction, and takes no parameters.
	if _, err := tx.ExecContext(ctx, fmt.Sprintf(`PRAGMA user_version = %d`, latest)); err != nil {
		return err
	}
	return tx.Commit()
}

// pending gives the steps that a file has yet to take, and the version that they lead
// to. It fails where the file is not ours to change.
func pending(ctx context.Context, q queryer) (steps []string, latest int, err error) {
	if steps, err = fs.Glob(migrations, "migrations/*.sql"); err != nil {
		return nil, 0, fmt.Errorf("listing migrations: %w", err)
	}
	var has, tables int
	// In one statement: between two, another process may have brought the file up to date.
	err = q.QueryRowContext(ctx, `SELECT user_version, (SELECT count(*) FROM sqlite_schema) FROM pragma_user_version`).Scan(&has, &tables)
	if err != nil {
		return nil, 0, err
	}
	switch {
	case has > len(steps):
		return nil, 0, &newerError{has: has, knows: len(steps)}
	case has == 0 && tables > 0:
		return nil, 0, errForeign
	}
	return steps[has:], len(steps), nil
}
