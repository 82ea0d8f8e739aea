package image

import (
	"bytes"
	"fmt"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// attested is the annotation by which BuildKit marks what is attached to an image.
const attested = "vnd.docker.reference.type"

// plainly is how to build an image that is one manifest.
const plainly = "build it for one platform with --provenance=false --sbom=false"

// examine gives the reasons to refuse a manifest, and fills in what it found.
func examine(d *remote.Descriptor, want *v1.Platform, out *Checked) ([]string, error) {
	switch {
	case d.MediaType.IsIndex():
		index, err := v1.ParseIndexManifest(bytes.NewReader(d.Manifest))
		if err != nil {
			return nil, err
		}
		return []string{indexReason(index)}, nil
	case !d.MediaType.IsImage():
		return []string{fmt.Sprintf("its media type is %s, and Lambda takes %s and %s.",
			d.MediaType, types.OCIManifestSchema1, types.DockerManifestSchema2)}, nil
	}
	manifest, err := v1.ParseManifest(bytes.NewReader(d.Manifest))
	if err != nil {
		return nil, err
	}
	if reasons := attachments(manifest); len(reasons) > 0 {
		return reasons, nil // it is no image, so the rest says nothing
	}
	reasons := contents(manifest)
	if len(reasons) > 0 {
		return reasons, nil
	}
	image, err := d.Image()
	if err != nil {
		return nil, err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	out.Platform, out.Layers = config.OS+"/"+config.Architecture, len(manifest.Layers)
	for _, l := range manifest.Layers {
		out.Size += l.Size
	}
	return platformReasons(config, want, len(manifest.Layers)), nil
}

// indexReason says what an index is made of.
func indexReason(index *v1.IndexManifest) string {
	var platforms []string
	attestations := 0
	for _, m := range index.Manifests {
		switch {
		case m.Annotations[attested] != "":
			attestations++
		case m.Platform != nil:
			platforms = append(platforms, m.Platform.String())
		default:
			platforms = append(platforms, "a platform that it does not name")
		}
	}
	of := strings.Join(platforms, ", ")
	if of == "" {
		of = "no platform"
	}
	if attestations > 0 {
		return fmt.Sprintf("it is an image index of %s with attestations attached: %s.", of, plainly)
	}
	return fmt.Sprintf("it is an image index of %s: %s, or name one of its manifests by digest.", of, plainly)
}

// attachments are the signs of a manifest that speaks about an image instead of being one.
func attachments(m *v1.Manifest) []string {
	var reasons []string
	if m.Annotations[attested] != "" {
		reasons = append(reasons, fmt.Sprintf("it is an attestation (annotation %s=%s), not an image.", attested, m.Annotations[attested]))
	}
	if m.Subject != nil {
		reasons = append(reasons, fmt.Sprintf("it is attached to %s (its subject), and so no image of its own.", m.Subject.Digest))
	}
	if m.ArtifactType != "" {
		reasons = append(reasons, fmt.Sprintf("it is an artifact of type %s, not an image.", m.ArtifactType))
	}
	for _, l := range m.Layers {
		if strings.HasPrefix(string(l.MediaType), "application/vnd.in-toto") {
			reasons = append(reasons, fmt.Sprintf("its layer %s is an attestation (%s).", l.Digest, l.MediaType))
		}
	}
	return reasons
}

// contents are the parts of a manifest that Docker schema 2 and OCI 1.0 do not know.
func contents(m *v1.Manifest) []string {
	var reasons []string
	if !m.Config.MediaType.IsConfig() {
		reasons = append(reasons, fmt.Sprintf("its configuration has media type %s, which is no image's.", m.Config.MediaType))
	}
	for _, l := range m.Layers {
		switch l.MediaType {
		case types.OCILayer, types.OCIUncompressedLayer, types.DockerLayer:
		case types.OCILayerZStd:
			reasons = append(reasons, fmt.Sprintf("its layer %s is compressed with zstd, which came after OCI 1.0: build it with compression=gzip.", l.Digest))
		default:
			reasons = append(reasons, fmt.Sprintf("its layer %s has media type %s.", l.Digest, l.MediaType))
		}
	}
	if len(m.Layers) == 0 {
		reasons = append(reasons, "it has no layers.")
	}
	return reasons
}

// platformReasons hold an image's configuration against its manifest and the platform
// that is asked for. That Lambda counts the history is known from its refusals alone
// (https://github.com/bazel-contrib/rules_oci/issues/645).
func platformReasons(c *v1.ConfigFile, want *v1.Platform, layers int) []string {
	var reasons []string
	if c.OS != "linux" {
		reasons = append(reasons, fmt.Sprintf("it is for %q, and Lambda runs linux.", c.OS))
	}
	if a := c.Architecture; a != "amd64" && a != "arm64" {
		reasons = append(reasons, fmt.Sprintf("it is for %q, and Lambda runs amd64 and arm64.", a))
	}
	if want != nil && (c.OS != want.OS || c.Architecture != want.Architecture) {
		reasons = append(reasons, fmt.Sprintf("it is for %s/%s, and is to be for %s/%s.", c.OS, c.Architecture, want.OS, want.Architecture))
	}
	history := 0
	for _, h := range c.History {
		if !h.EmptyLayer {
			history++
		}
	}
	if history != layers {
		reasons = append(reasons, fmt.Sprintf("it has %d layers and a history of %d: Lambda has refused such images (UnsupportedImageLayerDetected).", layers, history))
	}
	return reasons
}
