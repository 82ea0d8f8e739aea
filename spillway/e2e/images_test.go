//go:build e2e

package e2e_test

import (
	"debug/elf"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// maxLayer is how much a service may add to its base image, in bytes.
const maxLayer = 25 << 20

// TestImages looks at the services' images as they are built for both architectures.
func TestImages(t *testing.T) {
	t.Parallel()
	if os.Getenv("REQUIRE_DOCKER") == "" {
		t.Skip("builds images; set REQUIRE_DOCKER=1")
	}
	size := func(image string) int64 {
		n, err := strconv.ParseInt(docker(t, "image", "inspect", "-f", "{{.Size}}", image), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, service := range []string{"register", "login"} {
		t.Run(service, func(t *testing.T) {
			t.Parallel()
			image := "spillway/" + service + ":images-test"
			docker(t, "build", "-q", "-f", "Dockerfile."+service, "-t", image, "--build-arg", "VERSION=1.2.3", ".")
			defer docker(t, "rmi", image)
			layer := size(image) - size("public.ecr.aws/lambda/provided:al2023")
			t.Logf("%s adds %.1f MB", service, float64(layer)/(1<<20))
			if layer > maxLayer {
				t.Errorf("the service adds %d bytes to its base, more than %d", layer, maxLayer)
			}
			var labels map[string]string
			if err := json.Unmarshal([]byte(docker(t, "image", "inspect", "-f", "{{json .Config.Labels}}", image)), &labels); err != nil {
				t.Fatal(err)
			}
			if got := labels["org.opencontainers.image.version"]; got != "1.2.3" {
				t.Errorf("the label says version %q", got)
			}
			if got := docker(t, "run", "--rm", "--entrypoint", "/var/runtime/bootstrap", image, "-version"); got != service+" 1.2.3" {
				t.Errorf("the binary says %q", got)
			}
			for arch, machine := range map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64} {
				dir := t.TempDir()
				docker(t, "build", "-q", "-f", "Dockerfile."+service, "--target", "binary", "--build-arg", "TARGETARCH="+arch, "-o", dir, ".")
				checkBinary(t, filepath.Join(dir, "bootstrap"), machine)
			}
		})
	}
}

// checkBinary wants a static binary for a machine.
func checkBinary(t *testing.T, file string, machine elf.Machine) {
	t.Helper()
	f, err := elf.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Machine != machine {
		t.Errorf("%s is for %v, want %v", file, f.Machine, machine)
	}
	if libraries, err := f.ImportedLibraries(); len(libraries) > 0 || err != nil && f.Section(".dynamic") != nil {
		t.Errorf("%s is not static: %v %v", file, libraries, err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode()&0o111 == 0 {
		t.Errorf("%s cannot be run: %v %v", file, info.Mode(), err)
	}
}
