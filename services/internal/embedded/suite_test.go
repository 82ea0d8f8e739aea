package embedded_test

import (
	"context"
	"sync/atomic"
	"testing"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/account/accounttest"
	"spillway.example/services/internal/embedded"
)

// harness is register's and login's view of one data folder: two stores on one file.
func harness(t *testing.T) accounttest.Harness {
	t.Helper()
	dir, box := t.TempDir(), &postbox{}
	var hashes atomic.Int64
	counting := func(c *embedded.Config) { c.OnHash = func() { hashes.Add(1) } }
	one, two := open(t, dir, counting), open(t, dir, counting)
	return accounttest.Harness{
		Directory: one.Directory(box), Claims: two, Profiles: two,
		Code: func(t *testing.T, _, email string) string {
			t.Helper()
			return box.codeTo(t, email)
		},
		Work: func(t *testing.T) accounttest.Work {
			t.Helper()
			return accounttest.Work{Hashes: int(hashes.Load()), Commits: commits(t, dir)}
		},
		ProfilesOf: func(t *testing.T, username string) []account.Profile {
			t.Helper()
			ids := column[account.UserID](t, dir, `SELECT user_id FROM profiles WHERE username = ?`, username)
			found := make([]account.Profile, len(ids))
			for i, id := range ids {
				p, err := one.Get(context.Background(), id)
				if err != nil {
					t.Fatalf("Get: %v", err)
				}
				found[i] = p
			}
			return found
		},
	}
}

func TestBehaviour(t *testing.T) {
	t.Parallel()
	t.Run("directory", func(t *testing.T) { t.Parallel(); accounttest.RunDirectory(t, harness) })
	t.Run("store", func(t *testing.T) { t.Parallel(); accounttest.RunStore(t, harness) })
	t.Run("denials", func(t *testing.T) {
		t.Parallel()
		accounttest.RunDenials(t, func(t *testing.T) account.Denials { t.Helper(); return open(t, t.TempDir()) })
	})
	t.Run("counters", func(t *testing.T) {
		t.Parallel()
		accounttest.RunCounters(t, func(t *testing.T) account.Counters { t.Helper(); return open(t, t.TempDir()) })
	})
	t.Run("records", func(t *testing.T) {
		t.Parallel()
		accounttest.RunRecords(t, func(t *testing.T) account.Records { t.Helper(); return open(t, t.TempDir()) })
	})
	t.Run("life", func(t *testing.T) { t.Parallel(); accounttest.RunLife(t, harness) })
	t.Run("saga", func(t *testing.T) { t.Parallel(); accounttest.RunSaga(t, harness) })
}
