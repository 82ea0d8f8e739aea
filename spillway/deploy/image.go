package deploy

import (
	"fmt"
	"regexp"
)

// Image is an image in a registry, by its digest: a tag may be moved, a digest not.
type Image struct {
	Registry   string // host, such as 123456789012.dkr.ecr.eu-west-1.amazonaws.com
	Repository string // such as spillway/register
	Digest     string // sha256:…
}

var imageForm = regexp.MustCompile(`^([a-zA-Z0-9.:-]+)/([a-z0-9._/-]+)@(sha256:[0-9a-f]{64})$`)

// ParseImage reads REGISTRY/REPOSITORY@sha256:DIGEST.
func ParseImage(uri string) (Image, error) {
	m := imageForm.FindStringSubmatch(uri)
	if m == nil {
		return Image{}, fmt.Errorf("%q is no image by digest: it must be REGISTRY/REPOSITORY@sha256:DIGEST, with 64 hexadecimal digits", uri)
	}
	return Image{m[1], m[2], m[3]}, nil
}

// String gives the image's URI.
func (i Image) String() string { return i.Registry + "/" + i.Repository + "@" + i.Digest }

var registryForm = regexp.MustCompile(`^(\d{12})\.dkr\.ecr(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$`)

// ECR gives the account and region of an image in Elastic Container Registry; ok is false
// where it is in another registry.
func (i Image) ECR() (account, region string, ok bool) {
	m := registryForm.FindStringSubmatch(i.Registry)
	if m == nil {
		return "", "", false
	}
	return m[1], m[2], true
}

// short gives as much of an image as tells it from another, for a line of output.
func short(uri string) string {
	if i, err := ParseImage(uri); err == nil {
		return i.Repository + "@" + i.Digest[:len("sha256:")+12]
	}
	return uri
}
