package frontdoor_test

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"spillway.example/frontdoor"
)

// The README names every option and no other, and its code is that of examples, which run.
func TestREADME(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(readme), "## Options")
	table, _, _ = strings.Cut(table, "## ")
	var documented []string
	for row := range strings.Lines(table) {
		first, _, _ := strings.Cut(strings.TrimPrefix(row, "|"), "|")
		for _, m := range regexp.MustCompile("`([A-Za-z]+)`").FindAllStringSubmatch(first, -1) {
			documented = append(documented, m[1])
		}
	}
	var options []string
	for f := range reflect.TypeFor[frontdoor.Options]().Fields() {
		options = append(options, f.Name)
	}
	if !reflect.DeepEqual(documented, options) {
		t.Errorf("the README's options are\n%v, want\n%v", documented, options)
	}
	examples, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(readme), -1)
	if len(blocks) != 2 {
		t.Errorf("the README has %d blocks of Go, want 2", len(blocks))
	}
	for _, b := range blocks {
		for line := range strings.Lines(strings.TrimPrefix(b[1], "func main() {\n")) {
			if !strings.Contains(string(examples), strings.TrimSpace(line)) {
				t.Errorf("no example has the README's line %q", line)
			}
		}
	}
	for _, name := range []string{"DoorHTTP", "DoorALB", "DoorREST", "DoorHTTPAPI", "DoorFunctionURL", "DoorDirect"} {
		if !strings.Contains(string(readme), "`"+name+"`") {
			t.Errorf("the README says nothing of %s", name)
		}
	}
}
