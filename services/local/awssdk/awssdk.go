// Package awssdk lends services/internal/awssdk to the modules outside.
package awssdk

import (
	"github.com/aws/aws-sdk-go-v2/aws"

	"spillway.example/services/internal/awssdk"
)

// PlainBodies keeps the SDK from closing a connection under an answer of AWS.
func PlainBodies(sdk *aws.Config) { awssdk.PlainBodies(sdk) }
