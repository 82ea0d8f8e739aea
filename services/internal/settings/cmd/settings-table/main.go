// Command settings-table writes the table of settings into a Markdown file, between
// its markers: `settings-table README.md`.
package main

import (
	"fmt"
	"os"
	"strings"

	"spillway.example/services/internal/settings"
)

const begin, end = "<!-- settings -->\n", "<!-- /settings -->"

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "settings-table:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("usage: settings-table FILE")
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
	var table strings.Builder
	if err := settings.Markdown(&table); err != nil {
		return err
	}
	return os.WriteFile(args[0], []byte(before+begin+table.String()+end+after), 0o644) //nolint:gosec // a README is for everybody to read
}
