package deploy

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// workloads are what runs in a stack.
type workloads struct {
	services, aliases []string // ARNs
	taskDefinition    string   // the one that the stack means to run; empty where it has none
}

func (d *Deployment) workloads(ctx context.Context, stack string) (w workloads, err error) {
	all, err := d.Cloud.Stacks.Resources(ctx, stack)
	if err != nil {
		return w, fmt.Errorf("reading the stack's resources: %w", err)
	}
	for _, r := range all {
		if r.gone() {
			continue
		}
		switch r.Type {
		case "AWS::ECS::Service":
			w.services = append(w.services, r.PhysicalID)
		case "AWS::ECS::TaskDefinition":
			w.taskDefinition = r.PhysicalID
		case "AWS::Lambda::Alias":
			w.aliases = append(w.aliases, r.PhysicalID)
		}
	}
	return w, nil
}

// gone says whether a resource is not there, or not yet.
func (r Resource) gone() bool {
	return r.PhysicalID == "" || r.Status == "DELETE_COMPLETE"
}

// watch shows what an ECS service does.
type watch struct {
	d      *Deployment
	arn    string
	seen   map[string]bool // events, by id
	states map[string]string
}

// watch begins with what a service does from now on.
func (d *Deployment) watch(arn string) *watch {
	return &watch{d: d, arn: arn, states: map[string]string{}}
}

// look shows what has happened to the service since the last look.
func (w *watch) look(ctx context.Context) (Service, error) {
	s, err := w.d.Cloud.Workloads.Service(ctx, w.arn)
	if err != nil {
		return s, fmt.Errorf("reading the service: %w", err)
	}
	first := w.seen == nil
	if first {
		w.seen = map[string]bool{}
	}
	for _, e := range slices.Backward(s.Events) {
		if !w.seen[e.ID] && !first {
			w.d.Out.Line("%s  %s", e.Time.Local().Format(time.TimeOnly), e.Message)
		}
		w.seen[e.ID] = true
	}
	for _, r := range s.Rollouts {
		state := r.String()
		if w.states[r.ID] != state && r.Status == "PRIMARY" && (!first || r.State != "COMPLETED") {
			w.d.Out.Line("%s  (service %s) %s", time.Now().Format(time.TimeOnly), s.Name, state)
		}
		w.states[r.ID] = state
	}
	return s, nil
}

// String gives how far a rollout is.
func (r Rollout) String() string {
	s := fmt.Sprintf("%s runs %d of %d tasks, %s", r.TaskDefinition[strings.LastIndex(r.TaskDefinition, "/")+1:], r.Running, r.Desired, r.State)
	if r.FailedTasks > 0 {
		s += fmt.Sprintf(", %d failed", r.FailedTasks)
	}
	return s
}

// verdict says whether a service is steady, or why it will not come to be. Neither: it may
// yet.
func (s Service) verdict() (steady bool, failed string) {
	for _, r := range s.Rollouts {
		if r.Status == "PRIMARY" && r.State == "FAILED" {
			return false, r.Reason
		}
	}
	if len(s.Rollouts) != 1 || s.Running != s.Desired || s.Pending != 0 {
		return false, ""
	}
	// A service that another controller rolls out has no state at all.
	return s.Rollouts[0].State == "COMPLETED" || s.Rollouts[0].State == "", ""
}

// verdict is the same for a function.
func (f Function) verdict() (steady bool, failed string) {
	switch f.State {
	case "Failed":
		return false, f.Reason
	case "Pending":
		return false, ""
	}
	return true, "" // Active, or Inactive: not called for so long that its place was given up
}

// steady waits until what runs in a stack runs as the stack has it, with the image where
// one is given.
func (d *Deployment) steady(ctx context.Context, s Stack, stack, image string) error {
	w, err := d.workloads(ctx, stack)
	if err != nil {
		return err
	}
	began := time.Now()
	for _, arn := range w.services {
		if err := d.serviceSteady(ctx, s, arn, w.taskDefinition, image, began); err != nil {
			return err
		}
	}
	for _, arn := range w.aliases {
		if err := d.aliasSteady(ctx, s, arn, image, began); err != nil {
			return err
		}
	}
	return nil
}

func (d *Deployment) serviceSteady(ctx context.Context, s Stack, arn, taskDefinition, image string, began time.Time) error {
	watch := d.watch(arn)
	for {
		live, err := watch.look(ctx)
		if err != nil {
			return err
		}
		steady, failed := live.verdict()
		switch {
		case failed != "":
			return &Verdict{
				Code: CodeNeedsHand, What: fmt.Sprintf("%s: the service %s failed: %s", s.FullName, live.Name, failed),
				Hints: append(d.symptoms(ctx, arn, live), "nothing takes it back by itself: spillway deploy rollback "+d.Environment.Name+" "+s.Name),
			}
		case steady:
			return d.serves(ctx, s, arn, live, taskDefinition, image)
		case time.Since(began) > d.Timeout:
			return &Verdict{
				Code: CodeGoesOn, What: fmt.Sprintf("%s: the service %s is not steady after %v; ECS goes on trying", s.FullName, live.Name, d.Timeout),
				Hints: append(d.symptoms(ctx, arn, live), "run the same command again to wait on, or: spillway deploy rollback "+d.Environment.Name+" "+s.Name),
			}
		}
		d.Out.Progress("%s: %d of %d tasks run, %v", live.Name, live.Running, live.Desired, time.Since(began).Round(time.Second))
		if err := d.sleep(ctx); err != nil {
			return err
		}
	}
}

// serves checks that a steady service runs what it should, and not what its circuit
// breaker went back to.
func (d *Deployment) serves(ctx context.Context, s Stack, arn string, live Service, taskDefinition, image string) error {
	runs := live.Rollouts[0].TaskDefinition
	if taskDefinition != "" && family(runs) != family(taskDefinition) {
		return &Verdict{
			Code: CodeRolledBack, What: fmt.Sprintf("%s: the service %s runs %s, not %s: ECS took the deployment back", s.FullName, live.Name, family(runs), family(taskDefinition)),
			Hints: append(d.symptoms(ctx, arn, live), "what served before serves again; the stack itself still has the new one: spillway deploy rollback "+d.Environment.Name+" "+s.Name),
		}
	}
	if image == "" {
		return nil
	}
	images, err := d.Cloud.Workloads.TaskImages(ctx, runs)
	if err != nil {
		return fmt.Errorf("%s: reading the task definition: %w", s.FullName, err)
	}
	if !slices.Contains(images, image) {
		return &Verdict{Code: CodeNeedsHand, What: fmt.Sprintf("%s: the service %s is steady, but its task definition %s does not run %s", s.FullName, live.Name, family(runs), short(image))}
	}
	d.Out.Line("%s: the service is steady: %d of %d tasks run %s", s.FullName, live.Running, live.Desired, short(image))
	return nil
}

// family gives family:revision of a task definition's ARN.
func family(arn string) string { return arn[strings.LastIndex(arn, "/")+1:] }

func (d *Deployment) aliasSteady(ctx context.Context, s Stack, arn, image string, began time.Time) error {
	for {
		f, err := d.Cloud.Workloads.Alias(ctx, arn)
		if err != nil {
			return fmt.Errorf("%s: reading the function's alias: %w", s.FullName, err)
		}
		steady, failed := f.verdict()
		switch {
		case failed != "":
			return &Verdict{
				Code: CodeNeedsHand, What: fmt.Sprintf("%s: version %s of the function %s failed: %s", s.FullName, f.Version, f.Name, failed),
				Hints: []string{"nothing takes it back by itself: spillway deploy rollback " + d.Environment.Name + " " + s.Name},
			}
		case steady && image != "" && f.Image != image:
			return &Verdict{Code: CodeNeedsHand, What: fmt.Sprintf("%s: the alias %s of the function %s leads to version %s, which runs %s and not %s",
				s.FullName, f.Alias, f.Name, f.Version, short(f.Image), short(image))}
		case steady:
			d.Out.Line("%s: the function is steady: %s leads to version %s", s.FullName, f.Alias, f.Version)
			return nil
		case time.Since(began) > d.Timeout:
			return &Verdict{
				Code: CodeGoesOn, What: fmt.Sprintf("%s: version %s of the function %s is %s after %v", s.FullName, f.Version, f.Name, f.State, d.Timeout),
				Hints: []string{"run the same command again to wait on"},
			}
		}
		d.Out.Progress("%s: version %s of the function is %s", s.FullName, f.Version, f.State)
		if err := d.sleep(ctx); err != nil {
			return err
		}
	}
}

// symptoms gives why tasks ended and what ECS said last: what is wanted first of a service
// that does not come up.
func (d *Deployment) symptoms(ctx context.Context, arn string, live Service) (lines []string) {
	const most = 5
	stopped, err := d.Cloud.Workloads.Stopped(ctx, arn)
	if err != nil {
		lines = append(lines, "  why its tasks ended is not known: "+err.Error())
	}
	for _, reason := range stopped[:min(len(stopped), most)] {
		lines = append(lines, "  a task ended: "+reason)
	}
	for _, e := range live.Events[:min(len(live.Events), most)] {
		lines = append(lines, fmt.Sprintf("  %s %s", e.Time.Local().Format(time.TimeOnly), e.Message))
	}
	return lines
}
