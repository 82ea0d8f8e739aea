// Command operations writes the list of behaviours and the adapters that show them into a
// Markdown file, from what go test says of the suites: `go test -json … | operations FILE`.
// It fails where any of them fails.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"spillway.example/services/internal/account/accounttest"
)

// emulated is the adapter of which an emulator may show less than AWS does.
const emulated = "Cognito + DynamoDB"

// suites are the behaviour suites, and adapters where the tests are that run them.
var (
	suites = []struct{ name, title string }{
		{"directory", "Directory: who somebody is"},
		{"store", "Table: what is known of them"},
		{"saga", "Sign-up"},
		{"life", "An account's life"},
		{"denials", "Deny list: access tokens that are void before they expire"},
		{"counters", "Counters of the limits"},
		{"records", "Records of requests that may come again"},
	}
	adapters = []string{"memory", "embedded", emulated}
	// tests gives suite and adapter of a top-level test; one of them runs several suites.
	tests = map[string][2]string{
		"TestMemory": {"", "memory"}, "TestBehaviour": {"", "embedded"},
		"TestDirectory": {"directory", "Cognito + DynamoDB"}, "TestStore": {"store", "Cognito + DynamoDB"},
		"TestSagaOverDynamoDB": {"saga", "Cognito + DynamoDB"}, "TestLifeOverDynamoDB": {"life", "Cognito + DynamoDB"},
		"TestDenials": {"denials", "Cognito + DynamoDB"}, "TestCounters": {"counters", "Cognito + DynamoDB"},
		"TestRecords": {"records", "Cognito + DynamoDB"},
	}
)

// event is one line of go test -json.
type event struct{ Action, Package, Test string }

// results are the outcomes by suite, behaviour and adapter.
type results map[string]map[string]map[string]string

func main() {
	if err := run(os.Args[1:], os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "operations:", err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader) error {
	if len(args) != 1 {
		return fmt.Errorf("usage: go test -json … | operations FILE")
	}
	found, err := read(in)
	if err != nil {
		return err
	}
	text, err := document(found)
	if err != nil {
		return err
	}
	return os.WriteFile(args[0], []byte(text), 0o644)
}

func read(in io.Reader) (results, error) {
	found := results{}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return nil, fmt.Errorf("reading go test -json: %w", err)
		}
		if e.Action == "fail" {
			return nil, fmt.Errorf("%s %s fails", e.Package, e.Test)
		}
		parts := strings.Split(e.Test, "/")
		where, ours := tests[parts[0]]
		if !ours || e.Action != "pass" && e.Action != "skip" {
			continue
		}
		if where[0] == "" && len(parts) > 1 {
			where[0], parts = parts[1], parts[1:]
		}
		if len(parts) != 2 {
			continue // a suite as a whole, or a part of a behaviour
		}
		behaviours := found[where[0]]
		if behaviours == nil {
			behaviours = map[string]map[string]string{}
			found[where[0]] = behaviours
		}
		name := strings.ReplaceAll(parts[1], "_", " ")
		if behaviours[name] == nil {
			behaviours[name] = map[string]string{}
		}
		behaviours[name][where[1]] = map[string]string{"pass": "✓", "skip": "–"}[e.Action]
	}
	return found, lines.Err()
}

func document(found results) (string, error) {
	var b strings.Builder
	b.WriteString(`# What every adapter does

Each line is a test of the behaviour suite (` + "`services/internal/account/accounttest`" + `), run on every
adapter; ` + "`make operations`" + ` runs them and writes this list. ✓ passes; ✓\* passes
but for what an emulator cannot show, named below each table; – is what the directory does
not have, for which the API answers 404 (not_supported): Cognito knows no single sessions unless it tracks
devices, so it ends all of an account's at once. Cognito and DynamoDB are ministack and DynamoDB
Local here; what those do otherwise than AWS, and what stands in for it, is in
[emulators.md](emulators.md).
`)
	for _, s := range suites {
		fmt.Fprintf(&b, "\n## %s\n\n| behaviour | %s |\n|---|%s\n", s.title, strings.Join(adapters, " | "), strings.Repeat("---|", len(adapters)))
		if len(found[s.name]) == 0 {
			return "", fmt.Errorf("no test of the suite %s was run", s.name)
		}
		names := make([]string, 0, len(found[s.name]))
		for name := range found[s.name] {
			names = append(names, name)
		}
		slices.Sort(names)
		var less strings.Builder
		for _, name := range names {
			differences := accounttest.LessShown()[s.name+"/"+name]
			for i, d := range differences {
				if i == 0 {
					fmt.Fprintf(&less, "- \\* *%s*: ", name)
				}
				less.WriteString(string(d) + map[bool]string{true: ".\n", false: "; "}[i == len(differences)-1])
			}
			fmt.Fprintf(&b, "| %s |", name)
			for _, adapter := range adapters {
				outcome := found[s.name][name][adapter]
				if outcome == "" {
					return "", fmt.Errorf("%s: %q was not run on %s", s.name, name, adapter)
				}
				if adapter == emulated && len(differences) > 0 {
					outcome += "\\*"
				}
				fmt.Fprintf(&b, " %s |", outcome)
			}
			b.WriteString("\n")
		}
		if less.Len() > 0 {
			fmt.Fprintf(&b, "\nWhere the emulator shows less:\n\n%s", less.String())
		}
	}
	return b.String(), nil
}
