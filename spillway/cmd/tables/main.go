// Command costs-table writes what an environment costs into a Markdown file, between its
// markers: `costs-table deploy/README.md`.
package main

import (
	"fmt"
	"os"
	"strings"

	"spillway.example/spillway/cost"
	"spillway.example/spillway/prices"
)

const begin, end = "<!-- costs -->\n", "<!-- /costs -->"

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "costs-table:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("usage: costs-table FILE")
	}
	table, err := prices.Load()
	if err != nil {
		return err
	}
	text, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(text), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		return fmt.Errorf("%s has no lines %q and %q", args[0], strings.TrimSpace(begin), end)
	}
	var costs strings.Builder
	if err := cost.Markdown(&costs, table); err != nil {
		return err
	}
	return os.WriteFile(args[0], []byte(before+begin+costs.String()+end+after), 0o644) //nolint:gosec // a README is for everybody to read
}
