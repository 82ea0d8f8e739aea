package main

import (
	"fmt"
	"os"
	"strings"
)

const begin, end = "<!-- defences -->\n", "<!-- /defences -->"

// writeDocument writes the list into a Markdown file, between its markers.
func writeDocument(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(text), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		return fmt.Errorf("%s has no lines %q and %q", file, strings.TrimSpace(begin), end)
	}
	return os.WriteFile(file, []byte(before+begin+document(all())+end+after), 0o644) //nolint:gosec // a document is for everybody to read
}

// document gives the list as a table.
func document(list []defence) string {
	var b strings.Builder
	b.WriteString("| attack | what is taken away | what fails then |\n|---|---|---|\n")
	attack := ""
	for _, d := range list {
		named := " " + d.attack
		if d.attack == attack {
			named = "" // as in the row above
		}
		attack = d.attack
		tests := make([]string, len(d.tests))
		for i, test := range d.tests {
			name, behaviour, part := strings.Cut(test, "/")
			if tests[i] = "`" + name + "`"; part {
				tests[i] += " (" + behaviour + ")"
			}
		}
		fmt.Fprintf(&b, "|%s | %s | %s |\n", named, d.without, strings.Join(tests, ", "))
	}
	return b.String()
}
