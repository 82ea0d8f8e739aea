package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// defence is something that is done against an attack, and the code that does it.
type defence struct {
	attack string // as the first table of docs/attacks.md names it
	// without is what is taken away. Where two layers stop the same, it is both.
	without string
	edits   []edit
	// tests are those that must fail without it, by their package and name as
	// docs/attacks.md has them; of a behaviour suite with the behaviour behind a slash.
	tests []string
}

// edit puts a text in the place of another one, which is there exactly once.
type edit struct{ file, old, text string }

// all gives the whole list.
func all() []defence { return slices.Concat(limits(), input(), sessions(), tokens()) }

func (d defence) matches(wanted *regexp.Regexp) bool {
	return slices.ContainsFunc(append(d.tests, d.attack, d.without), wanted.MatchString)
}

// overlay gives the files without the defence, by their paths.
func (d defence) overlay(root string) (map[string]string, error) {
	files := map[string]string{}
	for _, e := range d.edits {
		path := filepath.Join(root, filepath.FromSlash(e.file))
		text, changed := files[path]
		if !changed {
			read, err := os.ReadFile(path)
			if err != nil {
				return nil, err
			}
			text = string(read)
		}
		if n := strings.Count(text, e.old); n != 1 {
			return nil, fmt.Errorf("%s has this %d times, want it once:\n%s", e.file, n, e.old)
		}
		files[path] = strings.Replace(text, e.old, e.text, 1)
	}
	return files, nil
}

// packages are the folders of the packages that have the tests.
var packages = map[string]string{
	"account": "services/internal/account", "backend": "services/internal/backend", "cognito": "services/internal/cognito",
	"embedded": "services/internal/embedded", "frontdoor": "frontdoor", "local": "services/local",
	"token": "services/internal/token", "verify": "verify",
}

// suites are the behaviour suites of accounttest, by the parts of embedded.TestBehaviour that
// run them on the embedded store, for which nothing else need run.
var suites = map[string]string{"RunDirectory": "directory", "RunLife": "life"}

// target is a test as go test finds it.
type target struct{ folder, name string } // name has a slash before each part of it that is a subtest's

// targetOf gives where a test of the list is.
func targetOf(test string) (target, error) {
	pkg, name, _ := strings.Cut(test, ".")
	if suite, behaviour, ok := strings.Cut(name, "/"); ok && pkg == "accounttest" && suites[suite] != "" {
		return target{packages["embedded"], "TestBehaviour/" + suites[suite] + "/" + strings.ReplaceAll(behaviour, " ", "_")}, nil
	}
	if packages[pkg] == "" || strings.Contains(name, "/") {
		return target{}, fmt.Errorf("%s is of no package or suite that is known here", test)
	}
	return target{packages[pkg], name}, nil
}

// targets gives where the tests of a list of defences are.
func targets(list ...defence) (all []target, err error) {
	for _, d := range list {
		for _, test := range d.tests {
			t, err := targetOf(test)
			if err != nil {
				return nil, err
			}
			if !slices.Contains(all, t) {
				all = append(all, t)
			}
		}
	}
	return all, nil
}

// group is what one go test runs: several tests of a package, or one subtest.
type group struct {
	folder, pattern string
	tests           []target
}

// groups gives what go test has to run for tests.
func groups(tests []target) (all []group) {
	for _, t := range tests {
		i := slices.IndexFunc(all, func(g group) bool { return g.folder == t.folder && !strings.Contains(g.pattern, "/") })
		switch {
		case strings.Contains(t.name, "/"):
			all = append(all, group{t.folder, "^" + strings.ReplaceAll(regexp.QuoteMeta(t.name), "/", "$/^") + "$", []target{t}})
		case i < 0:
			all = append(all, group{t.folder, "^" + t.name + "$", []target{t}})
		default:
			all[i].pattern += "|^" + t.name + "$"
			all[i].tests = append(all[i].tests, t)
		}
	}
	return all
}

// root gives the folder of the checkout.
func root(ctx context.Context) (string, error) {
	file, err := exec.CommandContext(ctx, "go", "env", "GOWORK").Output()
	if err != nil {
		return "", fmt.Errorf("go env: %w", err)
	}
	if work := strings.TrimSpace(string(file)); filepath.IsAbs(work) {
		return filepath.Dir(work), nil
	}
	return "", errors.New("this is no checkout with a go.work")
}
