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
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"spillway.example/spillway/image"
)

func TestCopy(t *testing.T) {
	t.Parallel()
	host := func() string {
		server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
		t.Cleanup(server.Close)
		return strings.TrimPrefix(server.URL, "http://")
	}
	staging, production := host(), host()
	push := func(tag string, what remote.Taggable) string {
		ref, err := name.NewTag(staging + "/staging/login:" + tag)
		if err != nil {
			t.Fatal(err)
		}
		if err := remote.Push(ref, what); err != nil {
			t.Fatal(err)
		}
		d, err := remote.Head(ref)
		if err != nil {
			t.Fatal(err)
		}
		return ref.Context().Digest(d.Digest.String()).Name()
	}
	plain := push("plain", platformImage(t, "arm64"))
	_, digest, _ := strings.Cut(plain, "@")

	for _, to := range []string{staging + "/production/login", production + "/production/login"} {
		for _, tag := range []string{"", "v1-arm64", "v1-arm64"} { // the last is there already
			got, err := image.Copy(t.Context(), plain, to, tag)
			if err != nil || got != to+"@"+digest {
				t.Fatalf("to %s:%s: got %q, %v", to, tag, got, err)
			}
			for _, ref := range []string{got, to + ":v1-arm64"}[:min(len(tag)+1, 2)] {
				if c, err := image.Check(t.Context(), ref, "linux/arm64"); err != nil || c.Name != to+"@"+digest {
					t.Errorf("the copy %s: got %+v, %v", ref, c, err)
				}
			}
		}
	}

	_, err := image.Copy(t.Context(), push("index", index(t, platformImage(t, "arm64"))), production+"/x", "")
	if _, refused := errors.AsType[*image.RefusedError](err); !refused {
		t.Errorf("an index: got %v, want a refusal", err)
	}
	for _, c := range [][2]string{{staging + "/staging/login:plain", production + "/x"}, {plain, "Not A Name"}} {
		if _, err := image.Copy(t.Context(), c[0], c[1], ""); err == nil || !strings.Contains(err.Error(), "reading the") {
			t.Errorf("%q: got %v", c, err)
		}
	}
}
