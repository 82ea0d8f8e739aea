// Command verify measures what tokens cost: package verify and GET /me beside a bare check
// with jwx, and signing in beside argon2id alone. Each ratio is of one round, in which both
// sides run in turn on the same cores; what counts is the median of them.
//
//	go run ./bench/verify
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"
)

// Each side runs for so long in a round: a call of slow ones takes a fifth of a second.
const (
	rounds = 15
	round  = 300 * time.Millisecond
	slow   = 2 * time.Second
)

func main() {
	only := flag.String("only", "", "measure the lines whose `name` is this alone")
	flag.Parse()
	if err := run(context.Background(), os.Stdout, *only); err != nil {
		fmt.Fprintln(os.Stderr, "verify bench:", err)
		os.Exit(1)
	}
}

// pair is something of ours beside what it cannot do without. Each is called on all cores
// at once.
type pair struct {
	name, beside string
	want         float64 // the least ratio of ours to it
	round        time.Duration
	waits        bool // whether ours waits for the disk: more callers than cores keep those busy
	ours, bare   func() error
}

func run(ctx context.Context, out io.Writer, only string) error {
	pairs, end, err := pairs(ctx)
	if err != nil {
		return err
	}
	defer end()
	fmt.Fprintf(out, "%d rounds of %v (POST /login: %v) for each side, on %d cores; per second, medians\n\n", rounds, round, slow, runtime.GOMAXPROCS(0))
	tw := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "OURS\t\tBESIDE\t\tRATIO\tQUARTILES\tWANT")
	short := false
	for _, p := range pairs {
		if only != "" && p.name != only {
			continue
		}
		ours, bare, ratios, err := measure(p)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		short = short || median(ratios) < p.want
		fmt.Fprintf(tw, "%s\t%.3g\t%s\t%.3g\t%.2f\t%.2f to %.2f\t%.1f\n", p.name, median(ours), p.beside, median(bare),
			median(ratios), quantile(ratios, 0.25), quantile(ratios, 0.75), p.want)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	if short {
		return fmt.Errorf("a ratio falls short")
	}
	return nil
}

// measure gives the rates of both sides, and their ratio, of each round.
func measure(p pair) (ours, bare, ratios []float64, err error) {
	for i := range rounds + 1 {
		sides, callers := []func() error{p.ours, p.bare}, []int{runtime.GOMAXPROCS(0), runtime.GOMAXPROCS(0)}
		if p.waits {
			callers[0] *= 4
		}
		var rates [2]float64
		for n := range sides {
			side := (n + i) % 2 // each goes first as often as second
			if rates[side], err = rate(sides[side], callers[side], p.round); err != nil {
				return nil, nil, nil, err
			}
		}
		if i == 0 { // to warm up
			continue
		}
		ours, bare, ratios = append(ours, rates[0]), append(bare, rates[1]), append(ratios, rates[0]/rates[1])
	}
	return ours, bare, ratios, nil
}

// rate has so many callers call f for so long, and gives how many calls ended in a second.
func rate(f func() error, callers int, round time.Duration) (float64, error) {
	runtime.GC() // what the other side has left is not this one's to clear
	var calls atomic.Int64
	var failed atomic.Pointer[error]
	var wg sync.WaitGroup
	began := time.Now()
	for range callers {
		wg.Go(func() {
			for time.Since(began) < round && failed.Load() == nil {
				if err := f(); err != nil {
					failed.Store(&err)
					return
				}
				calls.Add(1)
			}
		})
	}
	wg.Wait()
	if err := failed.Load(); err != nil {
		return 0, *err
	}
	return float64(calls.Load()) / time.Since(began).Seconds(), nil
}

func median(v []float64) float64 { return quantile(v, 0.5) }

func quantile(v []float64, q float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[int(q*float64(len(v)-1)+0.5)]
}
