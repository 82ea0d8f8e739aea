package main_test

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestKeys lists, rotates and replaces the keys of a folder.
func TestKeys(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	id := regexp.MustCompile(`(?m)^[A-Za-z0-9_-]{43} `)
	keys := func(code int, says string, args ...string) []string {
		t.Helper()
		got, said := output(t, []string{"DATA_DIR=" + dir}, append([]string{"keys"}, args...)...)
		if got != code || !strings.Contains(said, says) {
			t.Errorf("keys %v: exit code %d, want %d, and %q said:\n%s", args, got, code, says, said)
		}
		return id.FindAllString(said, -1)
	}
	first := keys(0, "signs")
	if again := keys(0, "signs"); len(first) != 1 || len(again) != 1 || first[0] != again[0] {
		t.Errorf("keys are %v and then %v, want one that stays", first, again)
	}
	if rotated := keys(0, "does not sign yet", "-rotate"); len(rotated) != 2 || rotated[1] != first[0] {
		t.Errorf("after -rotate: %v, want another before %v", rotated, first)
	}
	keys(1, "published already", "-rotate")
	if replaced := keys(0, "signs", "-replace"); len(replaced) != 1 || replaced[0] == first[0] {
		t.Errorf("after -replace: %v, want another alone", replaced)
	}
	keys(2, "one or the other", "-rotate", "-replace")
	dir = filepath.Join(dir, "nowhere")
	keys(1, dir+" is not there")
}
