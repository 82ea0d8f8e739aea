package awscloud

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"spillway.example/spillway/deploy"
)

type stacks struct{ api *cloudformation.Client }

// Stack implements deploy.Stacks.
func (s stacks) Stack(ctx context.Context, name string) (*deploy.LiveStack, error) {
	out, err := s.api.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &name})
	if code(err) == "ValidationError" && strings.Contains(err.Error(), "does not exist") {
		return nil, nil // the only way in which CloudFormation says so
	}
	if err != nil || len(out.Stacks) == 0 {
		return nil, explain(err)
	}
	from := out.Stacks[0]
	live := &deploy.LiveStack{
		ID: aws.ToString(from.StackId), Name: aws.ToString(from.StackName),
		Status: string(from.StackStatus), Reason: aws.ToString(from.StackStatusReason),
		Changed:    aws.ToTime(from.CreationTime),
		Parameters: map[string]string{}, Protected: aws.ToBool(from.EnableTerminationProtection),
	}
	if from.LastUpdatedTime != nil {
		live.Changed = *from.LastUpdatedTime
	}
	for _, p := range from.Parameters {
		live.Parameters[aws.ToString(p.ParameterKey)] = aws.ToString(p.ParameterValue)
	}
	return live, nil
}

// Events implements deploy.Stacks.
func (s stacks) Events(ctx context.Context, stack, after string) (events []deploy.Event, err error) {
	defer func() { slices.Reverse(events) }() // they come newest first
	pages := cloudformation.NewDescribeStackEventsPaginator(s.api, &cloudformation.DescribeStackEventsInput{StackName: &stack})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return events, explain(err)
		}
		for _, e := range page.StackEvents {
			if aws.ToString(e.EventId) == after {
				return events, nil
			}
			events = append(events, deploy.Event{
				ID: aws.ToString(e.EventId), Time: aws.ToTime(e.Timestamp),
				LogicalID: aws.ToString(e.LogicalResourceId), PhysicalID: aws.ToString(e.PhysicalResourceId), Type: aws.ToString(e.ResourceType),
				Status: string(e.ResourceStatus), Reason: aws.ToString(e.ResourceStatusReason),
			})
			if after == "" {
				return events, nil
			}
		}
	}
	return events, nil
}

// Resources implements deploy.Stacks.
func (s stacks) Resources(ctx context.Context, stack string) (all []deploy.Resource, err error) {
	pages := cloudformation.NewListStackResourcesPaginator(s.api, &cloudformation.ListStackResourcesInput{StackName: &stack})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, explain(err)
		}
		for _, r := range page.StackResourceSummaries {
			all = append(all, deploy.Resource{
				LogicalID: aws.ToString(r.LogicalResourceId), PhysicalID: aws.ToString(r.PhysicalResourceId), Type: aws.ToString(r.ResourceType),
				Status: string(r.ResourceStatus), Reason: aws.ToString(r.ResourceStatusReason),
			})
		}
	}
	return all, nil
}

// CreateChangeSet implements deploy.Stacks.
func (s stacks) CreateChangeSet(ctx context.Context, r deploy.ChangeSetRequest) (string, error) {
	in := &cloudformation.CreateChangeSetInput{
		StackName: &r.Stack, ChangeSetName: &r.Name, ChangeSetType: types.ChangeSetTypeUpdate,
		ClientToken: &r.Name, // by which AWS knows a call that comes again since its answer was lost
		Description: aws.String("by spillway deploy"),
	}
	if r.Create {
		in.ChangeSetType = types.ChangeSetTypeCreate
	}
	if r.Template != "" {
		in.TemplateBody = &r.Template
	} else {
		in.UsePreviousTemplate = aws.Bool(true)
	}
	for _, v := range r.Values {
		p := types.Parameter{ParameterKey: aws.String(v.Name)}
		if v.Previous {
			p.UsePreviousValue = aws.Bool(true)
		} else {
			p.ParameterValue = aws.String(v.Value)
		}
		in.Parameters = append(in.Parameters, p)
	}
	for _, c := range r.Capabilities {
		in.Capabilities = append(in.Capabilities, types.Capability(c))
	}
	for _, k := range slices.Sorted(maps.Keys(r.Tags)) {
		in.Tags = append(in.Tags, types.Tag{Key: aws.String(k), Value: aws.String(r.Tags[k])})
	}
	out, err := s.api.CreateChangeSet(ctx, in)
	if code(err) == "AlreadyExistsException" && strings.Contains(err.Error(), r.Name) { // by an earlier try: nobody else has this name
		return r.Name, nil
	}
	if err != nil {
		return "", explain(err)
	}
	return aws.ToString(out.Id), nil
}

// Execute implements deploy.Stacks.
func (s stacks) Execute(ctx context.Context, stack, id string) error {
	_, err := s.api.ExecuteChangeSet(ctx, &cloudformation.ExecuteChangeSetInput{StackName: &stack, ChangeSetName: &id, ClientRequestToken: token(id)})
	if code(err) == "InvalidChangeSetStatus" { // perhaps since an earlier try did execute it, and its answer was lost
		out, describeErr := s.api.DescribeChangeSet(ctx, &cloudformation.DescribeChangeSetInput{StackName: &stack, ChangeSetName: &id})
		if describeErr == nil && strings.HasPrefix(string(out.ExecutionStatus), "EXECUTE_") {
			return nil
		}
	}
	return explain(err)
}

// token makes a client token of a change set's id: its name, which is there once.
func token(id string) *string {
	if parts := strings.Split(id, "/"); len(parts) > 1 {
		return &parts[1]
	}
	return &id
}

// DeleteChangeSet implements deploy.Stacks.
func (s stacks) DeleteChangeSet(ctx context.Context, stack, id string) error {
	_, err := s.api.DeleteChangeSet(ctx, &cloudformation.DeleteChangeSetInput{StackName: &stack, ChangeSetName: &id})
	if code(err) == "ChangeSetNotFound" { // another was executed, which deletes the rest
		return nil
	}
	return explain(err)
}

// Delete implements deploy.Stacks.
func (s stacks) Delete(ctx context.Context, stack string) error {
	_, err := s.api.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: &stack})
	return explain(err)
}

// CancelUpdate implements deploy.Stacks.
func (s stacks) CancelUpdate(ctx context.Context, stack string) error {
	_, err := s.api.CancelUpdateStack(ctx, &cloudformation.CancelUpdateStackInput{StackName: &stack})
	return explain(err)
}

// Protect implements deploy.Stacks.
func (s stacks) Protect(ctx context.Context, stack string, on bool) error {
	_, err := s.api.UpdateTerminationProtection(ctx, &cloudformation.UpdateTerminationProtectionInput{StackName: &stack, EnableTerminationProtection: &on})
	return explain(err)
}
