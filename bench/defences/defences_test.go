package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestEditsFit: what is to be taken away is there, exactly once, and taking it away changes
// something. A change that moves a defence has its entry follow.
func TestEditsFit(t *testing.T) {
	t.Parallel()
	root := checkout(t)
	for _, d := range all() {
		if d.attack == "" || d.without == "" || len(d.edits) == 0 || len(d.tests) == 0 {
			t.Errorf("%+v is not whole", d)
		}
		if _, err := d.overlay(root); err != nil {
			t.Errorf("%s: without %s: %v", d.attack, d.without, err)
		}
		for _, e := range d.edits {
			if e.old == e.text {
				t.Errorf("%s: without %s: nothing is taken away", d.attack, d.without)
			}
		}
	}
}

// TestTestsAreThere looks for each test of the list in its package.
func TestTestsAreThere(t *testing.T) {
	t.Parallel()
	root := checkout(t)
	for _, d := range all() {
		for _, test := range d.tests {
			if _, err := targetOf(test); err != nil {
				t.Error(err)
				continue
			}
			pkg, name, _ := strings.Cut(test, ".")
			name, behaviour, part := strings.Cut(name, "/")
			files := filepath.Join(root, packages[pkg], "*_test.go")
			if part {
				files = filepath.Join(root, "services/internal/account/accounttest/*.go")
			}
			if !there(t, files, "func "+name+"(") || part && !there(t, files, "\t\t{\""+behaviour+"\", ") {
				t.Errorf("%s: there is no test %s", d.attack, test)
			}
		}
	}
}

// there says whether one of the files has a text.
func there(t *testing.T, files, text string) bool {
	t.Helper()
	names, err := filepath.Glob(files)
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(names, func(name string) bool { return strings.Contains(readFile(t, name), text) })
}

// TestAttacksAreListed holds the first table of docs/attacks.md and the list to each other:
// each attack, with each of the tests that hold its defences, is in both, in one order.
func TestAttacksAreListed(t *testing.T) {
	t.Parallel()
	table, _, _ := strings.Cut(readFile(t, filepath.Join(checkout(t), "docs/attacks.md")), "\n## ")
	var attacks, listed []string
	documented := map[string][]string{}
	quoted := regexp.MustCompile("`((?:[a-z]+\\.)?(?:Test|Fuzz|Run)\\w+)`")
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if len(cells) != 3 || strings.HasPrefix(line, "| attack ") {
			continue
		}
		attack, pkg := strings.TrimSpace(cells[0]), ""
		attacks = append(attacks, attack)
		for _, m := range quoted.FindAllStringSubmatch(cells[2], -1) {
			name := m[1]
			if before, _, ok := strings.Cut(name, "."); ok {
				pkg = before
			} else {
				name = pkg + "." + name // of the same package as the one before
			}
			documented[attack] = append(documented[attack], name)
		}
	}
	if len(attacks) < 41 {
		t.Fatalf("found %d attacks in docs/attacks.md: the test no longer reads it right", len(attacks))
	}
	tests := map[string][]string{}
	for _, d := range all() {
		if !slices.Contains(listed, d.attack) {
			listed = append(listed, d.attack)
		}
		for _, test := range d.tests {
			name, _, _ := strings.Cut(test, "/")
			tests[d.attack] = append(tests[d.attack], name)
			if !slices.Contains(documented[d.attack], name) {
				t.Errorf("docs/attacks.md does not have %s for %q", name, d.attack)
			}
		}
	}
	if !slices.Equal(attacks, listed) {
		t.Errorf("the attacks of docs/attacks.md\n%q\nare not those of the list\n%q", attacks, listed)
	}
	for attack, names := range documented {
		for _, name := range names {
			if !slices.Contains(tests[attack], name) {
				t.Errorf("docs/attacks.md has %s for %q, and nothing is taken away to see it fail", name, attack)
			}
		}
	}
}

func TestDocumentIsCurrent(t *testing.T) {
	t.Parallel()
	if text := readFile(t, filepath.Join(checkout(t), "docs/attacks.md")); !strings.Contains(text, begin+document(all())+end) {
		t.Error("what docs/attacks.md says is taken away is not current: run make generate")
	}
}

func checkout(t *testing.T) string {
	t.Helper()
	dir, err := root(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
