package deploy_test

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	scaling "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"go.yaml.in/yaml/v4"

	"spillway.example/services/local/awstest"
	"spillway.example/spillway/deploy"
	"spillway.example/spillway/deploy/deploytest"
)

// TestMoto gives moto's APIs what the templates say of revisions, weights and scaling,
// which ministack does not keep.
func TestMoto(t *testing.T) {
	t.Parallel()
	cfg := awstest.Config(awstest.Moto.Endpoint(t))
	t.Run("revisions", func(t *testing.T) { t.Parallel(); motoRevisions(t, ecs.NewFromConfig(cfg)) })
	t.Run("weights", func(t *testing.T) { t.Parallel(); motoWeights(t, elb.NewFromConfig(cfg)) })
	t.Run("scaling", func(t *testing.T) {
		t.Parallel()
		motoScaling(t, ecs.NewFromConfig(cfg), applicationautoscaling.NewFromConfig(cfg))
	})
}

// properties gives the properties of a resource of a service's stack, as the API has them.
// What only AWS knows is what known says, by a part of it.
func properties(t *testing.T, resource string, set, known map[string]string, into any) {
	t.Helper()
	env, err := deploy.Load(templates, "staging")
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range set {
		env = env.With("register", name, v)
	}
	s := env.Stacks[slices.IndexFunc(env.Stacks, func(s deploy.Stack) bool { return s.Name == "register" })]
	values, err := env.Values(s, map[string]string{"register": image("register", "a")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	n := s.Template.Resolve(values, deploytest.Region)
	for _, name := range []string{"Resources", resource, "Properties"} {
		i := slices.IndexFunc(n.Content, func(c *yaml.Node) bool { return c.Value == name })
		if i < 0 {
			t.Fatalf("there is no %s", name)
		}
		n = n.Content[i+1]
	}
	replace(t, n, known)
	var v any
	if err := n.Decode(&v); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v\n%s", resource, err, text)
	}
}

// replace puts what only AWS knows into the place of the functions that are left.
func replace(t *testing.T, n *yaml.Node, known map[string]string) {
	t.Helper()
	function := strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!") ||
		n.Kind == yaml.MappingNode && len(n.Content) == 2 && strings.HasPrefix(n.Content[0].Value, "Fn::")
	if !function {
		for _, c := range n.Content {
			replace(t, c, known)
		}
		return
	}
	text, err := yaml.Marshal(n)
	if err != nil {
		t.Fatal(err)
	}
	*n = yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: "known-to-aws"}
	for part, v := range known {
		if strings.Contains(string(text), part) {
			n.Value = v
		}
	}
}

func motoRevisions(t *testing.T, api *ecs.Client) {
	for i, digit := range []string{"a", "b"} {
		var in ecs.RegisterTaskDefinitionInput
		properties(t, "TaskDefinition", map[string]string{"TaskCpu": "512"}, nil, &task{&in})
		in.ContainerDefinitions[0].Image = aws.String(image("register", digit))
		out, err := api.RegisterTaskDefinition(t.Context(), &in)
		if err != nil {
			t.Fatal(err)
		}
		got := out.TaskDefinition
		c := got.ContainerDefinitions[0]
		if got.Revision != int32(i+1) || aws.ToString(c.Image) != image("register", digit) || got.RuntimePlatform.CpuArchitecture != "ARM64" ||
			!slices.Equal(c.LinuxParameters.Capabilities.Drop, []string{"ALL"}) || aws.ToString(got.Cpu) != "512" || got.NetworkMode != "awsvpc" {
			t.Errorf("revision %d: got %+v", i+1, got)
		}
	}
	t.Log("verified: task definitions: a new image is a new revision, with platform and dropped capabilities")
}

// task reads a task definition, whose sizes the API has as text.
type task struct {
	*ecs.RegisterTaskDefinitionInput
}

// UnmarshalJSON implements json.Unmarshaler.
func (d *task) UnmarshalJSON(text []byte) error {
	var m map[string]any
	if err := json.Unmarshal(text, &m); err != nil {
		return err
	}
	for _, name := range []string{"Cpu", "Memory"} {
		number, err := json.Marshal(m[name])
		if err != nil {
			return err
		}
		m[name] = string(number)
	}
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, d.RegisterTaskDefinitionInput)
}

// motoSubnets gives the subnets that moto begins with. EC2's own client is not worth its
// size for this one question.
func motoSubnets(t *testing.T) (ids []string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, awstest.Moto.Endpoint(t), strings.NewReader("Action=DescribeSubnets&Version=2016-11-15"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/"+awstest.Config("").Region+"/ec2/aws4_request, SignedHeaders=host, Signature=0")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("<subnetId>([^<]+)").FindAllStringSubmatch(string(text), -1) {
		ids = append(ids, m[1])
	}
	if len(ids) < 2 {
		t.Fatalf("moto has no subnets: %s", text)
	}
	return ids[:2]
}

func motoWeights(t *testing.T, api *elb.Client) {
	ctx := t.Context()
	lb, err := api.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{Name: aws.String("spillway-staging"), Subnets: motoSubnets(t)})
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]string{}
	for resource, name := range map[string]string{"TaskTargets": "ecs", "FunctionTargets": "fn"} {
		in := &elb.CreateTargetGroupInput{Name: aws.String(name), TargetType: elbtypes.TargetTypeEnumLambda}
		out, err := api.CreateTargetGroup(ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		known[resource] = aws.ToString(out.TargetGroups[0].TargetGroupArn)
	}
	listener, err := api.CreateListener(ctx, &elb.CreateListenerInput{
		LoadBalancerArn: lb.LoadBalancers[0].LoadBalancerArn, Port: aws.Int32(80), Protocol: elbtypes.ProtocolEnumHttp,
		DefaultActions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumFixedResponse, FixedResponseConfig: &elbtypes.FixedResponseActionConfig{StatusCode: aws.String("404")}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	known["-listener"] = aws.ToString(listener.Listeners[0].ListenerArn)
	var in elb.CreateRuleInput
	properties(t, "Rule", nil, known, &in)
	rule, err := api.CreateRule(ctx, &in)
	if err != nil {
		t.Fatal(err)
	}
	weights := func(want map[string]int32) {
		t.Helper()
		out, err := api.DescribeRules(ctx, &elb.DescribeRulesInput{RuleArns: []string{aws.ToString(rule.Rules[0].RuleArn)}})
		if err != nil || len(out.Rules) != 1 {
			t.Fatalf("%+v, %v", out, err)
		}
		for _, g := range out.Rules[0].Actions[0].ForwardConfig.TargetGroups {
			if w := want[aws.ToString(g.TargetGroupArn)]; aws.ToInt32(g.Weight) != w {
				t.Errorf("%s has weight %d, want %d", aws.ToString(g.TargetGroupArn), aws.ToInt32(g.Weight), w)
			}
		}
	}
	weights(map[string]int32{known["TaskTargets"]: 100, known["FunctionTargets"]: 0})
	var changed elb.CreateRuleInput
	properties(t, "Rule", map[string]string{"TaskWeight": "75", "FunctionWeight": "25"}, known, &changed)
	if _, err := api.ModifyRule(ctx, &elb.ModifyRuleInput{RuleArn: rule.Rules[0].RuleArn, Actions: changed.Actions}); err != nil {
		t.Fatal(err)
	}
	weights(map[string]int32{known["TaskTargets"]: 75, known["FunctionTargets"]: 25})
	t.Log("verified: weights: the rule's shares of tasks and function, and their change by TaskWeight and FunctionWeight")
}

func motoScaling(t *testing.T, services *ecs.Client, api *applicationautoscaling.Client) {
	ctx := t.Context()
	if _, err := services.CreateCluster(ctx, &ecs.CreateClusterInput{ClusterName: aws.String("scaled")}); err != nil {
		t.Fatal(err)
	}
	var definition ecs.RegisterTaskDefinitionInput
	properties(t, "TaskDefinition", nil, nil, &task{&definition})
	definition.Family = aws.String("scaled")
	if _, err := services.RegisterTaskDefinition(ctx, &definition); err != nil {
		t.Fatal(err)
	}
	if _, err := services.CreateService(ctx, &ecs.CreateServiceInput{
		Cluster: aws.String("scaled"), ServiceName: aws.String("register"), TaskDefinition: aws.String("scaled"), DesiredCount: aws.Int32(1),
	}); err != nil {
		t.Fatal(err)
	}
	const id = "service/scaled/register"
	var target applicationautoscaling.RegisterScalableTargetInput
	properties(t, "ScalableTarget", map[string]string{"MinTasks": "2", "MaxTasks": "9"}, map[string]string{"service/": id}, &target)
	if _, err := api.RegisterScalableTarget(ctx, &target); err != nil {
		t.Fatal(err)
	}
	targets, err := api.DescribeScalableTargets(ctx, &applicationautoscaling.DescribeScalableTargetsInput{ServiceNamespace: scaling.ServiceNamespaceEcs, ResourceIds: []string{id}})
	if err != nil || len(targets.ScalableTargets) != 1 || aws.ToInt32(targets.ScalableTargets[0].MinCapacity) != 2 || aws.ToInt32(targets.ScalableTargets[0].MaxCapacity) != 9 {
		t.Fatalf("targets: %+v, %v", targets, err)
	}
	for _, policy := range []string{"ScaleByCpu", "ScaleByRequests"} {
		in := applicationautoscaling.PutScalingPolicyInput{
			ServiceNamespace: scaling.ServiceNamespaceEcs, ResourceId: aws.String(id), ScalableDimension: scaling.ScalableDimensionECSServiceDesiredCount,
		}
		const label = "app/spillway-staging/0123456789abcdef/targetgroup/spillway-staging-register-ecs/0123456789abcdef"
		properties(t, policy, nil, map[string]string{"TargetGroupFullName": label}, &in)
		if _, err := api.PutScalingPolicy(ctx, &in); err != nil {
			t.Fatalf("%s: %v", policy, err)
		}
	}
	policies, err := api.DescribeScalingPolicies(ctx, &applicationautoscaling.DescribeScalingPoliciesInput{ServiceNamespace: scaling.ServiceNamespaceEcs, ResourceId: aws.String(id)})
	if err != nil {
		t.Fatal(err)
	}
	metrics := map[scaling.MetricType]bool{}
	for _, p := range policies.ScalingPolicies {
		c := p.TargetTrackingScalingPolicyConfiguration
		metrics[c.PredefinedMetricSpecification.PredefinedMetricType] = true
		if aws.ToInt32(c.ScaleInCooldown) <= aws.ToInt32(c.ScaleOutCooldown) || aws.ToFloat64(c.TargetValue) <= 0 {
			t.Errorf("%s: %+v", aws.ToString(p.PolicyName), c)
		}
	}
	if !metrics["ECSServiceAverageCPUUtilizationHighResolution"] || !metrics["ALBRequestCountPerTarget"] || len(metrics) != 2 {
		t.Errorf("policies: %+v", metrics)
	}
	t.Log("verified: scaling: the target's limits and both policies, each slower in than out")
}
