package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// patience is how long the tests of one package may take. One that hangs without its defence
// would do so for ever.
const patience = 3 * time.Minute

// runner runs tests of the checkout at root.
type runner struct {
	root     string
	patience time.Duration
}

// outcome is how a test ended.
type outcome struct {
	kind kind
	how  string // in short, in the test's own words
}

type kind string

const (
	failed   kind = "fails"
	passed   kind = "PASSES"
	skipped  kind = "skipped"
	unbuilt  kind = "DOES NOT BUILD"
	missing  kind = "DID NOT RUN"
	panicked kind = "PANICS" // which tells of the code that is no more, not of the attack
	hung     kind = "HANGS"
	broken   kind = "FAILS WITH ALL DEFENCES THERE"
)

// counts are how the tests of a list ended.
type counts struct{ failed, skipped, bad int }

// takeAway takes each defence away in turn, and says of each of its tests how it ended.
func (r runner) takeAway(ctx context.Context, out io.Writer, list []defence) (c counts, err error) {
	tests, err := targets(list...)
	if err != nil {
		return c, err
	}
	// A test that fails with all defences there tells nothing when it fails without one.
	whole, err := r.goTest(ctx, tests, nil)
	if err != nil {
		return c, err
	}
	for _, d := range list {
		overlay, err := d.overlay(r.root)
		if err != nil {
			return c, fmt.Errorf("%s: %s: %w", d.attack, d.without, err)
		}
		tests, err := targets(d)
		if err != nil {
			return c, err
		}
		ended, err := r.goTest(ctx, slices.DeleteFunc(tests, func(t target) bool { return whole[t].kind != passed }), overlay)
		if err != nil {
			return c, err
		}
		for _, test := range d.tests {
			t, err := targetOf(test)
			if err != nil {
				return c, err
			}
			o, ok := ended[t]
			if !ok {
				if o = whole[t]; o.kind == failed {
					o.kind = broken
				}
			}
			switch o.kind {
			case failed:
				c.failed++
			case skipped:
				c.skipped++
			default:
				c.bad++
			}
			fmt.Fprintf(out, "%s: without %s: %s %s: %s\n", d.attack, d.without, test, o.kind, o.how)
		}
	}
	return c, nil
}

// goTest runs tests, with other texts in the place of some files'.
func (r runner) goTest(ctx context.Context, tests []target, overlay map[string]string) (map[target]outcome, error) {
	folder, err := os.MkdirTemp("", "defences-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder) //nolint:errcheck // the system clears it away, too
	file, err := writeOverlay(folder, overlay)
	if err != nil {
		return nil, err
	}
	ended := map[target]outcome{}
	for _, g := range groups(tests) {
		cmd := exec.CommandContext(ctx, "go", "test", "-json", "-vet=off", "-overlay", file, "-timeout", r.patience.String(), "-run", g.pattern, "./"+g.folder) //nolint:gosec // of this program's list
		cmd.Dir = r.root
		// A property that fails is told as it is found, and not kept in the checkout.
		cmd.Env = append(os.Environ(), "RAPID_NOFAILFILE=true", "RAPID_SHRINKTIME=0s")
		text, err := cmd.Output()
		if e, ok := errors.AsType[*exec.ExitError](err); err != nil && (!ok || ctx.Err() != nil || len(text) == 0) {
			if ok {
				err = fmt.Errorf("%w: %s", err, e.Stderr)
			}
			return nil, fmt.Errorf("go test %s: %w", g.pattern, err)
		}
		events, err := read(string(text))
		if err != nil {
			return nil, err
		}
		for _, t := range g.tests {
			ended[t] = outcomeOf(t.name, events)
		}
	}
	return ended, nil
}

// writeOverlay writes what go build -overlay reads, and gives its name.
func writeOverlay(folder string, overlay map[string]string) (string, error) {
	var replace struct{ Replace map[string]string }
	replace.Replace = map[string]string{}
	for path, text := range overlay {
		to := filepath.Join(folder, fmt.Sprintf("%d.go", len(replace.Replace)))
		if err := os.WriteFile(to, []byte(text), 0o600); err != nil {
			return "", err
		}
		replace.Replace[path] = to
	}
	text, err := json.Marshal(replace)
	if err != nil {
		return "", err
	}
	file := filepath.Join(folder, "overlay.json")
	return file, os.WriteFile(file, text, 0o600)
}

// event is a line of go test -json (go doc test2json), and of the build before it (go help
// buildjson).
type event struct{ Action, Test, Output, FailedBuild string }

// said is a line by which a test says what is wrong.
var said = regexp.MustCompile(`^\s+[\w.]+\.go:\d+: (.*)`)

// read reads what go test -json says.
func read(text string) (events []event, err error) {
	for line := range strings.Lines(text) {
		var e event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			return nil, fmt.Errorf("reading what go test says: %w", err)
		}
		events = append(events, e)
	}
	return events, nil
}

// outcomeOf gives how a test ended.
func outcomeOf(name string, events []event) outcome {
	var ended kind
	var how, build, crash string
	for _, e := range events {
		switch ours := e.Test == name || strings.HasPrefix(e.Test, name+"/"); {
		case e.Action == "build-output" && build == "" && !strings.HasPrefix(e.Output, "#"):
			build = e.Output
		case e.FailedBuild != "":
			return outcome{unbuilt, short(build)}
		case e.Action == "output" && strings.HasPrefix(e.Output, "panic: ") && crash == "":
			crash = e.Output
		case e.Action == "output" && ours && how == "" && said.MatchString(e.Output):
			how = said.FindStringSubmatch(e.Output)[1]
		case e.Test == name && (e.Action == "fail" || e.Action == "pass" || e.Action == "skip"):
			ended = map[string]kind{"fail": failed, "pass": passed, "skip": skipped}[e.Action]
		}
	}
	switch {
	case strings.HasPrefix(crash, "panic: test timed out"):
		return outcome{hung, short(crash)}
	case crash != "":
		return outcome{panicked, short(crash)}
	case ended == "":
		return outcome{missing, "go test found no " + name}
	}
	return outcome{ended, short(how)}
}

// token is a token as tests make and show them, which is nothing for a log.
var token = regexp.MustCompile(`\beyJ[\w.-]+`)

// short gives the beginning of a text that may be long, in one line.
func short(text string) string {
	const most = 120
	text = token.ReplaceAllString(strings.Join(strings.Fields(text), " "), "eyJ…")
	if utf8.RuneCountInString(text) > most {
		return string([]rune(text)[:most]) + "…"
	}
	return text
}
