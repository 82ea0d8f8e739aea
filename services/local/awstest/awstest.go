// Package awstest lends the emulators that services/internal/awstest starts to the tests of
// the modules outside.
package awstest

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"spillway.example/services/internal/awstest"
)

// Container is one emulator, started by the first test that asks for it.
type Container = awstest.Container

// The emulators.
var (
	Ministack = awstest.Cognito // all of it, not Cognito alone
	Moto      = awstest.Moto
)

// Config is an SDK configuration for the emulators.
func Config(endpoint string) aws.Config { return awstest.Config(endpoint) }

// Main runs the tests of a package and then stops the emulators that they started.
func Main(m *testing.M) int { return awstest.Main(m) }
