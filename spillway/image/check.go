// Package image looks at container images in a registry before they are deployed: what
// AWS Lambda refuses is cheaper to hear at the push than from a stack that rolls back.
package image

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// Checked is an image that Lambda and ECS both take.
type Checked struct {
	Name      string // REPOSITORY@sha256:…, which no later push can change
	MediaType string // of the manifest
	Platform  string // such as linux/arm64
	Layers    int
	Size      int64 // of the layers as they are stored, in bytes
}

// Option says how to ask a registry.
type Option remote.Option

// As asks with a user's name and password.
func As(user, password string) Option {
	return Option(remote.WithAuthFromKeychain(one{authn.FromConfig(authn.AuthConfig{Username: user, Password: password})}))
}

// one is a keychain with the same credentials for every registry.
type one struct{ authn.Authenticator }

// Resolve implements authn.Keychain.
func (o one) Resolve(authn.Resource) (authn.Authenticator, error) { return o.Authenticator, nil }

// Over asks by way of a transport.
func Over(t http.RoundTripper) Option { return Option(remote.WithTransport(t)) }

// RefusedError is an image that Lambda would refuse.
type RefusedError struct {
	Name    string   // REPOSITORY@sha256:…
	Reasons []string // each a sentence with what to do
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("Lambda does not take %s:\n  %s", e.Name, strings.Join(e.Reasons, "\n  "))
}

// Check asks a registry for an image and holds its manifest to what Lambda takes
// (https://docs.aws.amazon.com/lambda/latest/dg/images-create.html): one manifest, Docker
// schema 2 or OCI 1.0, for one architecture, with nothing attached. Where platform is not
// empty the image must be for it, such as "linux/arm64". The error is a [*RefusedError]
// where the registry has the image and it is not such a one. Credentials are those of
// `docker login` unless options give others; a registry on localhost is asked over plain
// HTTP.
func Check(ctx context.Context, reference, platform string, options ...Option) (Checked, error) {
	var want *v1.Platform
	if platform != "" {
		p, err := v1.ParsePlatform(platform)
		if err != nil || p.OS == "" || p.Architecture == "" {
			return Checked{}, fmt.Errorf("platform %q: want OS/ARCHITECTURE, such as linux/arm64", platform)
		}
		want = p
	}
	ref, err := name.ParseReference(reference)
	if err != nil {
		return Checked{}, fmt.Errorf("reading the image's name: %w", err)
	}
	all := []remote.Option{remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain)}
	for _, o := range options {
		all = append(all, remote.Option(o))
	}
	got, err := remote.Get(ref, all...)
	if err != nil {
		return Checked{}, fmt.Errorf("asking the registry for %s: %w", ref, err)
	}
	checked := Checked{Name: ref.Context().Digest(got.Digest.String()).Name(), MediaType: string(got.MediaType)}
	reasons, err := examine(got, want, &checked)
	switch {
	case err != nil:
		return Checked{}, fmt.Errorf("reading %s: %w", checked.Name, err)
	case len(reasons) > 0:
		return Checked{}, &RefusedError{Name: checked.Name, Reasons: reasons}
	}
	return checked, nil
}
