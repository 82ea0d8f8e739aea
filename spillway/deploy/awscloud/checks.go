package awscloud

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"spillway.example/spillway/deploy"
	"spillway.example/spillway/image"
)

type checks struct {
	sts     *sts.Client
	ecr     *ecr.Client
	acm     *acm.Client
	secrets *secretsmanager.Client
	iam     *iam.Client
	http    http.RoundTripper // to the registry; nil for the usual one
}

func newChecks(cfg aws.Config) deploy.Checks {
	c := checks{sts.NewFromConfig(cfg), ecr.NewFromConfig(cfg), acm.NewFromConfig(cfg), secretsmanager.NewFromConfig(cfg), iam.NewFromConfig(cfg), nil}
	if client, ok := cfg.HTTPClient.(*http.Client); ok { // the registry is asked as AWS is
		c.http = client.Transport
	}
	return c
}

// Caller implements deploy.Checks.
func (c checks) Caller(ctx context.Context) (account, arn string, err error) {
	out, err := c.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return "", "", explain(err)
	}
	return aws.ToString(out.Account), aws.ToString(out.Arn), nil
}

// Image implements deploy.Checks.
func (c checks) Image(ctx context.Context, i deploy.Image, architecture string) error {
	out, err := c.ecr.GetAuthorizationToken(ctx, &ecr.GetAuthorizationTokenInput{})
	if err != nil {
		return fmt.Errorf("logging in to ECR: %w", explain(err))
	}
	if len(out.AuthorizationData) == 0 {
		return fmt.Errorf("logging in to ECR: it gives no token")
	}
	token, err := base64.StdEncoding.DecodeString(aws.ToString(out.AuthorizationData[0].AuthorizationToken))
	user, password, ok := strings.Cut(string(token), ":")
	if err != nil || !ok {
		return fmt.Errorf("logging in to ECR: its token is none")
	}
	options := []image.Option{image.As(user, password)}
	if c.http != nil {
		options = append(options, image.Over(c.http))
	}
	_, err = image.Check(ctx, i.String(), platform(architecture), options...)
	return err
}

// platform gives what a container registry calls an architecture of Lambda.
func platform(architecture string) string {
	switch architecture {
	case "":
		return ""
	case "x86_64":
		return "linux/amd64"
	}
	return "linux/" + architecture
}

// Certificate implements deploy.Checks.
func (c checks) Certificate(ctx context.Context, arn string) (deploy.Certificate, error) {
	out, err := c.acm.DescribeCertificate(ctx, &acm.DescribeCertificateInput{CertificateArn: &arn})
	if code(err) == "ResourceNotFoundException" {
		return deploy.Certificate{}, deploy.ErrNotThere
	}
	if err != nil {
		return deploy.Certificate{}, cannotAsk(err)
	}
	return deploy.Certificate{
		Status:  string(out.Certificate.Status),
		Domains: append([]string{aws.ToString(out.Certificate.DomainName)}, out.Certificate.SubjectAlternativeNames...),
	}, nil
}

// Secret implements deploy.Checks. It looks at the secret, and not into it.
func (c checks) Secret(ctx context.Context, id string) error {
	out, err := c.secrets.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &id})
	switch {
	case code(err) == "ResourceNotFoundException":
		return deploy.ErrNotThere
	case err != nil:
		return cannotAsk(err)
	case out.DeletedDate != nil:
		return fmt.Errorf("%w for long: it is to be deleted: aws secretsmanager restore-secret keeps it", deploy.ErrNotThere)
	}
	return nil
}

// Denied implements deploy.Checks.
func (c checks) Denied(ctx context.Context, who string, p deploy.Permission) (denied []string, err error) {
	pages := iam.NewSimulatePrincipalPolicyPaginator(c.iam, &iam.SimulatePrincipalPolicyInput{
		PolicySourceArn: &who, ActionNames: p.Actions, ResourceArns: []string{p.Resource},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if code(err) == "NoSuchEntity" { // a role with a path: its session does not say which
			return nil, fmt.Errorf("%w: IAM does not find %s", deploy.ErrCannotAsk, who)
		}
		if err != nil {
			return nil, cannotAsk(err)
		}
		for _, r := range page.EvaluationResults {
			if r.EvalDecision != iamtypes.PolicyEvaluationDecisionTypeAllowed {
				denied = append(denied, aws.ToString(r.EvalActionName))
			}
		}
	}
	return denied, nil
}

// cannotAsk tells a check that is not allowed from one that fails.
func cannotAsk(err error) error {
	if denied[code(err)] {
		return fmt.Errorf("%w: %w", deploy.ErrCannotAsk, explain(err))
	}
	return explain(err)
}
