package embedded

import "testing"

// Synchronous gives the writing connection's PRAGMA synchronous.
func Synchronous(t *testing.T, s *Store) (level int) {
	t.Helper()
	if err := s.write.QueryRowContext(t.Context(), `PRAGMA synchronous`).Scan(&level); err != nil {
		t.Fatal(err)
	}
	return level
}
