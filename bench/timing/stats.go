package main

import (
	"math/rand/v2"
	"slices"
	"time"
)

// resamples is how often pairs are drawn anew for an interval.
const resamples = 2000

// pair is one request of each kind, made at about the same time, so that whatever else the
// machine does meets both.
type pair struct{ unknown, known time.Duration }

// difference is by how much the known ones of pairs took longer.
type difference struct {
	unknown, known time.Duration // medians
	// median is the difference of the medians, low and high the ends of its 99 %
	// confidence interval, as shares of the unknown ones' median.
	median, low, high float64
}

// compare gives the difference of the medians with its interval by the bootstrap: pairs
// are drawn anew, as many as there are, and the interval is where 99 of 100 such samples
// have the difference. Few slow requests, which a busy machine has, move a median little.
func compare(pairs []pair) difference {
	unknowns, knowns := ranked(pairs, func(p pair) time.Duration { return p.unknown }), ranked(pairs, func(p pair) time.Duration { return p.known })
	d := difference{unknown: unknowns.sorted[len(pairs)/2], known: knowns.sorted[len(pairs)/2]}
	share := func(a, b time.Duration) float64 { return float64(b-a) / float64(d.unknown) }
	d.median = share(d.unknown, d.known)
	draws := make([]float64, resamples)
	for i := range draws {
		clear(unknowns.drawn)
		clear(knowns.drawn)
		for range pairs {
			n := rand.IntN(len(pairs)) //nolint:gosec // statistics
			unknowns.drawn[unknowns.rank[n]]++
			knowns.drawn[knowns.rank[n]]++
		}
		draws[i] = share(unknowns.median(), knowns.median())
	}
	slices.Sort(draws)
	d.low, d.high = draws[resamples*5/1000], draws[resamples*995/1000]
	return d
}

// sample is one kind's times in order, and how often each was drawn.
type sample struct {
	sorted []time.Duration
	rank   []int // of each pair's time
	drawn  []int // by rank
}

func ranked(pairs []pair, of func(pair) time.Duration) sample {
	order := make([]int, len(pairs))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return int(of(pairs[a]) - of(pairs[b])) })
	s := sample{make([]time.Duration, len(pairs)), make([]int, len(pairs)), make([]int, len(pairs))}
	for rank, i := range order {
		s.sorted[rank], s.rank[i] = of(pairs[i]), rank
	}
	return s
}

// median gives the median of what was drawn.
func (s sample) median() time.Duration {
	seen := 0
	for rank, times := range s.drawn {
		if seen += times; seen > len(s.drawn)/2 {
			return s.sorted[rank]
		}
	}
	return s.sorted[len(s.sorted)-1]
}
