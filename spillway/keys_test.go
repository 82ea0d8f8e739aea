package main_test

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"spillway.example/services/local"
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
	// A folder with no store in it stays as it is: the path may be mistyped.
	for _, content := range []string{"", "spillway.db"} {
		if content != "" {
			if err := os.WriteFile(filepath.Join(dir, content), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		keys(1, filepath.Join(dir, "spillway.db")+" is not there; DATA_DIR says", "-replace")
		if left, err := os.ReadDir(dir); err != nil || len(left) != len(strings.Fields(content)) {
			t.Errorf("keys left %v in an empty folder, %v", left, err)
		}
	}
	_, end, err := local.Open(t.Context(), local.Config{Environ: []string{"DATA_DIR=" + dir}, Stdout: io.Discard, Stderr: io.Discard})
	if err == nil {
		err = end()
	}
	if err != nil {
		t.Fatal(err)
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
	keys(1, "spillway.db is not there")
	if _, err := os.Stat(dir); err == nil {
		t.Error("keys made a folder")
	}
}
