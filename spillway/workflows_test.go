package main_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// workflow is what the rules below look at.
type workflow struct {
	Permissions *map[string]string
	Jobs        map[string]struct {
		Uses        string
		Permissions map[string]string
		Timeout     int `yaml:"timeout-minutes"`
		Steps       []struct {
			Uses, Run string
			With      map[string]any
		}
	}
}

var (
	pinned = regexp.MustCompile(`^[\w.-]+/[\w./-]+@[0-9a-f]{40}$`)
	target = regexp.MustCompile(`\bmake (?:--silent )?([a-z][a-z0-9-]*)`)
	script = regexp.MustCompile(`\bscripts/[a-z-]+`)
	// grants are the permissions that jobs may have, beside reading the repository.
	grants = []string{"contents: read", "actions: read", "id-token: write", "attestations: read", "attestations: write"}
)

// TestWorkflows holds the workflows to what docs/ci.md says of them: actions by commit with
// the version beside it, no permission that a job does not name, no secret, and nothing
// called that is not here.
func TestWorkflows(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../.github/workflows/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var w workflow
		if err := yaml.Unmarshal(text, &w); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		bad := func(format string, args ...any) {
			t.Helper()
			t.Errorf(filepath.Base(file)+": "+format, args...)
		}
		if w.Permissions == nil || len(*w.Permissions) != 0 {
			bad("permissions must be {}, so that each job names its own")
		}
		if strings.Contains(string(text), "secrets.") || strings.Contains(string(text), "pull_request_target") {
			bad("uses a secret, or runs what a stranger wrote with the repository's own rights")
		}
		for line := range strings.Lines(string(text)) {
			if _, uses, ok := strings.Cut(line, "uses: "); ok && !strings.HasPrefix(uses, "./") && !regexp.MustCompile(`# v\d+\.\d+\.\d+$`).MatchString(strings.TrimSpace(uses)) {
				bad("%q has no version beside the commit", strings.TrimSpace(line))
			}
		}
		for name, job := range w.Jobs {
			for what, level := range job.Permissions {
				if !slices.Contains(grants, what+": "+level) {
					bad("%s: has %s: %s", name, what, level)
				}
			}
			if job.Uses == "" && job.Timeout == 0 {
				bad("%s: may run for six hours: it has no timeout-minutes", name)
			}
			for _, step := range job.Steps {
				if step.Uses != "" && !pinned.MatchString(step.Uses) {
					bad("%s: %s is not pinned by its commit", name, step.Uses)
				}
				if strings.HasPrefix(step.Uses, "actions/checkout@") && step.With["persist-credentials"] != false {
					bad("%s: checkout leaves its token behind", name)
				}
				for _, called := range script.FindAllString(step.Run, -1) {
					if info, err := os.Stat("../" + called); err != nil || info.Mode()&0o100 == 0 {
						bad("%s: %s is not there, or cannot be run", name, called)
					}
				}
				for _, called := range target.FindAllStringSubmatch(step.Run, -1) {
					wantTarget(t, called[1])
				}
			}
		}
	}
}

// wantTarget wants a target of the Makefile.
func wantTarget(t *testing.T, name string) {
	t.Helper()
	makefile, err := os.ReadFile("../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`(?m)^` + name + `:`).Match(makefile) {
		t.Errorf("a workflow calls make %s, which is not there", name)
	}
}

// TestWorkflowTestsAll: what `make ci` runs a pull request runs.
func TestWorkflowTestsAll(t *testing.T) {
	t.Parallel()
	makefile, err := os.ReadFile("../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	ci := regexp.MustCompile(`(?m)^ci: (.*?)(?: ##.*)?$`).FindSubmatch(makefile)
	workflow, err := os.ReadFile("../.github/workflows/test.yml")
	if err != nil {
		t.Fatal(err)
	}
	matrix := regexp.MustCompile(`(?m)^ +target: \[(.*)\]$`).FindSubmatch(workflow)
	if ci == nil || matrix == nil {
		t.Fatal("there is no target ci, or no matrix")
	}
	if got, want := strings.Split(string(matrix[1]), ", "), strings.Fields(string(ci[1])); !slices.Equal(got, want) {
		t.Errorf("a pull request runs %q, and make ci %q", got, want)
	}
}
