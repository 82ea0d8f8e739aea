package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Deployment runs the verbs over one environment.
type Deployment struct {
	Environment Environment
	Cloud       Cloud
	Out         *Output

	Images map[string]string // the image that a service is to run, by service
	// Only are the stacks to look at, by name or by [Infrastructure] and [Services]; all
	// where it is empty.
	Only   []string
	DryRun bool // change nothing

	// Settings gives the settings that a service's program reads, and whether it requires
	// each; nil where they are not known.
	Settings func(service string) map[string]bool
	// AllowReplacement lets resources of protected stacks be replaced and removed.
	AllowReplacement bool
	// Cancel has AWS take an update back that is cut off, or in a rollback's way.
	Cancel bool
	// Poll is how long to wait before AWS is asked again.
	Poll time.Duration
	// Timeout is how long to wait for one stack, and then for what it runs.
	Timeout time.Duration
}

// The names that stand for several stacks.
const (
	Infrastructure = "infrastructure" // those of no service: what must be there before an image can be
	Services       = "services"       // those of services
)

// is says whether a name of Only means the stack.
func (s Stack) is(name string) bool {
	return s.Name == name || name == Infrastructure && s.Service == "" || name == Services && s.Service != ""
}

// Check finds what is wrong with the deployment before AWS is asked anything.
func (d *Deployment) Check() error {
	var wrong []error
	for _, name := range d.Only {
		if !slices.ContainsFunc(d.Environment.Stacks, func(s Stack) bool { return s.is(name) }) {
			wrong = append(wrong, fmt.Errorf("-only: there is no stack %s; there are %s, and %s and %s for several", name,
				strings.Join(d.names(func(Stack) bool { return true }), ", "), Infrastructure, Services))
		}
	}
	for service, uri := range d.Images {
		services := d.names(func(s Stack) bool { return s.Service != "" })
		if !slices.Contains(services, service) {
			wrong = append(wrong, fmt.Errorf("-image: there is no service %s; there are %s", service, strings.Join(services, ", ")))
		}
		if _, err := ParseImage(uri); err != nil {
			wrong = append(wrong, fmt.Errorf("-image: %w", err))
		}
	}
	return errors.Join(wrong...)
}

func (d *Deployment) names(which func(Stack) bool) (names []string) {
	for _, s := range d.Environment.Stacks {
		if which(s) {
			names = append(names, s.Name)
		}
	}
	return names
}

// selected gives the stacks to look at, in the order in which they are applied.
func (d *Deployment) selected() []Stack {
	return slices.DeleteFunc(slices.Clone(d.Environment.Stacks), func(s Stack) bool {
		return len(d.Only) > 0 && !slices.ContainsFunc(d.Only, s.is)
	})
}

// tags are what every stack and, by CloudFormation, every resource in it is tagged with:
// what a bill is told apart by. A change here changes every resource that there is.
func (d *Deployment) tags() map[string]string {
	return map[string]string{"spillway:environment": d.Environment.Name}
}

// sleep waits until AWS may be asked again.
func (d *Deployment) sleep(ctx context.Context) error {
	select {
	case <-time.After(d.Poll):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// tidy gives a context for what must still be done when ctx is over.
func tidy(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
}
