package account_test

import (
	"context"
	"testing"
	"time"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/account/accounttest"
)

// TestReplaysForADay gives an answer again until a day is over since the request came, however
// often it has come meanwhile, and not longer.
func TestReplaysForADay(t *testing.T) {
	t.Parallel()
	clock := &accounttest.Clock{}
	r := account.NewReplays(account.ReplaysConfig{Records: &accounttest.Records{}, Key: make([]byte, 32), Now: clock.Now})
	worked := 0
	call := func(after time.Duration, want int) {
		t.Helper()
		clock.Advance(after)
		_, err := r.Do(t.Context(), account.Call{Operation: "o", Caller: "c", Key: "k", Request: "r"}, func(context.Context) ([]byte, bool) {
			worked++
			clock.Advance(10 * time.Second) // which the answer takes
			return []byte("answer"), true
		})
		if err != nil || worked != want {
			t.Errorf("at %v: worked %d times, %v, want %d", clock.Now(), worked, err, want)
		}
	}
	call(0, 1)
	call(23*time.Hour, 1)
	call(59*time.Minute+49*time.Second, 1) // a second before
	call(time.Second, 2)
}
