package accounttest

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"spillway.example/services/internal/account"
)

// RunCounters holds an adapter of [account.Counters] to its contract. open gives
// counters that may be shared: every key the suite makes is new.
func RunCounters(t *testing.T, open func(t *testing.T) account.Counters) {
	for name, test := range map[string]func(*testing.T, account.Counters){
		"never more than the limit":    countsLikeTheModel,
		"attempts at once":             countsAtOnce,
		"trust":                        trusts,
		"refund":                       refunds,
		"a limit that was made larger": outgrows,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

// counting is when the attempts of a run begin: a store may clear away what is past its
// time by its own clock.
var counting = time.Now().Truncate(time.Microsecond)

// anyLimit draws a limit of one to three tiers.
func anyLimit(t *rapid.T) account.Limit {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) account.Tier {
		return account.Tier{
			Count: rapid.IntRange(1, 9).Draw(t, "count"),
			Per:   time.Duration(rapid.IntRange(1, 600).Draw(t, "seconds")) * time.Second,
		}
	}), 1, account.MaxTiers).Draw(t, "limit")
}

// countsLikeTheModel takes and waits at random. The model knows nothing of how it is
// counted: it is the list of the attempts that were admitted, in which no window may have
// more than its tier's count, and in which whoever waits for as long as they are told is
// admitted, and whoever comes a moment earlier is not.
func countsLikeTheModel(t *testing.T, c account.Counters) {
	ctx := context.Background()
	rapid.Check(t, func(t *rapid.T) {
		key, limit, now := Name("counter"), anyLimit(t), counting
		var admitted []time.Time
		take := func() account.Taken {
			taken, err := c.Take(ctx, key, limit, time.Hour, now)
			if err != nil {
				t.Fatalf("Take: %v", err)
			}
			if taken.Admitted {
				admitted = append(admitted, now)
			}
			return taken
		}
		if taken := take(); !taken.Admitted || taken.Earlier {
			t.Fatalf("the first attempt: got %+v", taken)
		}
		for range rapid.IntRange(1, 6).Draw(t, "attempts") {
			now = now.Add(time.Duration(rapid.IntRange(0, 120_000).Draw(t, "wait")) * time.Millisecond)
			taken := take()
			if taken.Admitted {
				continue
			}
			if taken.After <= 0 || taken.Tier.Count == 0 {
				t.Fatalf("refused without saying until when or by what: %+v", taken)
			}
			if now = now.Add(taken.After - time.Microsecond); take().Admitted {
				t.Fatalf("admitted before %v were over", taken.After)
			}
			if now = now.Add(time.Microsecond); !take().Admitted {
				t.Fatalf("not admitted after %v", taken.After)
			}
		}
		for _, tier := range limit {
			for first, from := range admitted {
				n := 0
				for _, at := range admitted[first:] {
					if at.Before(from.Add(tier.Per)) {
						n++
					}
				}
				if n > tier.Count {
					t.Fatalf("%d attempts within %v, want at most %d", n, tier.Per, tier.Count)
				}
			}
		}
	})
}

// countsAtOnce has many attempts meet on one key.
func countsAtOnce(t *testing.T, c account.Counters) {
	key, limit := Name("counter"), account.Limit{{Count: 9, Per: time.Minute}, {Count: 40, Per: time.Hour}}
	for round, want := range []int64{5, 1} { // all that are admitted at once, then one for the wait
		now := counting.Add(time.Duration(round) * 12 * time.Second)
		var admitted atomic.Int64
		var wg sync.WaitGroup
		for range 40 {
			wg.Go(func() {
				taken, err := c.Take(context.Background(), key, limit, time.Hour, now)
				if err != nil && account.CodeOf(err) != account.CodeTooManyRequests {
					t.Errorf("Take: %v", err)
				}
				if err == nil && taken.Admitted {
					admitted.Add(1)
				}
			})
		}
		wg.Wait()
		if got := admitted.Load(); got != want {
			t.Errorf("round %d: %d of 40 at once were admitted, want %d", round, got, want)
		}
	}
}

var single = account.Limit{{Count: 1, Per: time.Minute}, {Count: 2, Per: time.Hour}}

// admitted takes once, and says whether that was admitted.
func admitted(t *testing.T, c account.Counters, key string, now time.Time) account.Taken {
	t.Helper()
	taken, err := c.Take(context.Background(), key, single, time.Hour, now)
	return must(t, "Take", taken, err)
}

func trusts(t *testing.T, c account.Counters) {
	key, other, until := Name("counter"), Name("counter"), counting.Add(24*time.Hour)
	for _, k := range []string{key, other} {
		if taken := admitted(t, c, k, counting); !taken.Admitted || !taken.TrustedUntil.IsZero() {
			t.Fatalf("the first attempt: got %+v", taken)
		}
	}
	if taken := admitted(t, c, key, counting); taken.Admitted {
		t.Fatal("admitted twice within a minute")
	}
	wantCode(t, "Trust", c.Trust(context.Background(), key, until), "")
	if taken := admitted(t, c, key, counting); !taken.Admitted || taken.Earlier || !taken.TrustedUntil.Equal(until) {
		t.Errorf("after Trust: got %+v, want one admitted, the first, and trusted", taken)
	}
	if taken := admitted(t, c, key, counting.Add(40*time.Minute)); !taken.Admitted || !taken.TrustedUntil.Equal(until) {
		t.Errorf("the next: got %+v, want one admitted and trusted", taken)
	}
	if taken := admitted(t, c, other, counting.Add(time.Second)); taken.Admitted || !taken.TrustedUntil.IsZero() {
		t.Errorf("another key: got %+v, want one refused and not trusted", taken)
	}
	fresh := Name("counter")
	wantCode(t, "Trust of a key that counts nothing", c.Trust(context.Background(), fresh, until), "")
	if taken := admitted(t, c, fresh, counting); !taken.Admitted || !taken.TrustedUntil.Equal(until) {
		t.Errorf("a key trusted from the start: got %+v", taken)
	}
}

// refunds gives attempts back: the hour has its two all the same, and the minute's one
// stays used.
func refunds(t *testing.T, c account.Counters) {
	key := Name("counter")
	wantCode(t, "Refund of a key that counts nothing", c.Refund(context.Background(), key, single), "")
	now := counting
	for i := range 5 {
		if taken := admitted(t, c, key, now); !taken.Admitted {
			t.Fatalf("attempt %d, after as many refunds: got %+v", i, taken)
		}
		wantCode(t, "Refund", c.Refund(context.Background(), key, single), "")
		if taken := admitted(t, c, key, now); taken.Admitted {
			t.Fatalf("attempt %d: the minute was given back too", i)
		}
		now = now.Add(time.Minute)
	}
	if taken := admitted(t, c, key, now); !taken.Admitted {
		t.Fatalf("an attempt that is not given back: got %+v", taken)
	}
	if taken := admitted(t, c, key, now.Add(time.Minute)); taken.Admitted {
		t.Error("the hour is not counted any more")
	}
}

// outgrows has an operator add a window to a limit that counts already.
func outgrows(t *testing.T, c account.Counters) {
	key, ctx := Name("counter"), context.Background()
	small, large := account.Limit{{Count: 3, Per: time.Minute}}, account.Limit{{Count: 3, Per: time.Minute}, {Count: 3, Per: time.Hour}}
	for i, limit := range []account.Limit{small, large, small} {
		taken, err := c.Take(ctx, key, limit, time.Hour, counting.Add(time.Duration(i)*30*time.Second))
		if err != nil || !taken.Admitted {
			t.Fatalf("attempt %d: got %+v, %v", i, taken, err)
		}
	}
}
