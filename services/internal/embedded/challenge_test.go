package embedded_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/account/accounttest"
)

func TestTemporaryPasswordExpires(t *testing.T) {
	t.Parallel()
	clock := &accounttest.Clock{}
	accounttest.TemporaryPasswordExpires(t, directory(open(t, t.TempDir(), on(clock))), clock)
}

// A password that was given before they had an end gets one.
func TestOlderTemporaryPasswordsExpire(t *testing.T) {
	t.Parallel()
	steps, err := filepath.Glob("migrations/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	const before = 11
	dir := t.TempDir()
	db := raw(t, dir)
	for _, name := range steps[:before] {
		step, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.ExecContext(t.Context(), string(step)); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	if _, err := db.ExecContext(t.Context(), fmt.Sprintf(`
		INSERT INTO users (id, username, email, email_verified, confirmed, password, created_at, password_given)
		VALUES ('a', 'given', '', 0, 1, '', 0, 1), ('b', 'own', '', 0, 1, '', 0, 0);
		PRAGMA user_version = %d`, before)); err != nil {
		t.Fatal(err)
	}
	open(t, dir)
	want := time.Now().Add(account.TemporaryPasswordLifetime)
	got := column[*int64](t, dir, `SELECT password_expires_at FROM users ORDER BY username`)
	if len(got) != 2 || got[0] == nil || time.Unix(0, *got[0]).Sub(want).Abs() > time.Hour || got[1] != nil {
		t.Errorf("passwords end at %v, want the one that was given to end in a week", got)
	}
}
