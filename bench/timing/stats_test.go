package main

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// The interval has the true difference in 99 of 100 cases, and no more room than it needs.
func TestCompare(t *testing.T) {
	t.Parallel()
	draw := rand.New(rand.NewPCG(1, 2)) // the same each time
	const trials, truth = 2000, 0.01
	within, width := 0, 0.0
	for range trials {
		pairs := make([]pair, 400)
		for i := range pairs {
			shared := time.Duration(1e6 * (1 + draw.ExpFloat64())) // what the machine does meets both
			pairs[i] = pair{
				unknown: shared + time.Duration(2e5*draw.ExpFloat64()),
				known:   shared + time.Duration(2e5*draw.ExpFloat64()) + 20_000,
			}
		}
		d := compare(pairs)
		scale := float64(d.unknown) / 1e6
		if d.low*scale <= truth*2 && truth*2 <= d.high*scale {
			within++
		}
		width += (d.high - d.low) / trials
	}
	if got := float64(within) / trials; math.Abs(got-0.99) > 0.01 {
		t.Errorf("the interval has the truth in %.1f %% of cases, want 99 %%", 100*got)
	}
	if width > 0.05 {
		t.Errorf("the interval is %.1f %% wide", 100*width)
	}
}
