package image_test

import (
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// inToto is the media type of the layers of BuildKit's attestations.
const inToto types.MediaType = "application/vnd.in-toto+json"

// platformImage is a plain OCI image of two layers.
func platformImage(t *testing.T, architecture string) v1.Image {
	t.Helper()
	image, err := random.Image(1024, 2)
	if err != nil {
		t.Fatal(err)
	}
	image = mutate.MediaType(mutate.ConfigMediaType(image, types.OCIConfigJSON), types.OCIManifestSchema1)
	return withConfig(t, image, func(c *v1.ConfigFile) { c.OS, c.Architecture = "linux", architecture })
}

func withConfig(t *testing.T, image v1.Image, change func(*v1.ConfigFile)) v1.Image {
	t.Helper()
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	config = config.DeepCopy()
	change(config)
	image, err = mutate.ConfigFile(image, config)
	if err != nil {
		t.Fatal(err)
	}
	return image
}

// withLayer is an image of one layer of a media type.
func withLayer(t *testing.T, mediaType types.MediaType) v1.Image {
	t.Helper()
	image, err := mutate.AppendLayers(empty.Image, static.NewLayer([]byte("not looked at"), mediaType))
	if err != nil {
		t.Fatal(err)
	}
	return image
}

// attestation is what BuildKit attaches to an image: a manifest for no platform with
// in-toto statements as layers.
func attestation(t *testing.T) v1.Image {
	t.Helper()
	image := mutate.MediaType(mutate.ConfigMediaType(empty.Image, types.OCIConfigJSON), types.OCIManifestSchema1)
	image, err := mutate.AppendLayers(image, static.NewLayer([]byte(`{"_type":"https://in-toto.io/Statement/v0.1"}`), inToto))
	if err != nil {
		t.Fatal(err)
	}
	return withConfig(t, image, func(c *v1.ConfigFile) { c.OS, c.Architecture = "unknown", "unknown" })
}

func index(t *testing.T, images ...v1.Image) v1.ImageIndex {
	t.Helper()
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, i := range images {
		config, err := i.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: i, Descriptor: v1.Descriptor{Platform: config.Platform()}})
	}
	return index
}

// attestedIndex is what buildx pushes for one platform by default.
func attestedIndex(t *testing.T, image v1.Image) v1.ImageIndex {
	t.Helper()
	digest, err := image.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return mutate.AppendManifests(index(t, image), mutate.IndexAddendum{Add: attestation(t), Descriptor: v1.Descriptor{
		Platform:    &v1.Platform{OS: "unknown", Architecture: "unknown"},
		Annotations: map[string]string{"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": digest.String()},
	}})
}

func descriptor(t *testing.T, image v1.Image) v1.Descriptor {
	t.Helper()
	d, err := partial.Descriptor(image)
	if err != nil {
		t.Fatal(err)
	}
	return *d
}
