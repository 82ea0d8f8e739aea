package main

import (
	"math"
	"slices"
	"time"
)

// pair is one request of each kind, made one after the other, so that whatever else the
// machine does meets both.
type pair struct{ unknown, known time.Duration }

// difference is by how much the known ones of pairs took longer.
type difference struct {
	unknown, known time.Duration // medians
	// median of the pairs' differences, and the ends of its 99 % confidence interval, as
	// shares of the median time.
	median, low, high float64
}

// compare gives the median difference with its interval by the order statistics of the
// differences, which holds whatever their distribution: of n pairs the number of those
// below the true median is binomial, and within 2.576 of its standard deviations, the half
// of √n, in 99 of 100 cases.
func compare(pairs []pair) difference {
	n := len(pairs)
	unknowns, knowns, differences := make([]time.Duration, n), make([]time.Duration, n), make([]time.Duration, n)
	for i, p := range pairs {
		unknowns[i], knowns[i], differences[i] = p.unknown, p.known, p.known-p.unknown
	}
	slices.Sort(unknowns)
	slices.Sort(knowns)
	slices.Sort(differences)
	reach := int(math.Ceil(2.576 * math.Sqrt(float64(n)) / 2))
	share := func(d time.Duration) float64 { return float64(d) / float64(unknowns[n/2]) }
	return difference{
		unknown: unknowns[n/2], known: knowns[n/2], median: share(differences[n/2]),
		low: share(differences[max(0, n/2-reach)]), high: share(differences[min(n-1, n/2+reach)]),
	}
}
