// Package awscloud has the ports of package deploy over the AWS SDK.
package awscloud

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/smithy-go/logging"

	"spillway.example/services/local/awssdk"
	"spillway.example/spillway/deploy"
)

// Options say whose AWS to work on. What is empty is found as the SDK finds it.
type Options struct {
	Region, Profile string
}

// maxAttempts is how often a call is tried that AWS throttles: CloudFormation allows few a
// second for a whole account, and a deployment that gives up there is worth more than a
// minute's wait.
const maxAttempts = 10

// Load reads the AWS configuration, with retries that slow down as AWS throttles.
func Load(ctx context.Context, o Options) (aws.Config, error) {
	cfg, err := config.LoadDefaultConfig(ctx,
		config.WithRegion(o.Region), config.WithSharedConfigProfile(o.Profile),
		config.WithRetryMode(aws.RetryModeAdaptive), config.WithRetryMaxAttempts(maxAttempts),
		config.WithLogger(logging.Nop{}), // what matters comes back as an error
	)
	if err != nil {
		if _, ok := errors.AsType[config.SharedConfigProfileNotExistError](err); ok {
			return cfg, fmt.Errorf("there is no profile %q in the AWS configuration: see aws configure list-profiles", o.Profile)
		}
		return cfg, fmt.Errorf("reading the AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return cfg, errors.New("no region is known: give -region, or set AWS_REGION or the profile's region")
	}
	return cfg, nil
}

// New gives the ports over an AWS configuration.
func New(cfg aws.Config) deploy.Cloud {
	awssdk.PlainBodies(&cfg)
	return deploy.Cloud{
		Region:    cfg.Region,
		Stacks:    stacks{cloudformation.NewFromConfig(cfg)},
		Workloads: workloads{ecs.NewFromConfig(cfg), lambda.NewFromConfig(cfg)},
		Releases:  releases{ssm.NewFromConfig(cfg)},
		Checks:    newChecks(cfg),
	}
}
