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

// rewritten are records that somebody writes in, so that what stands there passes for an
// answer to whatever comes with its key.
type rewritten struct{ accounttest.Records }

// Begin implements [account.Records].
func (r *rewritten) Begin(ctx context.Context, n account.Record, now time.Time) (account.Record, bool, error) {
	standing, begun, err := r.Records.Begin(ctx, n, now)
	standing.Fingerprint = n.Fingerprint
	return standing, begun, err
}

// TestRecordsOpenForTheirRequestAlone: whoever has the records, and the service work for them,
// opens no answer by any request but the one that it is for.
func TestRecordsOpenForTheirRequestAlone(t *testing.T) {
	t.Parallel()
	r := account.NewReplays(account.ReplaysConfig{Records: &rewritten{}, Key: make([]byte, 32)})
	do := func(request string) ([]byte, error) {
		return r.Do(t.Context(), account.Call{Operation: "o", Caller: "c", Key: "k", Request: request}, func(context.Context) ([]byte, bool) {
			return []byte("answer to " + request), true
		})
	}
	for range 2 {
		if answer, err := do("a request"); err != nil || string(answer) != "answer to a request" {
			t.Errorf("the request itself: got %q, %v", answer, err)
		}
	}
	if answer, err := do("another request"); account.CodeOf(err) != account.CodeInternal || answer != nil {
		t.Errorf("another request: got %q, %v, want an error", answer, err)
	}
}
