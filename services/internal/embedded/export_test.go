package embedded

import (
	"testing"
	"time"
)

// HoldReadings has no unknown key looked for in the file from now on.
func HoldReadings(s *Store) {
	s.rereading.mu.Lock()
	defer s.rereading.mu.Unlock()
	s.rereading.last = time.Now().Add(time.Hour)
}

// Synchronous gives the writing connection's PRAGMA synchronous.
func Synchronous(t *testing.T, s *Store) (level int) {
	t.Helper()
	if err := s.write.QueryRowContext(t.Context(), `PRAGMA synchronous`).Scan(&level); err != nil {
		t.Fatal(err)
	}
	return level
}
