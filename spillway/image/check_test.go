package image_test

import (
	"errors"
	"io"
	"log"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"spillway.example/spillway/image"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(server.Close)
	repository := strings.TrimPrefix(server.URL, "http://") + "/spillway/login"

	plain := platformImage(t, "arm64")
	docker := mutate.MediaType(mutate.ConfigMediaType(plain, types.DockerConfigJSON), types.DockerManifestSchema2)
	subject := descriptor(t, plain)

	for tag, c := range map[string]struct {
		push     remote.Taggable
		platform string
		reasons  []string // a part of each; none where the image is taken
	}{
		"oci":             {plain, "linux/arm64", nil},
		"docker":          {docker, "linux/arm64", nil},
		"no-wish":         {plain, "", nil},
		"variant":         {plain, "linux/arm64/v8", nil},
		"other-platform":  {plain, "linux/amd64", []string{"it is for linux/arm64, and is to be for linux/amd64"}},
		"windows":         {withConfig(t, plain, func(c *v1.ConfigFile) { c.OS = "windows" }), "", []string{`it is for "windows"`}},
		"riscv":           {platformImage(t, "riscv64"), "", []string{`it is for "riscv64"`}},
		"index":           {index(t, plain, platformImage(t, "amd64")), "linux/arm64", []string{"an image index of linux/arm64, linux/amd64: build it for one platform with --provenance=false"}},
		"docker-list":     {mutate.IndexMediaType(index(t, docker), types.DockerManifestList), "", []string{"an image index of linux/arm64: build it"}},
		"attested":        {attestedIndex(t, plain), "linux/arm64", []string{"an image index of linux/arm64 with attestations attached"}},
		"attestation":     {attestation(t), "linux/arm64", []string{"its layer sha256:"}},
		"attached":        {mutate.Subject(plain, subject).(v1.Image), "", []string{"it is attached to sha256:"}},
		"annotated":       {mutate.Annotations(plain, map[string]string{"vnd.docker.reference.type": "attestation-manifest"}).(v1.Image), "", []string{"it is an attestation (annotation vnd.docker.reference.type"}},
		"zstd":            {mutate.MediaType(withLayer(t, types.OCILayerZStd), types.OCIManifestSchema1), "", []string{"is compressed with zstd"}},
		"foreign":         {withLayer(t, types.DockerForeignLayer), "", []string{"has media type application/vnd.docker.image.rootfs.foreign"}},
		"artifact":        {mutate.ConfigMediaType(plain, "application/vnd.cncf.helm.config.v1+json"), "", []string{"its configuration has media type application/vnd.cncf.helm"}},
		"no-layers":       {withConfig(t, empty.Image, func(c *v1.ConfigFile) { c.OS, c.Architecture = "linux", "arm64" }), "", []string{"it has no layers"}},
		"history-of-none": {withConfig(t, plain, func(c *v1.ConfigFile) { c.History = nil }), "", []string{"2 layers and a history of 0"}},
	} {
		t.Run(tag, func(t *testing.T) {
			t.Parallel()
			ref, err := name.NewTag(repository + ":" + tag)
			if err != nil {
				t.Fatal(err)
			}
			if err := remote.Push(ref, c.push); err != nil {
				t.Fatal(err)
			}
			got, err := image.Check(t.Context(), ref.Name(), c.platform)
			if len(c.reasons) == 0 {
				if err != nil {
					t.Fatal(err)
				}
				byDigest, err := image.Check(t.Context(), got.Name, c.platform)
				if err != nil || byDigest != got || !strings.Contains(got.Name, "@sha256:") || got.Platform != "linux/arm64" || got.Layers != 2 || got.Size == 0 {
					t.Errorf("by tag %+v, by digest %+v, %v", got, byDigest, err)
				}
				return
			}
			refused, ok := errors.AsType[*image.RefusedError](err)
			if !ok {
				t.Fatalf("got %+v, %v; want a refusal", got, err)
			}
			if len(refused.Reasons) != len(c.reasons) {
				t.Errorf("got reasons %q, want %q", refused.Reasons, c.reasons)
			}
			for _, r := range c.reasons {
				if !strings.Contains(err.Error(), r) {
					t.Errorf("%q is not in: %v", r, err)
				}
			}
		})
	}
}

func TestCheckWithoutAnImage(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(server.Close)
	host := strings.TrimPrefix(server.URL, "http://")
	for what, c := range map[string]struct{ reference, platform, want string }{
		"no such tag":  {host + "/spillway/login:none", "", "asking the registry for " + host + "/spillway/login:none"},
		"no such name": {"Not A Name", "", "reading the image's name"},
		"no platform":  {host + "/spillway/login:none", "arm64", `platform "arm64": want OS/ARCHITECTURE`},
		"nobody there": {"127.0.0.1:1/spillway/login:none", "", "asking the registry for 127.0.0.1:1"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			_, err := image.Check(t.Context(), c.reference, c.platform)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if _, refused := errors.AsType[*image.RefusedError](err); refused {
				t.Errorf("what is not there is not refused: %v", err)
			}
		})
	}
}
