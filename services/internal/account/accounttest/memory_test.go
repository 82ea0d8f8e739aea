package accounttest_test

import (
	"testing"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/account/accounttest"
)

func openMemory(*testing.T) accounttest.Harness {
	m := accounttest.NewMemory(nil)
	return accounttest.Harness{
		Directory: m, Claims: m, Profiles: m,
		Code:       func(_ *testing.T, username, _ string) string { return m.Code(username) },
		ProfilesOf: func(_ *testing.T, username string) []account.Profile { return m.ProfilesOf(username) },
	}
}

func TestMemory(t *testing.T) {
	t.Parallel()
	t.Run("directory", func(t *testing.T) { accounttest.RunDirectory(t, openMemory) })
	t.Run("store", func(t *testing.T) { accounttest.RunStore(t, openMemory) })
	t.Run("denials", func(t *testing.T) {
		accounttest.RunDenials(t, func(*testing.T) account.Denials { return accounttest.NewMemory(nil) })
	})
	t.Run("counters", func(t *testing.T) {
		accounttest.RunCounters(t, func(*testing.T) account.Counters { return &accounttest.Counters{} })
	})
	t.Run("records", func(t *testing.T) {
		accounttest.RunRecords(t, func(*testing.T) account.Records { return &accounttest.Records{} })
	})
	t.Run("life", func(t *testing.T) { accounttest.RunLife(t, openMemory) })
	t.Run("temporary password", func(t *testing.T) {
		clock := &accounttest.Clock{}
		accounttest.TemporaryPasswordExpires(t, accounttest.NewMemory(clock.Now), clock)
	})
	t.Run("saga", func(t *testing.T) { accounttest.RunSaga(t, openMemory) })
}
