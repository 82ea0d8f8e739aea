package deploy_test

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"spillway.example/spillway/deploy"
	"spillway.example/spillway/deploy/deploytest"
)

func TestApply(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.apply(t, "register=a", "login=a")
	w.says(t, "spillway-staging-network: creating it, with 1 resource", "spillway-staging-data: is protected from termination now",
		"the service is steady: 2 of 2 tasks run spillway-staging/register@sha256:aaaaaaaaaaaa", "staging: 4 of 4 stacks changed")
	w.runs(t, "register", "a")
	w.runs(t, "login", "a")

	w.apply(t) // without images what is live stays
	w.says(t, "spillway-staging-network: no changes", "spillway-staging-login: no changes", "staging: 0 of 4 stacks changed")

	w.apply(t, "login=b")
	w.says(t, "spillway-staging-register: no changes", "staging: 1 of 4 stacks changed")
	w.runs(t, "register", "a")
	w.runs(t, "login", "b")
	if n := w.ChangeSets(); n != 0 {
		t.Errorf("%d change sets were left behind", n)
	}
}

// A new image of one service changes that one alone.
func TestDiffOfOneImage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.apply(t, "register=a", "login=a")
	w.said.Reset()
	changes, err := w.deployment(t, images("login=b")).Diff(t.Context())
	if err != nil || !changes {
		t.Fatalf("changes: %v, %v", changes, err)
	}
	const want = `spillway-staging-network: no changes
spillway-staging-data: no changes
spillway-staging-register: no changes
spillway-staging-login: 5 changes
  ~ Alias           AWS::Lambda::Alias        modified in place
      TaskDefinition (by Version)
  ~ Function        AWS::Lambda::Function     modified in place
      Properties
  ~ TaskDefinition  AWS::ECS::TaskDefinition  new revision
      ContainerDefinitions (by the parameter ImageUri)
  ~ TaskService     AWS::ECS::Service         modified in place
      TaskDefinition (by TaskDefinition)
  ~ Version         AWS::Lambda::Version      new revision
      Properties
of 4 stacks would change: login
`
	if got := w.said.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if n := w.ChangeSets(); n != 0 {
		t.Errorf("%d change sets were left behind", n)
	}
	w.runs(t, "login", "a")
}

// A crashing image is taken back by ECS and CloudFormation, and what served before serves
// again; the next apply goes on from there.
func TestCrashingImage(t *testing.T) {
	t.Parallel()
	t.Log("verified: a crashing image: ECS and CloudFormation go back, exit code 4, why its tasks ended; the next apply goes on, on an AWS in memory")
	w := newWorld(t)
	w.apply(t, "register=a", "login=a")
	w.Crash(image("register", "b"))
	w.said.Reset()
	err := w.deployment(t, images("register=b", "login=b")).Apply(t.Context())
	w.wants(t, err, deploy.CodeRolledBack, "spillway-staging-register: the change failed, and AWS took it back: what served before serves again",
		"ECS Deployment Circuit Breaker was triggered", "a task ended: Essential container in task exited; container service exited with 2",
		"mend what is named above and run the same command again", "not begun: login")
	w.says(t, "(service register) spillway-staging-register:3 runs 0 of 2 tasks, IN_PROGRESS, 1 failed", "UPDATE_ROLLBACK_IN_PROGRESS")
	w.runs(t, "register", "a")
	w.apply(t, "register=c")
	w.runs(t, "register", "c")
	// The crashed one was never a release: a rollback goes past it.
	if err := w.deployment(t, nil).Rollback(t.Context(), []string{"register"}); err != nil {
		t.Fatal(err)
	}
	w.runs(t, "register", "a")
}

// Where the very first image crashes there is nothing to go back to: the next apply deletes
// what is left and creates it anew.
func TestCrashingFirstImage(t *testing.T) {
	t.Parallel()
	t.Log("verified: a stack in ROLLBACK_COMPLETE is deleted and created anew, on an AWS in memory")
	w := newWorld(t)
	w.Crash(image("register", "a"))
	err := w.deployment(t, images("register=a", "login=a")).Apply(t.Context())
	w.wants(t, err, deploy.CodeRolledBack, "could not be created", "it deletes the empty stack and creates it anew")
	if got := w.Status("spillway-staging-register"); got != "ROLLBACK_COMPLETE" {
		t.Fatalf("the stack is %s", got)
	}
	w.apply(t, "register=b", "login=b")
	w.says(t, "is ROLLBACK_COMPLETE, with nothing in it to be kept: deleting it, to create it anew")
	w.runs(t, "register", "b")
}

// Every kind of broken stack ends in a verdict that says what to do, and nothing is lost.
func TestBrokenStacks(t *testing.T) {
	t.Parallel()
	t.Log("verified: stacks that need a hand: exit code 5, what to do, and nothing lost, on an AWS in memory")
	for _, tt := range []struct {
		name, stack, status, failedStatus, failed string
		code                                      deploy.Code
		says                                      []string
	}{
		{"a table survives a failed creation", "data", "ROLLBACK_COMPLETE", "DELETE_SKIPPED", "Table", deploy.CodeNeedsHand,
			[]string{"still has what must not be lost", "Table (AWS::DynamoDB::Table): spillway-staging-data-Table", "aws cloudformation delete-stack --stack-name spillway-staging-data", "not begun: register, login"}},
		{"an update cannot be taken back", "register", "UPDATE_ROLLBACK_FAILED", "UPDATE_FAILED", "Role", deploy.CodeNeedsHand,
			[]string{"is UPDATE_ROLLBACK_FAILED and needs a hand: it broke", "Role (AWS::IAM::Role) is UPDATE_FAILED: Access Denied",
				"aws cloudformation continue-update-rollback --stack-name spillway-staging-register", "--resources-to-skip Role"}},
		{"a deletion failed", "login", "DELETE_FAILED", "DELETE_FAILED", "Role", deploy.CodeNeedsHand,
			[]string{"is DELETE_FAILED and needs a hand", "spillway deploy destroy staging -only login"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.apply(t, "register=a", "login=a")
			w.SetStatus("spillway-staging-"+tt.stack, tt.status, "it broke", tt.failedStatus, tt.failed)
			err := w.deployment(t, nil).Apply(t.Context())
			w.wants(t, err, tt.code, tt.says...)
			if got := w.Status("spillway-staging-" + tt.stack); got != tt.status {
				t.Errorf("the stack is %s now", got)
			}
			w.SetStatus("spillway-staging-"+tt.stack, "UPDATE_ROLLBACK_COMPLETE", "", "UPDATE_COMPLETE", tt.failed) // somebody has helped
			w.apply(t)
		})
	}
}

// What is in protected stacks is not replaced by mistake.
func TestReplacement(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.apply(t, "register=a", "login=a")
	w.said.Reset()
	renamed := func(d *deploy.Deployment) { d.Environment = d.Environment.With("data", "Suffix", "people") }
	if _, err := w.deployment(t, renamed).Diff(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.says(t, "! Table  AWS::DynamoDB::Table  REPLACED: made anew, and the old one deleted", "apply refuses this without -allow-replacement")
	err := w.deployment(t, renamed).Apply(t.Context())
	w.wants(t, err, deploy.CodeNeedsHand, "spillway-staging-data is protected", "Table (AWS::DynamoDB::Table) would be REPLACED", "-allow-replacement")
	if n := w.ChangeSets(); n != 0 {
		t.Errorf("%d change sets were left behind", n)
	}
	if err := w.deployment(t, func(d *deploy.Deployment) { renamed(d); d.AllowReplacement = true }).Apply(t.Context()); err != nil {
		t.Error(err)
	}
}

// What is wrong is found before the first stack is touched.
func TestMissingValues(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	err := w.deployment(t, func(d *deploy.Deployment) {
		images("register=a")(d)
		d.Environment = d.Environment.With("network", "Zones", "4")
	}).Apply(t.Context())
	w.wants(t, err, 0, "network: Zones: must be one of 2, 3", "login: no image is known: give one with -image login=")
	if got := w.Status("spillway-staging-network"); got != "" {
		t.Errorf("network is %s", got)
	}
}

// A service that does not come up in time is left to AWS, and followed by the next apply.
func TestNeverSteady(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.apply(t, "register=a", "login=a")
	w.Hang(image("register", "b"))
	err := w.deployment(t, func(d *deploy.Deployment) {
		images("register=b")(d)
		d.Timeout = 50 * time.Millisecond
	}).Apply(t.Context())
	w.wants(t, err, deploy.CodeGoesOn, "spillway-staging-register: waited 50ms; AWS goes on with it", "run the same command again to wait on", "not begun: login")
	w.said.Reset()
	// The way out of it.
	if err := w.deployment(t, func(d *deploy.Deployment) { d.Cancel = true }).Rollback(t.Context(), []string{"register"}); err != nil {
		t.Errorf("%v\n%s", err, w.said.String())
	}
	w.says(t, "the update is cancelled: AWS takes the stack back")
	if got := w.Serves("register"); got != image("register", "a") {
		t.Errorf("the tasks run %s", got)
	}
}

// The stack may be done and the service not.
func TestUnsteadyService(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.apply(t, "register=a", "login=a")
	w.Shake("register")
	err := w.deployment(t, func(d *deploy.Deployment) { d.Timeout = 50 * time.Millisecond }).Apply(t.Context())
	w.wants(t, err, deploy.CodeGoesOn, "spillway-staging-register: the service register is not steady after 50ms", "spillway deploy rollback staging register")
}

// Calls that AWS throttles are tried again; what it goes on throttling is said.
func TestThrottling(t *testing.T) {
	t.Parallel()
	t.Log("verified: throttled calls are tried again, on an AWS in memory")
	w := newWorld(t)
	for _, action := range []string{"CreateChangeSet", "DescribeStacks", "ExecuteChangeSet", "DescribeServices"} {
		w.Fail(deploytest.Fault{Action: action, After: 1, Times: 2, Status: 400, Code: "Throttling", Say: "Rate exceeded"})
	}
	w.apply(t, "register=a", "login=a")
	w.Fail(deploytest.Fault{Action: "DescribeStackEvents", Status: 400, Code: "Throttling", Say: "Rate exceeded"})
	err := w.deployment(t, images("register=b")).Apply(t.Context())
	w.wants(t, err, 0, "AWS still throttled the call", "wait a minute and run the same command again (Throttling)")
	w.Mend()
	w.apply(t, "register=b")
	w.runs(t, "register", "b")
}

// Wherever the credentials expire, one line says so, and another run goes on.
func TestExpiredCredentials(t *testing.T) {
	t.Parallel()
	t.Log("verified: credentials that expire, at each call in turn: one line, and another run goes on, on an AWS in memory")
	n := calls(t)
	for i := range n {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.Fail(deploytest.Fault{After: i, Status: 403, Code: "ExpiredToken", Say: "The security token included in the request is expired"})
			err := w.deployment(t, few).Apply(t.Context())
			w.wants(t, err, 0, "the AWS credentials have expired: get new ones (aws sso login, or a new session) and run the same command again")
			w.Mend()
			if err := w.deployment(t, few).Apply(t.Context()); err != nil {
				t.Fatal(err)
			}
			w.runs(t, "register", "a")
		})
	}
}

// Whichever answer is lost on the way, the call is tried again, and means the same.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	t.Log("verified: answers that are lost, at each call in turn: the call is tried again, and counts once, on an AWS in memory")
	n := calls(t)
	for i := range n {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.Fail(deploytest.Fault{After: i, Times: 1, Lost: true})
			if err := w.deployment(t, few).Apply(t.Context()); err != nil {
				t.Fatalf("%v\n%s", err, w.said.String())
			}
			w.runs(t, "register", "a")
			if n := w.ChangeSets(); n != 0 {
				t.Errorf("%d change sets were left behind", n)
			}
		})
	}
}

// few is a deployment of as few stacks as have every kind of step in them.
func few(d *deploy.Deployment) {
	d.Only = []string{"data", "register"}
	images("register=a")(d)
}

// calls says how many calls an apply of these takes.
func calls(t *testing.T) int {
	t.Helper()
	w := newWorld(t)
	if err := w.deployment(t, few).Apply(t.Context()); err != nil {
		t.Fatal(err)
	}
	return len(w.Calls())
}

// Wherever somebody presses Ctrl-C, the verdict says how things are, no change set is left
// lying about, and another run goes on to the same end.
func TestInterruptedAnywhere(t *testing.T) {
	t.Parallel()
	t.Log("verified: Ctrl-C at each call in turn: exit code 130, how things are, and another run goes on, on an AWS in memory")
	n := calls(t)
	for i := 1; i <= n; i++ {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			var at string
			w.OnCall(func(n int, action string) {
				if n == i {
					at = action
					interrupt()
				}
			})
			err := w.deployment(t, few).Apply(ctx)
			if i == n && err == nil {
				return // it was done
			}
			w.wants(t, err, deploy.CodeInterrupted, "interrupted at spillway-staging-", "run the same command again to go on")
			if at == "ExecuteChangeSet" && !strings.Contains(err.Error(), "and AWS goes on with that") {
				t.Errorf("after it was executed: %v", err)
			}
			if n := w.ChangeSets(); n != 0 {
				t.Errorf("at %s: %d change sets were left behind", at, n)
			}
			w.OnCall(nil)
			if err := w.deployment(t, few).Apply(t.Context()); err != nil {
				t.Fatal(err)
			}
			w.runs(t, "register", "a")
		})
	}
}

// An update that is cut off is taken back only where that was asked for.
func TestInterruptedUpdate(t *testing.T) {
	t.Parallel()
	for _, cancel := range []bool{false, true} {
		w := newWorld(t)
		w.apply(t, "register=a", "login=a")
		ctx, interrupt := context.WithCancel(t.Context())
		defer interrupt()
		w.OnCall(func(_ int, action string) {
			if action == "ExecuteChangeSet" {
				interrupt()
			}
		})
		err := w.deployment(t, func(d *deploy.Deployment) { images("register=b")(d); d.Cancel = cancel }).Apply(ctx)
		w.OnCall(nil)
		if cancel {
			w.wants(t, err, deploy.CodeInterrupted, "the update is cancelled, as asked: AWS takes the stack back")
			w.apply(t)
			w.runs(t, "register", "a")
			continue
		}
		w.wants(t, err, deploy.CodeInterrupted, "it is UPDATE_IN_PROGRESS, and AWS goes on with that", "aws cloudformation cancel-update-stack --stack-name spillway-staging-register")
		w.said.Reset()
		w.apply(t, "register=b")
		w.says(t, "is UPDATE_IN_PROGRESS, by somebody else or an earlier run: following it first")
		w.runs(t, "register", "b")
	}
}

func TestRollback(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.apply(t, "register=a", "login=a")
	w.apply(t, "register=b", "login=b")
	w.said.Reset()
	dry := w.deployment(t, func(d *deploy.Deployment) { d.DryRun = true })
	if err := dry.Rollback(t.Context(), []string{"register"}); err != nil {
		t.Fatal(err)
	}
	w.runs(t, "register", "b")
	if err := w.deployment(t, nil).Rollback(t.Context(), []string{"register"}); err != nil {
		t.Fatal(err)
	}
	w.says(t, "from spillway-staging/register@sha256:bbbbbbbbbbbb back to spillway-staging/register@sha256:aaaaaaaaaaaa")
	w.runs(t, "register", "a")
	w.runs(t, "login", "b")
	err := w.deployment(t, nil).Rollback(t.Context(), []string{"register"})
	w.wants(t, err, 0, "no image is known that served before", "-image register=REPOSITORY@sha256:DIGEST")
	if err := w.deployment(t, images("register=c")).Rollback(t.Context(), []string{"register"}); err != nil {
		t.Fatal(err)
	}
	w.runs(t, "register", "c")
	err = w.deployment(t, nil).Rollback(t.Context(), []string{"data"})
	w.wants(t, err, 0, "there is no service data")
}

func TestDestroy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.apply(t, "register=a", "login=a")
	w.said.Reset()
	if err := w.deployment(t, func(d *deploy.Deployment) { d.DryRun = true }).Destroy(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.says(t, "spillway-staging-login: would be deleted", "spillway-staging-data: is protected, and kept")
	w.runs(t, "login", "a")
	if err := w.deployment(t, nil).Destroy(t.Context()); err != nil {
		t.Fatal(err)
	}
	said := w.said.String()
	w.says(t, "kept, since they are protected: spillway-staging-data", "spillway-staging-network: is deleted")
	if l, r := strings.Index(said, "login: is deleted"), strings.Index(said, "register: is deleted"); l < 0 || l > r {
		t.Errorf("login is not deleted before register:\n%s", said)
	}
	for stack, want := range map[string]string{"network": "", "data": "CREATE_COMPLETE", "register": "", "login": ""} {
		if got := w.Status("spillway-staging-" + stack); got != want {
			t.Errorf("%s is %q, want %q", stack, got, want)
		}
	}
	if err := w.deployment(t, nil).Destroy(t.Context()); err != nil { // again
		t.Error(err)
	}
	w.says(t, "spillway-staging-login: is not there")
	w.apply(t, "register=a", "login=a") // and up again, on the table that was kept
	w.runs(t, "login", "a")
}

// What AWS would refuse to delete is found before the first stack is gone.
func TestDestroyProtected(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.apply(t, "register=a", "login=a")
	if err := w.deployment(t, func(d *deploy.Deployment) {
		d.Environment = d.Environment.With("network", "DeletionProtection", "true").With("network", "Zones", "3")
	}).Apply(t.Context()); err != nil {
		t.Fatal(err)
	}
	err := w.deployment(t, nil).Destroy(t.Context())
	w.wants(t, err, deploy.CodeNeedsHand, "nothing was deleted", "spillway-staging-network: DeletionProtection is true", "spillway deploy apply -only network staging, and destroy again")
	w.runs(t, "login", "a")
	w.apply(t) // it is false in the file
	if err := w.deployment(t, nil).Destroy(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.apply(t, "register=a", "login=a")
	w.Shake("login")
	w.said.Reset()
	if err := w.deployment(t, func(d *deploy.Deployment) { d.Only = []string{deploy.Services} }).Status(t.Context()); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(w.said.String(), "network") {
		t.Errorf("it shows more than was asked for:\n%s", w.said.String())
	}
	w.says(t, "spillway-staging-register     CREATE_COMPLETE since ", "  tasks     2 of 2 run, steady", "  tasks     1 of 2 run, not steady", "function  live leads to version 1, Active", "  apply     ")
}

// A terminal's last line is rewritten, and never left behind.
func TestTerminal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := w.deployment(t, images("register=a", "login=a"))
	d.Out.Terminal = true
	if err := d.Apply(t.Context()); err != nil {
		t.Fatal(err)
	}
	said := w.said.String()
	if !regexp.MustCompile(`is CREATE_IN_PROGRESS, \d+s\r\x1b\[K`).MatchString(said) || !strings.HasSuffix(said, "s\n") {
		t.Errorf("got %q", said)
	}
}
