package main

import (
	"fmt"
	"math"
	"slices"
)

// sample is one figure, measured in many rounds.
type sample []float64

// over gives the ratio of each round to the same round of another.
func (s sample) over(t sample) sample {
	r := make(sample, len(s))
	for i := range s {
		r[i] = s[i] / t[i]
	}
	return r
}

func (s sample) median() float64 { return s.quantile(0.5) }

func (s sample) quantile(q float64) float64 {
	sorted := slices.Sorted(slices.Values(s))
	at := q * float64(len(sorted)-1)
	low := int(at)
	if low+1 == len(sorted) {
		return sorted[low]
	}
	return sorted[low] + (at-float64(low))*(sorted[low+1]-sorted[low])
}

// interval gives the 95 % confidence interval of the median, from the order of the rounds'
// figures alone (binomial, by its normal approximation): it supposes nothing of how they
// are distributed.
func (s sample) interval() (low, high float64) {
	sorted := slices.Sorted(slices.Values(s))
	n := float64(len(sorted))
	half := 1.96 * math.Sqrt(n) / 2
	at := func(i float64) float64 { return sorted[int(min(max(i, 0), n-1))] }
	return at(math.Floor(n/2 - half)), at(math.Ceil(n/2 + half))
}

// ratio shows a sample of ratios: its median, and how sure that is.
func (s sample) ratio() string {
	low, high := s.interval()
	return fmt.Sprintf("%.3f (%.3f to %.3f)", s.median(), low, high)
}

// shown shows a sample: its median, and the middle half of it.
func (s sample) shown(format string) string {
	return fmt.Sprintf(format+" ("+format+" to "+format+")", s.median(), s.quantile(0.25), s.quantile(0.75))
}
