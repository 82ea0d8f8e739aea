package embedded_test

import (
	"bytes"
	"database/sql"
	"encoding/base64"
	"encoding/binary"
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

// commits gives how many transactions the write-ahead log has, each of which has waited for
// the disk (https://www.sqlite.org/fileformat2.html#the_write_ahead_log). A log that begins
// anew counts from zero.
func commits(t *testing.T, dir string) (n int) {
	t.Helper()
	log, err := os.ReadFile(dataFile(dir) + "-wal")
	if err != nil || len(log) == 0 {
		return 0 // emptied by whoever was the last to close the file
	}
	const header, frame = 32, 24
	size, salt := int(binary.BigEndian.Uint32(log[8:])), log[16:24]
	for at := header; at+frame+size <= len(log); at += frame + size {
		if !bytes.Equal(log[at+8:at+16], salt) {
			break // left by an earlier log
		}
		if binary.BigEndian.Uint32(log[at+4:]) != 0 { // the last frame of a transaction
			n++
		}
	}
	return n
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
