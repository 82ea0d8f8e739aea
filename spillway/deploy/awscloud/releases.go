package awscloud

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"spillway.example/spillway/deploy"
)

// releases keeps a service's releases as the versions of one parameter of Systems Manager,
// of which it remembers the last hundred. See
// https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-versions.html
type releases struct{ api *ssm.Client }

func parameter(environment, service string) *string {
	return aws.String("/spillway/" + environment + "/" + service + "/release")
}

// Releases implements deploy.Releases.
func (r releases) Releases(ctx context.Context, environment, service string) (all []deploy.Release, err error) {
	pages := ssm.NewGetParameterHistoryPaginator(r.api, &ssm.GetParameterHistoryInput{Name: parameter(environment, service)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if code(err) == "ParameterNotFound" {
			return nil, nil
		}
		if err != nil {
			return nil, explain(err)
		}
		for _, p := range page.Parameters {
			var release deploy.Release
			if err := json.Unmarshal([]byte(aws.ToString(p.Value)), &release); err != nil {
				return nil, fmt.Errorf("version %d of the parameter %s: %w", p.Version, *parameter(environment, service), err)
			}
			all = append(all, release)
		}
	}
	return all, nil
}

// Record implements deploy.Releases.
func (r releases) Record(ctx context.Context, environment, service string, release deploy.Release) error {
	text, err := json.Marshal(release)
	if err != nil {
		return err
	}
	_, err = r.api.PutParameter(ctx, &ssm.PutParameterInput{
		Name: parameter(environment, service), Type: types.ParameterTypeString, Value: aws.String(string(text)), Overwrite: aws.Bool(true),
	})
	return explain(err)
}

// Forget implements deploy.Releases.
func (r releases) Forget(ctx context.Context, environment, service string) error {
	_, err := r.api.DeleteParameter(ctx, &ssm.DeleteParameterInput{Name: parameter(environment, service)})
	if code(err) == "ParameterNotFound" {
		return nil
	}
	return explain(err)
}
