package deploy_test

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"spillway.example/services/local/awstest"
	"spillway.example/spillway/deploy"
	"spillway.example/spillway/deploy/awscloud"
	"spillway.example/spillway/deploy/deploytest"
)

func TestMain(m *testing.M) { os.Exit(awstest.Main(m)) }

// templates are the ones that are deployed for real.
const templates = "../../deploy"

// emulated is an environment of its own on ministack, of the real templates.
type emulated struct {
	cfg  aws.Config
	env  deploy.Environment
	said bytes.Buffer
}

// onMinistack makes an environment of the real templates, cut for ministack.
func onMinistack(t *testing.T, name string, edits ...deploytest.Edit) *emulated {
	t.Helper()
	endpoint := awstest.Ministack.Endpoint(t)
	dir := t.TempDir()
	ministack := emulator(t, "ministack")
	if _, err := deploytest.CutFolder(templates, dir, ministack.Cuts); err != nil {
		t.Fatal(err)
	}
	for _, edit := range edits {
		if err := edit.Make(dir); err != nil {
			t.Fatal(err)
		}
	}
	e := &emulated{cfg: awstest.Config(endpoint)}
	var err error
	if e.env, err = deploy.Load(dir, name); err != nil {
		t.Fatal(err)
	}
	return e
}

func emulator(t *testing.T, name string) deploytest.Emulator {
	t.Helper()
	all, err := deploytest.Emulators()
	if err != nil {
		t.Fatal(err)
	}
	return all[name]
}

func (e *emulated) deployment(change func(*deploy.Deployment)) *deploy.Deployment {
	d := &deploy.Deployment{
		Environment: e.env, Cloud: awscloud.New(e.cfg), Out: &deploy.Output{W: &e.said}, Images: map[string]string{},
		Poll: 50 * time.Millisecond, Timeout: 5 * time.Minute,
	}
	if change != nil {
		change(d)
	}
	return d
}

// TestMinistack brings the whole of an environment up on ministack, changes it, takes it
// back and takes it down. What it logs as verified is what `make deploy-emulated` prints.
func TestMinistack(t *testing.T) {
	t.Parallel()
	e := onMinistack(t, "staging")
	ctx := t.Context()

	t.Log("verified: create: every stack from nothing, in order, by change sets; what runs in them is steady")
	e.apply(t, images("register=a", "login=a"))
	for _, s := range e.env.Stacks {
		e.has(t, s.FullName, "CREATE_COMPLETE", s.Protected)
	}
	e.runs(t, "register", "a", "1")
	e.runs(t, "login", "a", "1")
	e.madeWhatTheTemplatesSay(t)

	t.Log("verified: apply again: no stack has changes")
	e.apply(t, nil)
	e.says(t, "staging: 0 of 11 stacks changed")

	t.Log("verified: diff: a new image of one service changes the stack of that service alone")
	changes, err := e.deployment(images("login=b")).Diff(ctx)
	if err != nil || !changes {
		t.Fatalf("changes: %v, %v", changes, err)
	}
	e.says(t, "of 11 stacks would change: login\n", "~ TaskDefinition ", "new revision", "ContainerDefinitions (by the parameter ImageUri)")
	e.runs(t, "login", "a", "1")

	t.Log("verified: update: the new image runs by both doors, in a new revision and a new version")
	e.apply(t, images("login=b"))
	e.says(t, "staging: 1 of 11 stacks changed")
	e.runs(t, "login", "b", "2")
	e.runs(t, "register", "a", "1")

	t.Log("verified: a change that AWS refuses half-way is taken back: exit code 4, and what served before serves again")
	e.fails(t, deploy.CodeRolledBack, "what served before serves again", deploytest.Edit{
		File: "service.yaml", Old: "\nOutputs:", New: "\n  Refused: {Type: AWS::CloudWatch::Alarm, DependsOn: TaskService, Properties: {Metrics: []}}\nOutputs:",
	})
	e.runs(t, "login", "b", "")

	t.Log("verified: a service that never gets steady: exit code 6, what ECS says of it, and the next apply mends it")
	e.fails(t, deploy.CodeGoesOn, "the service login is not steady after 2s", deploytest.Edit{
		File: "service.yaml", Old: "TaskDefinition: !Ref TaskDefinition", New: "TaskDefinition: none:1",
	})
	e.apply(t, images("login=b"))
	e.runs(t, "login", "b", "")

	t.Log("verified: rollback: the image that served before runs again by both doors; the other service is as it was")
	if err := e.deployment(nil).Rollback(ctx, []string{"login"}); err != nil {
		t.Fatalf("%v\n%s", err, e.said.String())
	}
	e.runs(t, "login", "a", "")
	e.runs(t, "register", "a", "1")

	if err := e.deployment(nil).Destroy(ctx); err == nil {
		t.Error("it is destroyed with the load balancer's deletion protection on")
	}
	e.runs(t, "login", "a", "")
	e.env = e.env.With("edge", "DeletionProtection", "false")
	e.apply(t, nil)
	t.Log("verified: destroy: all but the protected stacks are gone, the last applied first; the table and the pool are there")
	if err := e.deployment(nil).Destroy(ctx); err != nil {
		t.Fatalf("%v\n%s", err, e.said.String())
	}
	e.says(t, "kept, since they are protected: spillway-staging-identity, spillway-staging-data")
	for _, s := range e.env.Stacks {
		if s.Protected {
			e.has(t, s.FullName, "CREATE_COMPLETE", true)
			continue
		}
		if live, err := e.deployment(nil).Cloud.Stacks.Stack(ctx, s.FullName); err != nil || live != nil {
			t.Errorf("%s: %+v, %v", s.FullName, live, err)
		}
	}
	e.keptTheAccounts(t)

	e.cutsAreNeeded(t)
}

// cutsAreNeeded holds the list of cuts to be no longer than it must: without any one of
// them the emulator takes the templates no more.
func (e *emulated) cutsAreNeeded(t *testing.T) {
	t.Helper()
	m := emulator(t, "ministack")
	made, err := deploytest.CutFolder(templates, t.TempDir(), m.Cuts)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range m.Cuts {
		t.Logf("cut for ministack: %s: %s", c, c.Why)
		dir := t.TempDir()
		if _, err := deploytest.CutFolder(templates, dir, slices.Delete(slices.Clone(m.Cuts), i, i+1)); err != nil {
			t.Fatal(err)
		}
		env, err := deploy.Load(dir, e.env.Name)
		if err != nil {
			t.Fatal(err)
		}
		if made[c.String()] == 0 {
			t.Errorf("the cut of %s is of nothing", c)
		}
		e.reset(t)
		if err := e.deployment(func(d *deploy.Deployment) { images("register=a", "login=a")(d); d.Environment = env }).Apply(t.Context()); err == nil {
			t.Errorf("ministack takes %s: the cut is not needed any more", c)
		}
	}
	for _, i := range m.Ignores {
		t.Logf("ignored by ministack: %s %s: %s", i.Type, i.Property, i.Why)
	}
}

// reset has ministack forget everything.
func (e *emulated) reset(t *testing.T) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, aws.ToString(e.cfg.BaseEndpoint)+"/_ministack/reset", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("resetting ministack: %s", res.Status)
	}
}

func (e *emulated) apply(t *testing.T, change func(*deploy.Deployment)) {
	t.Helper()
	e.said.Reset()
	if err := e.deployment(change).Apply(t.Context()); err != nil {
		t.Fatalf("%v\n%s", err, e.said.String())
	}
}

// fails applies a new image of login with an edited template, which must end so.
func (e *emulated) fails(t *testing.T, code deploy.Code, says string, edit deploytest.Edit) {
	t.Helper()
	e.said.Reset()
	err := e.deployment(func(d *deploy.Deployment) {
		images("login=c")(d)
		d.Environment, d.Only, d.Timeout = onMinistack(t, "staging", edit).env, []string{"login"}, 2*time.Second
	}).Apply(t.Context())
	v, ok := errors.AsType[*deploy.Verdict](err)
	if !ok || v.Code != code || !strings.Contains(v.Error(), says) {
		t.Errorf("got %v, want code %d and %q\n%s", err, code, says, e.said.String())
	}
}

func (e *emulated) says(t *testing.T, all ...string) {
	t.Helper()
	for _, s := range all {
		if !strings.Contains(e.said.String(), s) {
			t.Errorf("it does not say %q:\n%s", s, e.said.String())
		}
	}
	e.said.Reset()
}

func (e *emulated) has(t *testing.T, stack, status string, protected bool) {
	t.Helper()
	live, err := e.deployment(nil).Cloud.Stacks.Stack(t.Context(), stack)
	if err != nil || live == nil || live.Status != status || live.Protected != protected {
		t.Errorf("%s: got %+v, %v; want %s, protected %v", stack, live, err, status, protected)
	}
}

// runs checks by ECS's and Lambda's own word what a service runs; version may be empty.
func (e *emulated) runs(t *testing.T, service, digit, version string) {
	t.Helper()
	ctx, want := t.Context(), image(service, digit)
	w := e.deployment(nil).Cloud.Workloads
	s, err := w.Service(ctx, "arn:aws:ecs:eu-west-1:000000000000:service/spillway-staging/"+service)
	if err != nil || len(s.Rollouts) != 1 {
		t.Fatalf("%s: %+v, %v", service, s, err)
	}
	got, err := w.TaskImages(ctx, s.Rollouts[0].TaskDefinition)
	if err != nil || !slices.Contains(got, want) {
		t.Errorf("the tasks of %s run %v, %v; want %s", service, got, err, want)
	}
	f, err := w.Alias(ctx, "arn:aws:lambda:eu-west-1:000000000000:function:spillway-staging-"+service+":live")
	if err != nil || f.Image != want || version != "" && f.Version != version {
		t.Errorf("the function of %s: got %+v, %v; want version %s of %s", service, f, err, version, want)
	}
}

// madeWhatTheTemplatesSay looks at what is in the stacks by the services' own APIs.
func (e *emulated) madeWhatTheTemplatesSay(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	service, err := ecs.NewFromConfig(e.cfg).DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: aws.String("spillway-staging"), Services: []string{"register"}})
	if err != nil || len(service.Services) != 1 {
		t.Fatalf("the service: %+v, %v", service, err)
	}
	s := service.Services[0]
	if b := s.DeploymentConfiguration.DeploymentCircuitBreaker; b == nil || !b.Enable || !b.Rollback {
		t.Errorf("circuit breaker: %+v", b)
	}
	if len(s.LoadBalancers) != 1 || aws.ToInt32(s.LoadBalancers[0].ContainerPort) != 8080 {
		t.Errorf("load balancers: %+v", s.LoadBalancers)
	}
	task, err := ecs.NewFromConfig(e.cfg).DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{TaskDefinition: s.TaskDefinition})
	if err != nil {
		t.Fatal(err)
	}
	e.edge(t)
	c := task.TaskDefinition.ContainerDefinitions[0]
	if !aws.ToBool(c.ReadonlyRootFilesystem) || aws.ToString(c.User) == "" || aws.ToInt32(c.StopTimeout) <= 45 || !slices.Equal(c.EntryPoint, []string{"/var/runtime/bootstrap"}) {
		t.Errorf("the container: %+v", c)
	}
	environment := map[string]string{}
	for _, v := range c.Environment {
		environment[aws.ToString(v.Name)] = aws.ToString(v.Value)
	}
	stack, err := cloudformation.NewFromConfig(e.cfg).ListExports(ctx, &cloudformation.ListExportsInput{})
	if err != nil {
		t.Fatal(err)
	}
	exports := map[string]string{}
	for _, x := range stack.Exports {
		exports[aws.ToString(x.Name)] = aws.ToString(x.Value)
	}
	for setting, export := range map[string]string{"USERS_TABLE": "table", "USER_POOL_ID": "pool-id", "USER_POOL_CLIENT_ID": "client-id", "USER_POOL_CLIENT_SECRET_ARN": "client-secret-arn"} {
		if v := environment[setting]; v == "" || v != exports["spillway-staging-"+export] {
			t.Errorf("%s is %q, and the export %s %q", setting, v, export, exports["spillway-staging-"+export])
		}
	}
	e.keptTheAccounts(t)
	secret, err := secretsmanager.NewFromConfig(e.cfg).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String(environment["USER_POOL_CLIENT_SECRET_ARN"])})
	if err != nil || len(aws.ToString(secret.SecretString)) < 20 {
		t.Errorf("the client's secret is not kept (%v)", err)
	}
}

// edge looks at the load balancer: HTTPS of today, and nothing answered over HTTP.
func (e *emulated) edge(t *testing.T) {
	t.Helper()
	ctx, api := t.Context(), elb.NewFromConfig(e.cfg)
	lbs, err := api.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{Names: []string{"spillway-staging"}})
	if err != nil || len(lbs.LoadBalancers) != 1 {
		t.Fatalf("the load balancer: %+v, %v", lbs, err)
	}
	listeners, err := api.DescribeListeners(ctx, &elb.DescribeListenersInput{LoadBalancerArn: lbs.LoadBalancers[0].LoadBalancerArn})
	if err != nil || len(listeners.Listeners) != 2 {
		t.Fatalf("the listeners: %+v, %v", listeners, err)
	}
	for _, l := range listeners.Listeners {
		first := l.DefaultActions[0]
		switch l.Protocol {
		case elbtypes.ProtocolEnumHttps:
			if !strings.Contains(aws.ToString(l.SslPolicy), "TLS13") || aws.ToString(first.FixedResponseConfig.StatusCode) != "404" {
				t.Errorf("HTTPS: %+v", l)
			}
		default:
			if first.Type != elbtypes.ActionTypeEnumRedirect || aws.ToString(first.RedirectConfig.Protocol) != "HTTPS" {
				t.Errorf("HTTP: %+v", l)
			}
		}
	}
}

// keptTheAccounts checks that the table and the user pool are there.
func (e *emulated) keptTheAccounts(t *testing.T) {
	t.Helper()
	tables, err := dynamodb.NewFromConfig(e.cfg).ListTables(t.Context(), &dynamodb.ListTablesInput{})
	if err != nil || !slices.Contains(tables.TableNames, "spillway-staging-users") {
		t.Errorf("the table is not there: %+v, %v", tables, err)
	}
	pools, err := cognitoidentityprovider.NewFromConfig(e.cfg).ListUserPools(t.Context(), &cognitoidentityprovider.ListUserPoolsInput{MaxResults: aws.Int32(60)})
	if err != nil || len(pools.UserPools) == 0 || aws.ToString(pools.UserPools[0].Name) != "spillway-staging" {
		t.Errorf("the pool is not there: %+v, %v", pools, err)
	}
}
