package telemetry

import "sync/atomic"

// load is how many requests are at work, and the most there were at once.
type load struct{ now, most atomic.Int64 }

func (l *load) begin() {
	n := l.now.Add(1)
	for {
		most := l.most.Load()
		if n <= most || l.most.CompareAndSwap(most, n) {
			return
		}
	}
}

func (l *load) end() { l.now.Add(-1) }

// peak gives the most requests at once since it was last asked.
func (l *load) peak() int64 { return l.most.Swap(l.now.Load()) }
