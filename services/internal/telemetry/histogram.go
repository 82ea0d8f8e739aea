package telemetry

import "math"

// The buckets of a histogram of milliseconds: each is a seventh wider than the one
// before, from 0.1 ms to more than a minute, and there are no more of them than one
// metric of a line may have values.
const (
	bucketBase  = 0.1
	bucketRatio = 8.0 / 7
	buckets     = 100
)

// histogram keeps latencies as bucket means, so that the average and the number are
// exact and a percentile is off by a seventh at the most.
type histogram struct {
	counts      [buckets]int64
	sums        [buckets]float64
	least, most float64
	sum         float64
	count       int64
}

func (h *histogram) add(ms float64) {
	i := 0
	if ms > bucketBase {
		i = min(int(math.Log(ms/bucketBase)/math.Log(bucketRatio)), buckets-1)
	}
	h.counts[i]++
	h.sums[i] += ms
	if h.count == 0 || ms < h.least {
		h.least = ms
	}
	h.most = max(h.most, ms)
	h.sum += ms
	h.count++
}

// distribution is many values of a metric in one line, as AWS's own collectors write
// them. The published specification has plain lists only, which could not say how often.
type distribution struct {
	Values   []float64
	Counts   []int64
	Max, Min float64
	Count    int64
	Sum      float64
}

// value gives what a line says of the latencies: the number itself where there is one.
func (h *histogram) value() any {
	if h.count == 1 {
		return h.sum
	}
	d := distribution{Max: h.most, Min: h.least, Count: h.count, Sum: round(h.sum)}
	for i, n := range h.counts {
		if n > 0 {
			d.Values = append(d.Values, round(h.sums[i]/float64(n)))
			d.Counts = append(d.Counts, n)
		}
	}
	return d
}

// round keeps nanoseconds: of microseconds a sum of thousands of means would be off.
func round(ms float64) float64 { return math.Round(ms*1e6) / 1e6 }
