package awscloud

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"spillway.example/spillway/deploy"
)

// ChangeSet implements deploy.Stacks.
func (s stacks) ChangeSet(ctx context.Context, stack, id string) (deploy.ChangeSet, error) {
	set := deploy.ChangeSet{ID: id}
	in := &cloudformation.DescribeChangeSetInput{StackName: &stack, ChangeSetName: &id, IncludePropertyValues: aws.Bool(true)}
	for {
		out, err := s.api.DescribeChangeSet(ctx, in)
		if err != nil {
			return set, explain(err)
		}
		switch out.Status {
		case types.ChangeSetStatusCreateComplete:
			set.Ready = true
		case types.ChangeSetStatusFailed:
			set.Failed = cmp.Or(aws.ToString(out.StatusReason), "it gives no reason")
		}
		for _, c := range out.Changes {
			if c.ResourceChange != nil {
				set.Changes = append(set.Changes, change(c.ResourceChange))
			}
		}
		if out.NextToken == nil {
			return set, nil
		}
		in.NextToken = out.NextToken
	}
}

func change(from *types.ResourceChange) deploy.Change {
	c := deploy.Change{
		Action: string(from.Action), LogicalID: aws.ToString(from.LogicalResourceId), PhysicalID: aws.ToString(from.PhysicalResourceId),
		Type: aws.ToString(from.ResourceType), Replacement: string(from.Replacement),
	}
	for _, d := range from.Details {
		if d.Target == nil {
			continue
		}
		p := deploy.PropertyChange{
			Path:   cmp.Or(strings.TrimPrefix(aws.ToString(d.Target.Path), "/Properties/"), aws.ToString(d.Target.Name), string(d.Target.Attribute)),
			Before: aws.ToString(d.Target.BeforeValue), After: aws.ToString(d.Target.AfterValue),
			Cause: cause(d), Recreates: string(d.Target.RequiresRecreation),
		}
		// CloudFormation tells a change by a parameter twice: as it follows from the
		// parameter, and as it may come of the template.
		same := slices.IndexFunc(c.Properties, func(o deploy.PropertyChange) bool { return o.Path == p.Path })
		switch {
		case same < 0:
			c.Properties = append(c.Properties, p)
		case c.Properties[same].Cause == "":
			c.Properties[same] = p
		}
	}
	return c
}

// cause names what a change comes of; the template itself needs no name.
func cause(d types.ResourceChangeDetail) string {
	entity := aws.ToString(d.CausingEntity)
	switch d.ChangeSource {
	case types.ChangeSourceParameterReference:
		return "the parameter " + entity
	case types.ChangeSourceResourceReference, types.ChangeSourceResourceAttribute:
		return entity
	case types.ChangeSourceAutomatic:
		return "AWS"
	}
	return ""
}
