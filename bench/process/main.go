// Command process measures whole processes side by side in one run: functions that poll a
// loopback Runtime API (time of init, CPU time per invocation, memory), and HTTP services
// (throughput, CPU time per request). It builds each contender itself, and ends in ratios,
// which are what counts: absolute figures are the machine's.
//
//	go run ./bench/process
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"

	"spillway.example/bench/started"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	if stop(); err != nil {
		fmt.Fprintln(os.Stderr, "process bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("process", flag.ContinueOnError)
	functionRounds := flags.Int("functions", 15, "rounds of functions")
	httpRounds := flags.Int("http", 60, "rounds of HTTP services")
	invocations := flags.Int("invocations", 1500, "invocations a round")
	if err := flags.Parse(args); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // what stays is in the temporary folder
	if *functionRounds > 0 {
		if err := functions(ctx, dir, *functionRounds, *invocations, out); err != nil {
			return err
		}
	}
	if *httpRounds > 0 {
		return services(ctx, dir, *httpRounds, out)
	}
	return nil
}

// build builds a main package as images have it, and gives the file.
func build(ctx context.Context, dir, name, pkg string) (string, error) {
	file := filepath.Join(dir, name)
	if err := started.Build(ctx, file, pkg, "-tags", "lambda.norpc", "-trimpath", "-ldflags=-s -w"); err != nil {
		return "", err
	}
	return file, nil
}
