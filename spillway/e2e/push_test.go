//go:build e2e

package e2e_test

import (
	"archive/tar"
	"bytes"
	"context"
	"debug/elf"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"spillway.example/frontdoor/frontdoortest"
	"spillway.example/spillway/image"
)

// TestPush builds both images for both architectures with the script that CI uses, pushes
// them to a real registry, and takes them from there by digest.
func TestPush(t *testing.T) {
	t.Parallel()
	onThisMachine(t)
	host := startRegistry(t)
	base := baseFor(t, host)
	layers := map[string][]v1.Hash{} // by platform: those of the service seen first
	for _, service := range []string{"register", "login"} {
		for platform, machine := range map[string]elf.Machine{"linux/amd64": elf.EM_X86_64, "linux/arm64": elf.EM_AARCH64} {
			repository := host + "/spillway/staging/" + service
			pushed, _ := push(t, base, service, repository, platform)
			_, architecture, _ := strings.Cut(platform, "/")
			defer docker(t, "rmi", repository+":1.2.3-"+architecture)

			checked, err := image.Check(t.Context(), pushed, platform)
			if err != nil {
				t.Fatal(err)
			}
			if checked.Name != pushed || !strings.HasPrefix(pushed, repository+"@sha256:") {
				t.Errorf("push-image says %s, and the registry %s", pushed, checked.Name)
			}
			again, said := push(t, base, service, repository, platform)
			if again != pushed || !strings.Contains(said, "it is there already") || strings.Contains(said, "building with") {
				t.Errorf("a second push: got %s, want %s\n%s", again, pushed, said)
			}
			got := layersOf(t, pushed)
			if other := layers[platform]; other != nil && (len(other) != len(got) || !slices.Equal(other[:len(other)-1], got[:len(got)-1])) {
				t.Errorf("for %s the services share no base: %v and %v", platform, other, got)
			}
			layers[platform] = got
			checkBinary(t, bootstrapOf(t, pushed), machine)

			promoted := promote(t, pushed, service, architecture, host+"/spillway/production")
			if promoted != host+"/spillway/production/"+service+strings.TrimPrefix(pushed, repository) {
				t.Errorf("promoted: got %s, want the digest of %s", promoted, pushed)
			}
			if platform == "linux/"+docker(t, "version", "-f", "{{.Server.Arch}}") {
				runByDigest(t, promoted)
			}
		}
	}
}

// promote runs scripts/promote on an image, as the workflow does, and gives the copy's name.
func promote(t *testing.T, image, service, architecture, to string) string {
	t.Helper()
	folder := t.TempDir()
	file := filepath.Join(folder, "image-"+architecture+"-"+service, "image.txt")
	if err := os.Mkdir(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(image+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "scripts/promote", folder, architecture, to)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "SPILLWAY="+frontdoortest.Binary(t, ".."))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("promote: %v\n%s", err, out)
	}
	named, err := os.ReadFile(file)
	if err != nil || string(named) != string(out) {
		t.Errorf("promote says %q, and its file %q (%v)", out, named, err)
	}
	return strings.TrimSpace(string(named))
}

func layersOf(t *testing.T, image string) []v1.Hash {
	t.Helper()
	ref, err := name.NewDigest(image)
	if err != nil {
		t.Fatal(err)
	}
	remoteImage, err := remote.Image(ref)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := remoteImage.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	var digests []v1.Hash
	for _, l := range manifest.Layers {
		digests = append(digests, l.Digest)
	}
	return digests
}

// bootstrapOf takes the service's binary out of an image's last layer.
func bootstrapOf(t *testing.T, image string) string {
	t.Helper()
	digests := layersOf(t, image)
	ref, err := name.NewDigest(image)
	if err != nil {
		t.Fatal(err)
	}
	layer, err := remote.Layer(ref.Context().Digest(digests[len(digests)-1].String()))
	if err != nil {
		t.Fatal(err)
	}
	text, err := layer.Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	defer text.Close()
	for r := tar.NewReader(text); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			t.Fatalf("the last layer of %s has no var/runtime/bootstrap", image)
		}
		if err != nil {
			t.Fatal(err)
		}
		if header.Name != "var/runtime/bootstrap" {
			continue
		}
		var binary bytes.Buffer
		if _, err := io.Copy(&binary, r); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "bootstrap")
		if err := os.WriteFile(file, binary.Bytes(), header.FileInfo().Mode()); err != nil {
			t.Fatal(err)
		}
		return file
	}
}

// runByDigest pulls an image and runs it as ECS would, on a store of its own.
func runByDigest(t *testing.T, image string) {
	t.Helper()
	docker(t, "pull", "-q", image)
	defer docker(t, "rmi", image)
	id := docker(t, "run", "-d", "--rm", "--read-only", "--cap-drop", "ALL", "--user", "65532:65532",
		"--tmpfs", "/tmp:mode=1777", "-e", "STORE=embedded", "-e", "DATA_DIR=/tmp/data",
		"--entrypoint", "/var/runtime/bootstrap", image)
	defer docker(t, "stop", id)
	if said := docker(t, "exec", id, "/var/runtime/bootstrap", "-version"); !strings.HasSuffix(said, " 1.2.3") {
		t.Errorf("%s says version %q", image, said)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		out, err := exec.CommandContext(ctx, "docker", "exec", id, "/var/runtime/bootstrap", "healthcheck").CombinedOutput()
		if err == nil {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("%s is not healthy: %v\n%s\n%s", image, err, out, docker(t, "logs", id))
		}
		time.Sleep(100 * time.Millisecond)
	}
}
