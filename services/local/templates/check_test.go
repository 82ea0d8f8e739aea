package templates_test

import (
	"fmt"
	"slices"
	"testing"
)

// check is something that must hold of deploy/.
type check struct {
	name string
	find func(d *deployment, bad bad)
	// mutations take away what the check guards; it must say so.
	mutations []mutation
}

// bad takes what a check finds.
type bad func(format string, args ...any)

// mutation replaces a text of a file, once.
type mutation struct{ file, old, with string }

func checks() []check {
	return slices.Concat(structure(), network(), services(), access(), stateful(), program(), operations())
}

// run gives what a check finds in files.
func (c check) run(files map[string]string) (found []string) {
	d, err := parse(files)
	if err != nil {
		return []string{err.Error()}
	}
	c.find(d, func(format string, args ...any) {
		if line := fmt.Sprintf(format, args...); !slices.Contains(found, line) {
			found = append(found, line)
		}
	})
	return found
}

func TestTemplates(t *testing.T) {
	t.Parallel()
	files := readFolder(t)
	for _, c := range checks() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, line := range c.run(files) {
				t.Error(line)
			}
		})
	}
}
