package image

import (
	"context"
	"fmt"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// Copy copies an image, named by its digest, to another repository and gives its name
// there. It is the same manifest, so what was checked and tried in one place is what runs
// in the other. An image that [Check] refuses is not copied. Without a tag the copy is
// found by its digest alone. What the repository has already is not sent again.
func Copy(ctx context.Context, from, repository, tag string) (string, error) {
	source, err := name.NewDigest(from)
	if err != nil {
		return "", fmt.Errorf("reading the image's name: want REPOSITORY@sha256:…: %w", err)
	}
	to, err := name.NewRepository(repository)
	if err != nil {
		return "", fmt.Errorf("reading the repository's name: %w", err)
	}
	if _, err := Check(ctx, from, ""); err != nil {
		return "", err
	}
	options := []remote.Option{remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain)}
	image, err := remote.Image(source, options...)
	if err != nil {
		return "", fmt.Errorf("asking the registry for %s: %w", source, err)
	}
	target := to.Digest(source.DigestStr())
	var as name.Reference = target
	if tag != "" {
		as = to.Tag(tag)
	}
	if err := remote.Write(as, image, options...); err != nil {
		return "", fmt.Errorf("writing %s: %w", as, err)
	}
	return target.Name(), nil
}
