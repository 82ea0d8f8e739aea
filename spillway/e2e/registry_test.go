//go:build e2e

package e2e_test

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"spillway.example/frontdoor/frontdoortest"
)

// baseImage is what the services' images stand on.
const baseImage = "public.ecr.aws/lambda/provided:al2023"

// startRegistry runs the reference implementation of an OCI registry, as a process of its
// own, until the test ends, and gives its host:port.
func startRegistry(t *testing.T) string {
	t.Helper()
	binary, err := filepath.Abs(filepath.Join(root, ".bin", "registry"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(binary); err != nil {
		t.Fatalf("there is no registry to push to: run make e2e, or make %s (%v)", binary, err)
	}
	host := "127.0.0.1:" + frontdoortest.FreePort(t)
	config := filepath.Join(t.TempDir(), "registry.yml")
	text := "version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n" +
		"storage:\n  filesystem: {rootdirectory: " + t.TempDir() + "}\n" +
		"http: {addr: " + host + "}\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	// What it says is left out: it takes a client's question whether it has a blob for an error.
	registry := exec.CommandContext(t.Context(), binary, "serve", config)
	registry.Env = append(os.Environ(), "OTEL_TRACES_EXPORTER=none")
	if err := registry.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = registry.Wait() }) // it is killed when the test's context ends
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+host+"/v2/", nil)
		if err != nil {
			t.Fatal(err)
		}
		if res, err := client.Do(r); err == nil {
			res.Body.Close()
			return host
		}
		if ctx.Err() != nil {
			t.Fatal("the registry does not answer")
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// onThisMachine skips where the Docker engine is in a virtual machine: its 127.0.0.1 is
// another than the registry's.
func onThisMachine(t *testing.T) {
	t.Helper()
	if os.Getenv("REQUIRE_DOCKER") == "" {
		t.Skip("builds images; set REQUIRE_DOCKER=1")
	}
	if runtime.GOOS != "linux" || strings.Contains(docker(t, "info", "-f", "{{.OperatingSystem}}"), "Desktop") {
		t.Skip("needs a Docker engine that reaches 127.0.0.1 of this machine")
	}
}

// baseFor gives the base image to build on: the real one, by its own name, where its
// registry can be reached; else one for both platforms in the test's registry, made of the
// image that the engine has under that name.
func baseFor(t *testing.T, host string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	ref, err := name.ParseReference(baseImage)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := remote.Head(ref, remote.WithContext(ctx)); err == nil {
		return baseImage
	}
	t.Logf("%s is out of reach: the engine's own stands in for both platforms", baseImage)
	base := host + "/lambda/provided:al2023"
	docker(t, "tag", baseImage, base)
	defer docker(t, "rmi", base)
	docker(t, "push", "-q", base)
	to, err := name.ParseReference(base)
	if err != nil {
		t.Fatal(err)
	}
	local, err := remote.Image(to)
	if err != nil {
		t.Fatal(err)
	}
	index := mutate.IndexMediaType(empty.Index, types.DockerManifestList)
	for _, architecture := range []string{"amd64", "arm64"} {
		config, err := local.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		config = config.DeepCopy()
		config.Architecture = architecture
		image, err := mutate.ConfigFile(local, config)
		if err != nil {
			t.Fatal(err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: config.Platform()}})
	}
	if err := remote.WriteIndex(to, index); err != nil {
		t.Fatal(err)
	}
	return base
}

// push runs scripts/push-image, as the workflow does, and gives the image's name by digest
// and what the script said beside it.
func push(t *testing.T, base, service, repository, platform string) (image, said string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "scripts/push-image", service, repository, platform)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "VERSION=1.2.3", "BASE="+base, "BUILDX_BUILDER=default", "SPILLWAY="+frontdoortest.Binary(t, ".."))
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("push-image %s %s %s: %v\n%s", service, repository, platform, err, stderr.String())
	}
	return strings.TrimSpace(string(out)), stderr.String()
}
