// Command timing measures whether the time of an answer tells who has an account: it
// runs both services on the embedded store, makes accounts, and then makes requests under
// addresses that have one and that have none, one by one in random order. It ends in the
// difference of the medians with its 99 % confidence interval, as a share of the median,
// and exits with 1 where an interval reaches beyond 2 %.
//
//	go run ./bench/timing
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"time"
)

// bound is how far an interval may reach, as a share of the median.
const bound = 0.02

// tellEvery is how often whoever waits is told how far it is.
const tellEvery = 30 * time.Second

func main() {
	err := run(context.Background(), os.Args[1:], os.Stdout)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "timing:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("timing", flag.ContinueOnError)
	n := flags.Int("n", 2000, "pairs of requests for each operation; three times as many where no answer waits for a hash")
	accounts := flags.Int("accounts", 100, "accounts to make")
	only := flags.String("only", "", "the one operation to measure, such as sign-in; all where it is empty")
	if err := flags.Parse(args); err != nil {
		return err
	}
	s, err := start(ctx)
	if err != nil {
		return err
	}
	defer s.stop()
	fmt.Fprintf(out, "Making %d accounts, then requests under them and under as many that nobody has.\n", *accounts)
	known := make([]string, *accounts)
	for i := range known {
		known[i] = fmt.Sprintf("known-%05d@example.com", i)
		if err := s.join(ctx, known[i]); err != nil {
			return fmt.Errorf("making an account: %w", err)
		}
	}
	const row = "%-20s%8s%18s%18s%14s%24s  %s\n"
	fmt.Fprintf(out, row, "operation", "pairs", "median, unknown", "median, known", "difference", "99 % interval", "")
	var failed error
	for _, op := range operations {
		if *only != "" && op.name != *only {
			continue
		}
		pairs, err := measure(ctx, s, op, known, *n*op.times, os.Stderr)
		if err != nil {
			return fmt.Errorf("%s: %w", op.name, err)
		}
		d := compare(pairs)
		verdict := "hidden"
		if max(-d.low, d.high) > bound {
			verdict = "not shown: raise -n"
			if d.low > 0 || d.high < 0 {
				verdict = "TOLD"
			}
			failed = errors.Join(failed, fmt.Errorf("%s: the interval reaches beyond %.0f %%", op.name, 100*bound))
		}
		fmt.Fprintf(out, row, op.name, fmt.Sprint(len(pairs)), d.unknown.Round(time.Microsecond).String(), d.known.Round(time.Microsecond).String(),
			fmt.Sprintf("%+.2f %%", 100*d.median), fmt.Sprintf("%+.2f to %+.2f %%", 100*d.low, 100*d.high), verdict)
	}
	return failed
}

// measure makes n requests of each kind in random order, and gives how long they took, the
// first of one kind beside the first of the other. Whatever a request leaves behind meets
// both kinds alike, since which comes next does not depend on it. It tells progress every
// now and then.
func measure(ctx context.Context, s *services, op operation, known []string, n int, progress io.Writer) ([]pair, error) {
	warmUp := n / 20 // connections and caches
	all := warmUp + n
	var took [2][]time.Duration // of unknown and of known
	begun := time.Now()
	told := begun
	for i := 1; len(took[0]) < all || len(took[1]) < all; i++ {
		if now := time.Now(); now.Sub(told) > tellEvery {
			told = now
			left := now.Sub(begun) * time.Duration(2*all-i) / time.Duration(i)
			fmt.Fprintf(progress, "%s: %d of %d requests, %s to go\n", op.name, i, 2*all, left.Round(time.Second))
		}
		kind := rand.N(2) //nolint:gosec // an order, not a secret
		name := known[i%len(known)]
		if kind == 0 {
			name = s.stranger()
		}
		t, err := s.timed(ctx, op, name)
		if err != nil {
			return nil, err
		}
		took[kind] = append(took[kind], t)
	}
	pairs := make([]pair, n)
	for i := range pairs {
		pairs[i] = pair{took[0][warmUp+i], took[1][warmUp+i]}
	}
	return pairs, nil
}
