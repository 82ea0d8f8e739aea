// Command defences takes the defences of docs/attacks.md away, one by one, and wants the tests
// that hold them to fail: a test that passes without its defence holds nothing. Nothing of the
// checkout changes: what is taken away is so for the compiler alone (go build -overlay).
//
//	go run ./bench/defences [-only REGEXP]
//
// With -write FILE it tests nothing and writes the list into a Markdown file, between its
// markers.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"time"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "defences:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	flags := flag.NewFlagSet("defences", flag.ContinueOnError)
	only := flags.String("only", "", "take away only what this `regexp` matches: an attack, what is taken away, or a test")
	write := flags.String("write", "", "write the list into this Markdown `file` instead")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%q is no flag", flags.Arg(0))
	}
	root, err := root(ctx)
	if err != nil {
		return err
	}
	if *write != "" {
		return writeDocument(*write)
	}
	wanted, err := regexp.Compile(*only)
	if err != nil {
		return fmt.Errorf("-only: %w", err)
	}
	var list []defence
	for _, d := range all() {
		if d.matches(wanted) {
			list = append(list, d)
		}
	}
	if len(list) == 0 {
		return fmt.Errorf("-only %s: there is no such defence", *only)
	}
	began := time.Now()
	c, err := runner{root, patience}.takeAway(ctx, out, list)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d defences taken away in %s: %d tests fail without theirs, %d were skipped, %d do not fail as they should\n",
		len(list), time.Since(began).Round(time.Second), c.failed, c.skipped, c.bad)
	if c.bad > 0 {
		return errors.New("not every test holds its defence")
	}
	return nil
}
