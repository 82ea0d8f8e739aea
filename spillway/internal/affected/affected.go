// Package affected finds which services a change of the repository reaches. It goes by
// what an image is made of, never by folder names: the files that the Go toolchain
// compiles and embeds into the service's binary for both architectures, the versions of
// the modules they come from, and the service's Dockerfile. Two commits whose inputs are
// the same give the same image, so new, moved and deleted files need no rules of their own.
package affected

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Report is what a change reaches.
type Report struct {
	Build  []string // services whose image would be another one
	Deploy []string // those, and services whose stack would be another one
	// ByHand are the other templates and values of deploy/ that are new or changed:
	// nobody deploys them by pushing.
	ByHand  []string
	Reasons map[string][]string // by service: the inputs that differ
}

// Between compares two commits of the repository at dir. A base that is empty, unknown or
// that Go cannot read reaches every service; a head that Go cannot read is an error.
func Between(ctx context.Context, dir, base, head string) (Report, error) {
	after, err := at(ctx, dir, head)
	if err != nil {
		return Report{}, fmt.Errorf("reading %s: %w", head, err)
	}
	before := snapshot{unread: "there is nothing to compare with"}
	if base != "" {
		if before, err = at(ctx, dir, base); err != nil {
			before = snapshot{unread: fmt.Sprintf("reading %s: %v", base, err)}
		}
	}
	report := Report{Reasons: map[string][]string{}}
	for _, service := range slices.Sorted(maps.Keys(after.images)) {
		reasons := differences(before.images[service], after.images[service])
		if before.unread != "" {
			reasons = []string{before.unread}
		}
		if len(reasons) > 0 {
			report.Build = append(report.Build, service)
		}
		if before.unread == "" {
			reasons = append(reasons, differences(before.stacks[service], after.stacks[service])...)
		}
		if len(reasons) > 0 {
			report.Deploy = append(report.Deploy, service)
			report.Reasons[service] = reasons
		}
	}
	report.ByHand = slices.DeleteFunc(differences(before.others, after.others), func(name string) bool {
		return after.others[name] == "" // what is gone from the files is destroyed by a person, or not at all
	})
	return report, nil
}

// inputs are what something is made of: names, and hashes or versions.
type inputs map[string]string

// snapshot is a commit, as far as it matters here.
type snapshot struct {
	images, stacks map[string]inputs // by service
	others         inputs            // of deploy/, what is no service's
	unread         string            // why it could not be read; then it has nothing else
}

// at reads a commit.
func at(ctx context.Context, dir, commit string) (snapshot, error) {
	tree, err := os.MkdirTemp("", "affected-")
	if err != nil {
		return snapshot{}, err
	}
	defer func() { _ = os.RemoveAll(tree) }() // a temporary folder: the system clears what is left
	if err := extract(ctx, dir, commit, tree); err != nil {
		return snapshot{}, err
	}
	s := snapshot{images: map[string]inputs{}, stacks: map[string]inputs{}, others: inputs{}}
	dockerfiles, err := filepath.Glob(filepath.Join(tree, "Dockerfile.*"))
	if err != nil {
		return snapshot{}, err
	}
	for _, file := range dockerfiles {
		service := strings.TrimPrefix(filepath.Base(file), "Dockerfile.")
		s.stacks[service] = inputs{}
		if s.images[service], err = image(ctx, tree, service); err != nil {
			return snapshot{}, fmt.Errorf("service %s: %w", service, err)
		}
	}
	return s, s.addStacks(tree)
}

// extract writes a commit's files into a folder.
func extract(ctx context.Context, dir, commit, into string) error {
	archive := filepath.Join(into, ".commit.tar")
	if _, err := run(ctx, dir, nil, "git", "archive", "--format=tar", "--output", archive, commit+"^{commit}"); err != nil {
		return err
	}
	if _, err := run(ctx, into, nil, "tar", "-xf", archive); err != nil {
		return err
	}
	return os.Remove(archive)
}

// differences are the names that only one of two has, or both with other values.
func differences(a, b inputs) []string {
	var names []string
	for name := range a {
		if b[name] != a[name] {
			names = append(names, name)
		}
	}
	for name := range b {
		if _, ok := a[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// run runs a command in a folder and gives its output; its errors end in what it said.
func run(ctx context.Context, dir string, environ []string, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...)           //nolint:gosec // git, tar and go, by this package alone
	cmd.Dir, cmd.Env = dir, append(os.Environ(), environ...) //nolint:forbidigo // git and go need the environment they were started in
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w: %s", name, args[0], err, strings.TrimSpace(stderr.String()))
	}
	return out, nil
}
