package accounttest

import (
	"bytes"
	"context"
	"testing"
	"time"

	"spillway.example/services/internal/account"
)

// RunRecords holds an adapter of [account.Records] to its contract. open gives records
// that may be shared: every key the suite makes is new.
func RunRecords(t *testing.T, open func(t *testing.T) account.Records) {
	for name, test := range map[string]func(*testing.T, account.Records){
		"an answer is given again":          finishes,
		"one of many works":                 beginsOnce,
		"a lease that is over":              takesOver,
		"abandoned":                         abandons,
		"expired":                           expires,
		"an owner's records are all forgot": forgets,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

// newRecord makes a record whose attempt begins now.
func newRecord(now time.Time) account.Record {
	return account.Record{
		Key: Name("record"), Fingerprint: []byte("print"), Owner: Name("owner"), Attempt: Name("attempt"),
		LeaseUntil: now.Add(time.Minute), ExpiresAt: now.Add(24 * time.Hour),
	}
}

// again is another attempt at the same request.
func again(r account.Record, now time.Time) account.Record {
	r.Attempt, r.LeaseUntil, r.ExpiresAt = Name("attempt"), now.Add(time.Minute), now.Add(24*time.Hour)
	return r
}

// begin begins, and fails the test unless that went as it should.
func begin(t *testing.T, s account.Records, r account.Record, now time.Time, want bool) account.Record {
	t.Helper()
	standing, begun, err := s.Begin(context.Background(), r, now)
	if err != nil || begun != want {
		t.Fatalf("Begin: got %v, %v; want %v", begun, err, want)
	}
	return standing
}

func finishes(t *testing.T, s account.Records) {
	now := counting
	r := newRecord(now)
	begin(t, s, r, now, true)
	begin(t, s, r, now, true) // the same attempt, whose answer was lost
	if got := begin(t, s, again(r, now), now, false); len(got.Answer) != 0 || !near(got.LeaseUntil, r.LeaseUntil) || !bytes.Equal(got.Fingerprint, r.Fingerprint) {
		t.Errorf("while it is worked on: got %+v", got)
	}
	r.Answer = []byte("answer\x00")
	wantCode(t, "Finish", s.Finish(context.Background(), r), "")
	wantCode(t, "Finish again, its answer lost", s.Finish(context.Background(), r), "")
	later := now.Add(2 * time.Hour) // long after the lease
	if got := begin(t, s, again(r, later), later, false); !bytes.Equal(got.Answer, r.Answer) || !bytes.Equal(got.Fingerprint, r.Fingerprint) {
		t.Errorf("afterwards: got %+v", got)
	}
	wantCode(t, "Abandon what has an answer", s.Abandon(context.Background(), r), "")
	begin(t, s, again(r, later), later, false)
}

func beginsOnce(t *testing.T, s account.Records) {
	now := counting
	first := newRecord(now)
	if n := race(t, 20, func(ctx context.Context) (bool, error) {
		_, begun, err := s.Begin(ctx, again(first, now), now)
		return begun, err
	}); n != 1 {
		t.Errorf("%d of 20 at once began, want 1", n)
	}
}

func takesOver(t *testing.T, s account.Records) {
	now := counting
	crashed := newRecord(now)
	begin(t, s, crashed, now, true)
	later := now.Add(time.Minute)
	begin(t, s, again(crashed, now), later.Add(-time.Millisecond), false)
	other := again(crashed, later)
	other.Fingerprint = []byte("other")
	begin(t, s, other, later, false)
	next := again(crashed, later)
	begin(t, s, next, later, true)
	crashed.Answer = []byte("late")
	wantCode(t, "Finish by the one that lost its lease", s.Finish(context.Background(), crashed), account.CodeConflict)
	wantCode(t, "Abandon by it", s.Abandon(context.Background(), crashed), "")
	begin(t, s, again(next, later), later, false)
}

func abandons(t *testing.T, s account.Records) {
	now := counting
	r := newRecord(now)
	wantCode(t, "Abandon what is not there", s.Abandon(context.Background(), r), "")
	begin(t, s, r, now, true)
	wantCode(t, "Abandon", s.Abandon(context.Background(), r), "")
	other := again(r, now)
	other.Fingerprint = []byte("other")
	begin(t, s, other, now, true)
}

func expires(t *testing.T, s account.Records) {
	now := counting
	r := newRecord(now)
	begin(t, s, r, now, true)
	r.Answer, r.ExpiresAt = []byte("answer"), now.Add(time.Hour)
	wantCode(t, "Finish", s.Finish(context.Background(), r), "")
	begin(t, s, again(r, now), now.Add(time.Hour-time.Second), false)
	other := again(r, now.Add(time.Hour))
	other.Fingerprint = []byte("other")
	begin(t, s, other, now.Add(time.Hour), true)
}

func forgets(t *testing.T, s account.Records) {
	now := counting
	mine, finished, theirs := newRecord(now), newRecord(now), newRecord(now)
	finished.Owner = mine.Owner
	for _, r := range []account.Record{mine, finished, theirs} {
		begin(t, s, r, now, true)
	}
	finished.Answer = []byte("answer")
	wantCode(t, "Finish", s.Finish(context.Background(), finished), "")
	for range 2 {
		wantCode(t, "Forget", s.Forget(context.Background(), mine.Owner, now.Add(23*time.Hour)), "")
	}
	begin(t, s, again(mine, now), now, true)
	begin(t, s, again(finished, now), now, true)
	begin(t, s, again(theirs, now), now, false)
	wantCode(t, "Forget an owner of nothing", s.Forget(context.Background(), Name("owner"), now), "")
}
