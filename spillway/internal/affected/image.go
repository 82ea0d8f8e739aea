package affected

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// architectures are those that images are built for: a file may be for one alone.
var architectures = []string{"amd64", "arm64"}

// listed is what `go list -json` says of a package.
type listed struct {
	Dir, DefaultGODEBUG string
	Module              *struct{ Path, Version, GoVersion string }

	GoFiles, CgoFiles, CFiles, CXXFiles, HFiles, SFiles, SysoFiles, EmbedFiles []string
}

// image gives what a service's image is made of, in the commit at tree.
func image(ctx context.Context, tree, service string) (inputs, error) {
	in := inputs{}
	if err := in.add(tree, filepath.Join(tree, "Dockerfile."+service)); err != nil {
		return nil, err
	}
	module := filepath.Join(tree, "services", service)
	if _, err := os.Stat(module); err != nil {
		return nil, err
	}
	for _, architecture := range architectures {
		packages, err := list(ctx, module, "./cmd/"+service, architecture)
		if err != nil {
			return nil, err
		}
		for _, p := range packages {
			if err := in.addPackage(tree, p); err != nil {
				return nil, err
			}
		}
	}
	return in, nil
}

// list asks Go for a program's packages, as the Dockerfiles have it built.
func list(ctx context.Context, dir, program, architecture string) ([]listed, error) {
	out, err := run(ctx, dir, []string{"GOWORK=off", "CGO_ENABLED=0", "GOOS=linux", "GOARCH=" + architecture},
		"go", "list", "-deps", "-json", "-tags", "lambda.norpc", program)
	if err != nil {
		return nil, err
	}
	var packages []listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		switch err := d.Decode(&p); {
		case errors.Is(err, io.EOF):
			return packages, nil
		case err != nil:
			return nil, fmt.Errorf("reading what go list says: %w", err)
		}
		packages = append(packages, p)
	}
}

// addPackage adds a package: by its files where it is the repository's own, else by the
// version of its module. The standard library is the Dockerfile's.
func (in inputs) addPackage(tree string, p listed) error {
	if p.DefaultGODEBUG != "" {
		in["GODEBUG"] = p.DefaultGODEBUG
	}
	if p.Module == nil {
		return nil
	}
	if rel, err := filepath.Rel(tree, p.Dir); err != nil || strings.HasPrefix(rel, "..") {
		in["module "+p.Module.Path] = p.Module.Version
		return nil //nolint:nilerr // a folder on another volume is not the repository's
	}
	in["go version of "+p.Module.Path] = p.Module.GoVersion
	for _, name := range slices.Concat(p.GoFiles, p.CgoFiles, p.CFiles, p.CXXFiles, p.HFiles, p.SFiles, p.SysoFiles, p.EmbedFiles) {
		if err := in.add(tree, filepath.Join(p.Dir, name)); err != nil {
			return err
		}
	}
	return nil
}

// add adds files by the hash of what they hold.
func (in inputs) add(tree string, files ...string) error {
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(tree, file)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(text)
		in[filepath.ToSlash(rel)] = hex.EncodeToString(sum[:])
	}
	return nil
}
