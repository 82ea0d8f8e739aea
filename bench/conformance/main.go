// Command conformance holds frontdoor and its peers to frontdoortest's table and writes
// the result, docs/conformance.md. It fails where frontdoor has a difference.
//
//	go run ./bench/conformance docs/conformance.md
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"os"

	"spillway.example/frontdoor"
	"spillway.example/frontdoor/frontdoortest"
)

func main() {
	var err error
	if frontdoor.IsLambda(os.Getenv) { // a process under test, which run has started
		err = frontdoor.Serve(context.Background(), frontdoortest.Handler(), frontdoor.Options{
			DirectPath: frontdoortest.DirectPath, Streaming: os.Getenv(streamingMode) != "",
		})
	} else {
		log.SetOutput(io.Discard)                      // net/http's remarks on handlers that are odd by intent
		slog.SetDefault(slog.New(slog.DiscardHandler)) // and frontdoor's
		out := os.Stdout
		if os.Stdout, err = os.OpenFile(os.DevNull, os.O_WRONLY, 0); err == nil { // a peer prints its errors
			err = run(os.Args[1:], out)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	if len(args) != 1 {
		return errors.New("usage: conformance FILE")
	}
	all, stop, err := contenders()
	if err != nil {
		return err
	}
	defer stop()
	results := make([]result, len(all))
	ours := 0
	for i, c := range all {
		if results[i], err = measure(c); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		if c.module == "" {
			ours += results[i].failed()
		}
	}
	if err := os.WriteFile(args[0], []byte(document(results)), 0o644); err != nil { //nolint:gosec // a document is for everybody to read
		return err
	}
	if ours > 0 {
		return fmt.Errorf("frontdoor differs in %d rows: see %s", ours, args[0])
	}
	fmt.Fprintln(out, "frontdoor differs in no row; the rest is in", args[0])
	return nil
}

// result is how one contender did.
type result struct {
	contender
	rows, differ map[frontdoortest.Form]int
	fields       map[string]*field
}

// field is a part of a request or an answer, and where it differs.
type field struct {
	rows    map[frontdoortest.Form]int
	example string
}

func (r result) failed() (n int) {
	for _, d := range r.differ {
		n += d
	}
	return n
}

// measure holds a contender to every row that a form can carry.
func measure(c contender) (result, error) {
	r := result{c, map[frontdoortest.Form]int{}, map[frontdoortest.Form]int{}, map[string]*field{}}
	for _, form := range frontdoortest.Forms() {
		adapter := c.adapter(form)
		if adapter == nil {
			continue
		}
		for _, q := range frontdoortest.Requests() {
			if q.Not[form] != "" {
				continue
			}
			differences, err := frontdoortest.Check(form, q, adapter)
			if err != nil {
				return r, fmt.Errorf("%s: %w", q.Name, err)
			}
			r.count(form, q.Name, differences)
		}
		methods := []string{http.MethodGet, http.MethodHead, http.MethodPost}
		if form == frontdoortest.Direct {
			methods = methods[2:] // it is a POST
		}
		for _, row := range frontdoortest.Answers() {
			for _, method := range methods {
				differences, err := frontdoortest.CheckAnswer(form, method, row, adapter)
				if err != nil {
					return r, fmt.Errorf("%s: %w", row.Name, err)
				}
				r.count(form, method+" "+row.Name, differences)
			}
		}
	}
	return r, nil
}
