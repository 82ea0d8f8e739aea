package templates_test

import (
	"maps"
	"strings"
	"testing"
)

// A check that finds nothing once what it guards has been taken away guards nothing.
func TestChecksFindWhatIsMissing(t *testing.T) {
	t.Parallel()
	files := readFolder(t)
	for _, c := range checks() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if len(c.mutations) == 0 {
				t.Error("nobody has tried this check")
			}
			for _, m := range c.mutations {
				if !strings.Contains(files[m.file], m.old) {
					t.Errorf("%s has no %q to be replaced", m.file, m.old)
					continue
				}
				mutant := maps.Clone(files)
				mutant[m.file] = strings.Replace(files[m.file], m.old, m.with, 1)
				if _, err := parse(mutant); err != nil {
					t.Errorf("%s: %q in place of %q: nobody can read it: %v", m.file, m.with, m.old, err)
				}
				found := c.run(mutant)
				if len(found) == 0 {
					t.Errorf("%s: %q in place of %q, and the check finds nothing", m.file, m.with, m.old)
				}
				t.Logf("%q in place of %q: %v", m.with, m.old, found[:min(1, len(found))])
			}
		})
	}
}
