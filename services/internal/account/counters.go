package account

import (
	"context"
	"time"
)

// Tier admits at most Count attempts in any window of the length Per: half of them, or
// one more, at once, and the rest evenly after that.
type Tier struct {
	Count int           // at least 1
	Per   time.Duration // whole microseconds
}

// burst is how many attempts are admitted at once.
func (t Tier) burst() time.Duration { return time.Duration(t.Count+1) / 2 }

// Interval is the time from one attempt to the next once the first are used up. With it
// no window of the length Per, wherever it begins, ever has more than Count attempts.
func (t Tier) Interval() time.Duration {
	rest := (time.Duration(t.Count) - t.burst() + 1) * time.Microsecond
	return (t.Per + rest - 1) / rest * time.Microsecond // rounded up
}

// Tolerance is how far the time of a [Counter] may lie ahead of an attempt's.
func (t Tier) Tolerance() time.Duration { return (t.burst() - 1) * t.Interval() }

// Limit is what a budget admits: all of its tiers must. With several of growing
// length the delays grow with the attempts. There are at most [MaxTiers].
type Limit []Tier

// MaxTiers is how many tiers a limit may have.
const MaxTiers = 3

// Longest is the longest window of the tiers: a counter that has not been touched for
// so long counts nothing.
func (l Limit) Longest() (d time.Duration) {
	for _, t := range l {
		d = max(d, t.Per)
	}
	return d
}

// Counter is what is stored of a budget: for each tier the time by which the attempts so
// far would have been made, had they come evenly (the theoretical arrival time of the
// generic cell rate algorithm, ITU-T I.371). It is one number for each tier, moved by
// additions alone, so that a store can change it in one conditional step.
type Counter struct {
	Times        [MaxTiers]time.Time // of whole microseconds; zero where there were none
	TrustedUntil time.Time
}

// Taken is how an attempt ended.
type Taken struct {
	Admitted bool
	Tier     Tier          // of one not admitted: the tier that has nothing left for longest
	After    time.Duration // of one not admitted: when the next would be
	Earlier  bool          // whether others before it still count
	// TrustedUntil is until when the one who makes these attempts is known for a
	// success; zero where that is not so.
	TrustedUntil time.Time
}

// Take counts an attempt, or says why it cannot be made. It is what a store has to do
// in one atomic step.
func (c Counter) Take(l Limit, now time.Time) (Counter, Taken) {
	now = now.Truncate(time.Microsecond)
	taken := Taken{Admitted: true, TrustedUntil: c.TrustedUntil}
	next := c
	for i, tier := range l {
		at := c.Times[i]
		if at.After(now) {
			taken.Earlier = true
		} else {
			at = now
		}
		if wait := at.Sub(now) - tier.Tolerance(); wait > taken.After {
			taken.Admitted, taken.Tier, taken.After = false, tier, wait
		}
		next.Times[i] = at.Add(tier.Interval())
	}
	if !taken.Admitted {
		return c, taken
	}
	return next, taken
}

// Refund gives the attempt back to every tier but the first: what failed through no
// fault of the one who asked must not use up the day, and must not be tried without
// end either.
func (c Counter) Refund(l Limit) Counter {
	for i, tier := range l {
		if i > 0 && !c.Times[i].IsZero() {
			c.Times[i] = c.Times[i].Add(-tier.Interval())
		}
	}
	return c
}

// Counters holds budgets, shared by all copies of a service. A key holds no personal
// data. Every method fails with an [*Error]; any may fail with CodeTooManyRequests,
// CodeUnavailable or CodeInternal.
type Counters interface {
	// Take counts one attempt if the key's limit admits it, in one atomic step: any
	// number of attempts at once are never more than the limit. The counter is kept
	// for at least keep, or as long as Trust had it kept. A Take whose outcome was lost may count twice.
	Take(ctx context.Context, key string, l Limit, keep time.Duration, now time.Time) (Taken, error)
	// Trust forgets the attempts under a key and marks it as trusted until then; it is
	// kept for at least as long.
	Trust(ctx context.Context, key string, until time.Time) error
	// Refund gives one attempt back, see [Counter.Refund].
	Refund(ctx context.Context, key string, l Limit) error
}
