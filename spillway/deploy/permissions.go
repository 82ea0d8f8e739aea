package deploy

import "strings"

// Permission is something that spillway deploy itself must be allowed to do. What
// CloudFormation does on its behalf is not among it: that is for the templates to say.
type Permission struct {
	Actions  []string
	Resource string // ARN, with * for what AWS names
}

// Permissions gives what apply and rollback of these stacks need.
func Permissions(environment string, stacks []Stack, region, account string) (all []Permission) {
	partition := "aws"
	if strings.HasPrefix(region, "cn-") {
		partition = "aws-cn"
	}
	arn := func(service, resource string) string {
		return strings.Join([]string{"arn", partition, service, region, account, resource}, ":")
	}
	for _, s := range stacks {
		all = append(all, Permission{Resource: arn("cloudformation", "stack/"+s.FullName+"/*"), Actions: []string{
			"cloudformation:CreateChangeSet", "cloudformation:DescribeChangeSet", "cloudformation:DeleteChangeSet", "cloudformation:ExecuteChangeSet",
			"cloudformation:DescribeStacks", "cloudformation:DescribeStackEvents", "cloudformation:ListStackResources", "cloudformation:CancelUpdateStack",
		}})
		if s.Protected {
			all = append(all, Permission{Resource: arn("cloudformation", "stack/"+s.FullName+"/*"), Actions: []string{"cloudformation:UpdateTerminationProtection"}})
		}
		if s.Service == "" {
			continue
		}
		all = append(all,
			Permission{Resource: arn("lambda", "function:"+s.FullName), Actions: []string{"lambda:GetAlias", "lambda:GetFunction"}},
			Permission{Resource: arn("ssm", "parameter/spillway/"+environment+"/"+s.Service+"/release"), Actions: []string{"ssm:GetParameterHistory", "ssm:PutParameter"}},
			Permission{Resource: "*", Actions: []string{"ecs:DescribeServices", "ecs:DescribeTaskDefinition", "ecs:DescribeTasks", "ecs:ListTasks"}},
		)
	}
	return all
}
