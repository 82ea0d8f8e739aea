package embedded_test

import (
	"database/sql"
	"encoding/base64"
	"os"
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

// everything gives the bytes of the file and of what SQLite keeps beside it.
func everything(t *testing.T, dir string) []byte {
	t.Helper()
	var all []byte
	for _, suffix := range []string{"", "-wal"} {
		content, err := os.ReadFile(dataFile(dir) + suffix)
		if err != nil {
			t.Fatalf("reading the file: %v", err)
		}
		all = append(all, content...)
	}
	return all
}

// decoded gives the bytes of a refresh token.
func decoded(t *testing.T, token string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		t.Fatalf("decoding a token: %v", err)
	}
	return b
}
