package awscloud

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"spillway.example/spillway/deploy"
)

type workloads struct {
	ecs    *ecs.Client
	lambda *lambda.Client
}

// cluster gives the cluster's name of a service's ARN, …:service/CLUSTER/NAME.
func cluster(arn string) *string {
	parts := strings.Split(arn, "/")
	if len(parts) < 3 {
		return nil // the form before 2018, which is of the default cluster
	}
	return &parts[1]
}

// Service implements deploy.Workloads.
func (w workloads) Service(ctx context.Context, arn string) (deploy.Service, error) {
	out, err := w.ecs.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: cluster(arn), Services: []string{arn}})
	if err != nil {
		return deploy.Service{}, explain(err)
	}
	if len(out.Services) == 0 || aws.ToString(out.Services[0].Status) == "INACTIVE" {
		return deploy.Service{}, fmt.Errorf("%w: %s", deploy.ErrNoService, arn)
	}
	from := out.Services[0]
	s := deploy.Service{
		Name: aws.ToString(from.ServiceName), Desired: int(from.DesiredCount), Running: int(from.RunningCount), Pending: int(from.PendingCount),
	}
	for _, d := range from.Deployments {
		s.Rollouts = append(s.Rollouts, deploy.Rollout{
			ID: aws.ToString(d.Id), Status: aws.ToString(d.Status), State: string(d.RolloutState), Reason: aws.ToString(d.RolloutStateReason),
			TaskDefinition: aws.ToString(d.TaskDefinition), Running: int(d.RunningCount), Desired: int(d.DesiredCount), FailedTasks: int(d.FailedTasks),
		})
	}
	for _, e := range from.Events {
		s.Events = append(s.Events, deploy.ServiceEvent{ID: aws.ToString(e.Id), Time: aws.ToTime(e.CreatedAt), Message: aws.ToString(e.Message)})
	}
	return s, nil
}

// Stopped implements deploy.Workloads.
func (w workloads) Stopped(ctx context.Context, arn string) (reasons []string, err error) {
	name := arn[strings.LastIndex(arn, "/")+1:]
	list, err := w.ecs.ListTasks(ctx, &ecs.ListTasksInput{Cluster: cluster(arn), ServiceName: &name, DesiredStatus: ecstypes.DesiredStatusStopped})
	if err != nil || len(list.TaskArns) == 0 {
		return nil, explain(err)
	}
	out, err := w.ecs.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: cluster(arn), Tasks: list.TaskArns})
	if err != nil {
		return nil, explain(err)
	}
	slices.SortFunc(out.Tasks, func(a, b ecstypes.Task) int { return aws.ToTime(b.StoppedAt).Compare(aws.ToTime(a.StoppedAt)) })
	for _, t := range out.Tasks {
		reasons = append(reasons, stopped(t))
	}
	return reasons, nil
}

// stopped gives why a task ended, and with which exit codes.
func stopped(t ecstypes.Task) string {
	all := []string{cmp.Or(aws.ToString(t.StoppedReason), string(t.StopCode), "AWS gives no reason")}
	for _, c := range t.Containers {
		if c.ExitCode != nil {
			all = append(all, fmt.Sprintf("container %s exited with %d", aws.ToString(c.Name), *c.ExitCode))
		}
		if c.Reason != nil {
			all = append(all, *c.Reason)
		}
	}
	return strings.Join(all, "; ")
}

// TaskImages implements deploy.Workloads.
func (w workloads) TaskImages(ctx context.Context, taskDefinition string) (images []string, err error) {
	out, err := w.ecs.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{TaskDefinition: &taskDefinition})
	if err != nil {
		return nil, explain(err)
	}
	for _, c := range out.TaskDefinition.ContainerDefinitions {
		images = append(images, aws.ToString(c.Image))
	}
	return images, nil
}

// Alias implements deploy.Workloads.
func (w workloads) Alias(ctx context.Context, arn string) (deploy.Function, error) {
	i := strings.LastIndex(arn, ":")
	function, alias := arn[:max(i, 0)], arn[i+1:]
	a, err := w.lambda.GetAlias(ctx, &lambda.GetAliasInput{FunctionName: &function, Name: &alias})
	if err != nil {
		return deploy.Function{}, explain(err)
	}
	out, err := w.lambda.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: &function, Qualifier: a.FunctionVersion})
	if err != nil {
		return deploy.Function{}, explain(err)
	}
	f := deploy.Function{Alias: alias, Version: aws.ToString(a.FunctionVersion)}
	if c := out.Configuration; c != nil {
		f.Name, f.State, f.Reason = aws.ToString(c.FunctionName), string(c.State), aws.ToString(c.StateReason)
	}
	if c := out.Code; c != nil {
		f.Image = cmp.Or(aws.ToString(c.ResolvedImageUri), aws.ToString(c.ImageUri))
	}
	return f, nil
}
