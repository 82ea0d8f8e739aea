package main

import (
	"math/rand/v2"
	"testing"
	"time"
)

// The interval has the true difference in 99 of 100 cases, and no more room than it needs,
// on a machine where one request in five meets something else.
func TestCompare(t *testing.T) {
	t.Parallel()
	draw := rand.New(rand.NewPCG(1, 2)) // the same each time
	const trials, truth = 300, 0.02
	within, width := 0, 0.0
	for range trials {
		pairs := make([]pair, 300)
		for i := range pairs {
			one := func(more float64) time.Duration {
				took := 1e6 * (1 + more + 0.02*draw.NormFloat64())
				if draw.IntN(5) == 0 {
					took += 5e6 * draw.Float64()
				}
				return time.Duration(took)
			}
			pairs[i] = pair{unknown: one(0), known: one(truth)}
		}
		d := compare(pairs)
		if d.low <= truth && truth <= d.high {
			within++
		}
		width += (d.high - d.low) / trials
	}
	if within < trials*97/100 {
		t.Errorf("the interval has the truth in %d of %d cases, want 99 of 100", within, trials)
	}
	if width > 0.02 {
		t.Errorf("the interval is %.1f %% wide", 100*width)
	}
}
