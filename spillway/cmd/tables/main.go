// Command tables writes the tables that are made of code into Markdown files, each between
// the markers of its name, such as <!-- costs -->: `tables README.md deploy/README.md`.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"spillway.example/services/local"
	"spillway.example/spillway/cost"
	"spillway.example/spillway/prices"
)

// tables write what goes between the markers of their names.
var tables = map[string]func(io.Writer) error{
	"settings": local.SettingsTable, // what the services read
	"costs":    costs,               // what an environment costs
}

func costs(w io.Writer) error {
	table, err := prices.Load()
	if err != nil {
		return err
	}
	return cost.Markdown(w, table)
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "tables:", err)
		os.Exit(1)
	}
}

func run(files []string) error {
	if len(files) == 0 {
		return errors.New("usage: tables FILE…")
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		with, err := fill(string(text))
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if err := os.WriteFile(file, []byte(with), 0o644); err != nil { //nolint:gosec // documentation is for everybody to read
			return err
		}
	}
	return nil
}

// fill gives a text with its tables written anew. One that has the markers of none is an error.
func fill(text string) (string, error) {
	found := false
	for name, write := range tables {
		begin, end := "<!-- "+name+" -->\n", "<!-- /"+name+" -->"
		before, rest, ok := strings.Cut(text, begin)
		if !ok {
			continue
		}
		_, after, ok := strings.Cut(rest, end)
		if !ok {
			return "", fmt.Errorf("has no %s", end)
		}
		var table strings.Builder
		if err := write(&table); err != nil {
			return "", err
		}
		text, found = before+begin+table.String()+end+after, true
	}
	if !found {
		return "", errors.New("has the markers of no table")
	}
	return text, nil
}
