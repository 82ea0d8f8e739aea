package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const guardedCode = `package x

func Guarded() bool { return true }
`

const guardedTests = `package x

import (
	"testing"
	"time"
)

func TestHolds(t *testing.T) {
	if !Guarded() {
		t.Errorf("the attack works, with the token %s", "eyJhbGciOiJub25lIn0.e30.")
	}
}

func TestHoldsInAPart(t *testing.T) { t.Run("a part", TestHolds) }

func TestPasses(t *testing.T) {}

func TestFailsAnyhow(t *testing.T) { t.Error("a fault of its own") }

func TestSkips(t *testing.T) { t.Skip("there is no Docker") }

func TestPanics(t *testing.T) {
	if !Guarded() {
		panic("at the disco")
	}
}

func TestHangs(t *testing.T) {
	if !Guarded() {
		time.Sleep(time.Hour)
	}
}
`

// TestTakeAway tells a test that fails without a defence from all else that may come of taking
// it away, and leaves the files as they are.
func TestTakeAway(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it has the compiler at work several times")
	}
	root := t.TempDir()
	code := filepath.Join(root, "verify", "x.go")
	for name, text := range map[string]string{
		filepath.Join(root, "go.mod"): "module x\n\ngo 1.26.0\n", code: guardedCode, filepath.Join(root, "verify", "x_test.go"): guardedTests,
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	without := func(text string, tests ...string) defence {
		return defence{"an attack", "a guard", []edit{{"verify/x.go", "return true", text}}, tests}
	}
	const away = "return false"
	for what, tt := range map[string]struct {
		defence
		want string // of what is said, with the kind of the end
		counts
	}{
		"it holds":            {without(away, "verify.TestHolds"), "without a guard: verify.TestHolds fails: the attack works, with the token eyJ…", counts{failed: 1}},
		"two hold, one not":   {without(away, "verify.TestHolds", "verify.TestPasses", "verify.TestHoldsInAPart"), "verify.TestPasses PASSES", counts{failed: 2, bad: 1}},
		"it is skipped":       {without(away, "verify.TestSkips"), "verify.TestSkips skipped: there is no Docker", counts{skipped: 1}},
		"it does not build":   {without("return nil", "verify.TestHolds"), "verify.TestHolds DOES NOT BUILD: ", counts{bad: 1}},
		"it is not there":     {without(away, "verify.TestOfNothing"), "verify.TestOfNothing DID NOT RUN", counts{bad: 1}},
		"it panics":           {without(away, "verify.TestPanics"), "verify.TestPanics PANICS: panic: at the disco", counts{bad: 1}},
		"it hangs":            {without(away, "verify.TestHangs"), "verify.TestHangs HANGS: panic: test timed out", counts{bad: 1}},
		"it fails, as before": {without(away, "verify.TestFailsAnyhow"), "verify.TestFailsAnyhow FAILS WITH ALL DEFENCES THERE: a fault of its own", counts{bad: 1}},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			got, err := runner{root, 5 * time.Second}.takeAway(t.Context(), &out, []defence{tt.defence})
			if err != nil || got != tt.counts || !strings.Contains(out.String(), tt.want) {
				t.Errorf("got %+v, %v, want %+v; it says\n%swant %s", got, err, tt.counts, out.String(), tt.want)
			}
			if text := readFile(t, code); text != guardedCode {
				t.Errorf("the code is another:\n%s", text)
			}
		})
	}
}

// TestEditsThatDoNotFit: nothing is run without an edit of which it is not clear what it changes.
func TestEditsThatDoNotFit(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "x.go"), []byte("a b b c"), 0o600); err != nil {
		t.Fatal(err)
	}
	for old, fits := range map[string]bool{"a": true, "b": false, "d": false} {
		if _, err := (defence{edits: []edit{{"x.go", old, ""}}}).overlay(root); (err == nil) != fits {
			t.Errorf("%q: got %v, want it to fit: %v", old, err, fits)
		}
	}
	overlay, err := defence{edits: []edit{{"x.go", "a", "d"}, {"x.go", "d b", "e"}}}.overlay(root)
	if err != nil || overlay[filepath.Join(root, "x.go")] != "e b c" {
		t.Errorf("two edits of one file: got %q, %v", overlay, err)
	}
}
