package embedded_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	_ "modernc.org/sqlite" // the driver
)

// dataFile is the file that the store makes in a folder.
func dataFile(dir string) string { return filepath.Join(dir, "spillway.db") }

// raw opens the file behind the store's back.
func raw(t *testing.T, dir string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", dataFile(dir)+"?_busy_timeout=5000")
	if err != nil {
		t.Fatalf("opening the file: %v", err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// column gives the only column of a query.
func column[T any](t *testing.T, dir, query string, args ...any) []T {
	t.Helper()
	rows, err := raw(t, dir).QueryContext(t.Context(), query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	var found []T
	for rows.Next() {
		var v T
		if err := rows.Scan(&v); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		found = append(found, v)
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return found
}
