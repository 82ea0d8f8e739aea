package deploy

import (
	"context"
	"errors"
	"time"
)

// Cloud is everything that the verbs ask of AWS.
type Cloud struct {
	Region    string
	Stacks    Stacks
	Workloads Workloads
	Releases  Releases
	Checks    Checks
}

// Stacks is what the verbs need of CloudFormation. A stack is named by its name or its id;
// only the id still finds one that was deleted.
type Stacks interface {
	// Stack gives a stack as it is, nil where there is none.
	Stack(ctx context.Context, name string) (*LiveStack, error)
	// Events gives what has happened to a stack after the event with the id after, oldest
	// first. Where after is empty it gives the newest alone.
	Events(ctx context.Context, stack, after string) ([]Event, error)
	// Resources gives the resources of a stack, those that were deleted among them.
	Resources(ctx context.Context, stack string) ([]Resource, error)
	// CreateChangeSet has a change set computed, and gives its id. It creates the stack,
	// without resources, where it is not there.
	CreateChangeSet(ctx context.Context, r ChangeSetRequest) (id string, err error)
	// ChangeSet gives a change set as far as it is computed.
	ChangeSet(ctx context.Context, stack, id string) (ChangeSet, error)
	// Execute has AWS make the changes of a change set.
	Execute(ctx context.Context, stack, id string) error
	// DeleteChangeSet deletes a change set that was not executed.
	DeleteChangeSet(ctx context.Context, stack, id string) error
	// Delete has AWS delete a stack.
	Delete(ctx context.Context, stack string) error
	// CancelUpdate has AWS stop an update and take the stack back.
	CancelUpdate(ctx context.Context, stack string) error
	// Protect switches a stack's termination protection.
	Protect(ctx context.Context, stack string, on bool) error
}

// LiveStack is a stack as AWS has it.
type LiveStack struct {
	ID, Name   string
	Status     string // such as CREATE_COMPLETE
	Reason     string // why it has that status, where AWS says so
	Changed    time.Time
	Parameters map[string]string // NoEcho ones masked
	Protected  bool              // termination protection is on
}

// parameter gives the value that a stack has for a parameter. A stack that is not there
// has none.
func (l *LiveStack) parameter(name string) (string, bool) {
	if l == nil {
		return "", false
	}
	v, ok := l.Parameters[name]
	return v, ok
}

// Event is something that has happened to a stack or to a resource in it.
type Event struct {
	ID         string
	Time       time.Time
	LogicalID  string // the stack's own name for the stack itself
	PhysicalID string
	Type       string
	Status     string
	Reason     string
}

// Resource is a resource of a live stack.
type Resource struct {
	LogicalID, PhysicalID, Type, Status, Reason string
}

// ChangeSetRequest is what a stack should become.
type ChangeSetRequest struct {
	Stack        string
	Name         string
	Create       bool   // the stack is not there yet
	Template     string // empty keeps the template that it has
	Values       []Value
	Capabilities []string
	Tags         map[string]string
}

// ChangeSet is what would become of a stack.
type ChangeSet struct {
	ID      string
	Ready   bool   // it is computed; otherwise AWS is still at it
	Failed  string // why it could not be computed; empty where it could
	Changes []Change
}

// Change is what would become of one resource.
type Change struct {
	Action      string // Add, Modify, Remove, Import or Dynamic
	LogicalID   string
	PhysicalID  string
	Type        string
	Replacement string // True, Conditional, False or empty
	Properties  []PropertyChange
}

// PropertyChange is why a resource changes.
type PropertyChange struct {
	Path          string // such as Properties.ContainerDefinitions, or Tags
	Before, After string // empty where AWS does not say
	Cause         string // such as the parameter ImageUri; empty where it is the template
	Recreates     string // Always, Conditionally or Never
}

// Workloads is what the verbs ask of what runs: ECS services and Lambda aliases.
type Workloads interface {
	// Service gives an ECS service as it is, by its ARN; an error around [ErrNoService]
	// where it is not there any more.
	Service(ctx context.Context, arn string) (Service, error)
	// Stopped gives why the tasks of a service that ended last did so, newest first.
	Stopped(ctx context.Context, arn string) ([]string, error)
	// TaskImages gives the images of a task definition's containers.
	TaskImages(ctx context.Context, taskDefinition string) ([]string, error)
	// Alias gives what a Lambda alias leads to, by the alias's ARN.
	Alias(ctx context.Context, arn string) (Function, error)
}

// ErrNoService is an ECS service that is not there, or not any more.
var ErrNoService = errors.New("there is no such service")

// Service is an ECS service as it is.
type Service struct {
	Name                      string
	Desired, Running, Pending int
	Rollouts                  []Rollout
	Events                    []ServiceEvent // newest first
}

// Rollout is what ECS calls a deployment of a service.
type Rollout struct {
	ID             string
	Status         string // PRIMARY, ACTIVE or INACTIVE
	State          string // COMPLETED, FAILED or IN_PROGRESS
	Reason         string
	TaskDefinition string
	Running        int
	Desired        int
	FailedTasks    int
}

// ServiceEvent is a line of what ECS says of a service.
type ServiceEvent struct {
	ID      string
	Time    time.Time
	Message string
}

// Function is the version of a Lambda function that an alias leads to.
type Function struct {
	Name, Alias, Version string
	State                string // Pending, Active, Inactive or Failed
	Reason               string
	Image                string
}

// Releases keeps which images have served, of each service.
type Releases interface {
	// Releases gives a service's releases, oldest first; none where nothing is kept.
	Releases(ctx context.Context, environment, service string) ([]Release, error)
	// Record adds a release.
	Record(ctx context.Context, environment, service string, r Release) error
	// Forget deletes what is kept of a service.
	Forget(ctx context.Context, environment, service string) error
}
