package accounttest_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"spillway.example/services/internal/account/accounttest"
)

// docs/operations.md has every behaviour of the suites, and no other: `make operations`
// writes it.
func TestOperationsAreListed(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile("../../../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	listed, known := map[string]bool{}, map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^\| ([^|]+) \| [✓–] \|`).FindAllStringSubmatch(string(document), -1) {
		listed[m[1]] = true
	}
	found := 0
	for _, file := range []string{"directory.go", "store.go", "saga.go", "life.go", "denials.go", "counters.go", "records.go"} {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^\t\t\{?"([^"]+)"[,:] +[a-z]\w+\}?,$`).FindAllStringSubmatch(string(source), -1) {
			found++
			if !listed[m[1]] {
				t.Errorf("docs/operations.md does not have %q; run make operations", m[1])
			}
			known[m[1]] = true
		}
	}
	if found < 65 {
		t.Errorf("found %d behaviours in the suites: the test no longer reads them right", found)
	}
	for name := range accounttest.LessShown() {
		_, behaviour, _ := strings.Cut(name, "/")
		if !strings.Contains(string(document), "| "+behaviour+" | ✓ | ✓ | ✓\\* |") || !strings.Contains(string(document), "*"+behaviour+"*: ") {
			t.Errorf("docs/operations.md does not say that an emulator shows less of %q; run make operations", behaviour)
		}
	}
	for name := range listed {
		if !known[name] {
			t.Errorf("docs/operations.md has %q, which is no behaviour any more; run make operations", name)
		}
	}
}
