package awscloud

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"spillway.example/spillway/deploy"
)

type checks struct {
	sts *sts.Client
}

func newChecks(cfg aws.Config) deploy.Checks { return checks{sts.NewFromConfig(cfg)} }

// Caller implements deploy.Checks.
func (c checks) Caller(ctx context.Context) (account, arn string, err error) {
	out, err := c.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return "", "", explain(err)
	}
	return aws.ToString(out.Account), aws.ToString(out.Arn), nil
}
