package deploy

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Apply makes the stacks what the files say, one after the other: a change set for each,
// then what runs in it steady. It stops at the first that fails.
func (d *Deployment) Apply(ctx context.Context) error {
	if d.DryRun {
		_, err := d.Diff(ctx)
		return err
	}
	stacks := d.selected()
	if err := d.complete(ctx, stacks); err != nil {
		return d.cutOff(ctx, verbApply, stacks[0], stacks[1:], err)
	}
	began := time.Now()
	changed := 0
	for i, s := range stacks {
		did, err := d.applyStack(ctx, s)
		if err != nil {
			return d.cutOff(ctx, verbApply, s, stacks[i+1:], err)
		}
		if did {
			changed++
		}
	}
	d.Out.Line("%s: %d of %s changed, in %v", d.Environment.Name, changed, count(len(stacks), "stack"), time.Since(began).Round(time.Second))
	return nil
}

// complete finds every value that is missing or wrong before the first stack is touched.
func (d *Deployment) complete(ctx context.Context, stacks []Stack) error {
	var wrong []error
	for _, s := range stacks {
		live, err := d.Cloud.Stacks.Stack(ctx, s.FullName)
		if err != nil {
			return fmt.Errorf("%s: reading the stack: %w", s.FullName, err)
		}
		if _, err := d.request(s, live); err != nil {
			wrong = append(wrong, err)
		}
	}
	return errors.Join(wrong...)
}

// applyStack makes one stack what it should be, and says whether it had to change it.
func (d *Deployment) applyStack(ctx context.Context, s Stack) (changed bool, err error) {
	live, err := d.ready(ctx, s)
	if err != nil {
		return false, err
	}
	r, err := d.request(s, live)
	if err != nil {
		return false, err
	}
	set, err := d.compute(ctx, r)
	if err != nil {
		return false, err
	}
	switch {
	case len(set.Changes) == 0:
		d.Out.Line("%s: no changes", s.FullName)
	case r.Create:
		d.Out.Line("%s: creating it, with %s", s.FullName, count(len(set.Changes), "resource"))
	default:
		d.Out.Line("%s: %s", s.FullName, count(len(set.Changes), "change"))
		d.showChanges(set.Changes)
	}
	if len(set.Changes) > 0 {
		if err := d.guard(s, set.Changes); err != nil {
			return false, errors.Join(err, d.discard(ctx, s.FullName, set.ID))
		}
		if live, err = d.execute(ctx, s, set); err != nil {
			return true, err
		}
	}
	return len(set.Changes) > 0, d.settle(ctx, s, live, r.image(), verbApply)
}

// image gives the image that a stack is to run, empty where it is of no service.
func (r ChangeSetRequest) image() string {
	for _, v := range r.Values {
		if v.Name == paramImage {
			return v.Value
		}
	}
	return ""
}

// execute makes the changes of a change set and follows them to their end.
func (d *Deployment) execute(ctx context.Context, s Stack, set ChangeSet) (*LiveStack, error) {
	live, err := d.Cloud.Stacks.Stack(ctx, s.FullName)
	if err == nil && live == nil {
		err = errors.New("it is not there any more")
	}
	var f *follower
	if err == nil {
		f, err = d.follower(ctx, live)
	}
	if err == nil {
		err = d.Cloud.Stacks.Execute(ctx, s.FullName, set.ID)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: executing the change set: %w", s.FullName, err), d.discard(ctx, s.FullName, set.ID))
	}
	f.awaits = true
	live, err = f.until(ctx)
	if err != nil {
		return live, err
	}
	if !reached(live.Status) {
		return live, d.failure(ctx, s, live, f)
	}
	return live, nil
}

// settle waits for what runs in a stack, protects the stack, and records the release. It
// does so also where nothing changed: an earlier run may have been cut off before.
func (d *Deployment) settle(ctx context.Context, s Stack, live *LiveStack, image, verb string) error {
	if s.Protected && !live.Protected {
		if err := d.Cloud.Stacks.Protect(ctx, live.ID, true); err != nil {
			return fmt.Errorf("%s: protecting it from termination: %w", s.FullName, err)
		}
		d.Out.Line("%s: is protected from termination now", s.FullName)
	}
	if s.Service == "" {
		return nil
	}
	if err := d.steady(ctx, s, live.ID, image); err != nil {
		return err
	}
	history, err := d.Cloud.Releases.Releases(ctx, d.Environment.Name, s.Service)
	if err != nil {
		return fmt.Errorf("%s: reading its releases: %w", s.FullName, err)
	}
	if image == "" || len(history) > 0 && history[len(history)-1].Image == image {
		return nil
	}
	if err := d.Cloud.Releases.Record(ctx, d.Environment.Name, s.Service, Release{Image: image, Verb: verb, Time: time.Now().UTC()}); err != nil {
		return fmt.Errorf("%s: recording the release: %w", s.FullName, err)
	}
	return nil
}

// failure is the verdict on a stack whose change has failed.
func (d *Deployment) failure(ctx context.Context, s Stack, live *LiveStack, f *follower) error {
	v := &Verdict{Code: CodeRolledBack, Hints: f.causes()}
	if w, err := d.workloads(ctx, live.ID); err == nil {
		for _, arn := range w.services {
			if service, err := d.Cloud.Workloads.Service(ctx, arn); err == nil {
				v.Hints = append(v.Hints, d.symptoms(ctx, arn, service)...)
			}
		}
	}
	switch live.Status {
	case "UPDATE_ROLLBACK_COMPLETE":
		v.What = s.FullName + ": the change failed, and AWS took it back: what served before serves again"
		v.Hints = append(v.Hints, "mend what is named above and run the same command again")
	case "ROLLBACK_COMPLETE":
		v.What = s.FullName + ": could not be created, and AWS deleted what it had made of it"
		v.Hints = append(v.Hints, "mend what is named above and run the same command again: it deletes the empty stack and creates it anew")
	default:
		return d.needsHand(ctx, s, live, v.Hints)
	}
	return v
}

// cutOff adds to an error that ended a verb what it left, and what it did not begin.
func (d *Deployment) cutOff(ctx context.Context, verb string, s Stack, rest []Stack, err error) error {
	d.Out.Clear()
	notBegun := ""
	if len(rest) > 0 {
		var names []string
		for _, r := range rest {
			names = append(names, r.Name)
		}
		notBegun = "not begun: " + strings.Join(names, ", ")
	}
	v, isVerdict := errors.AsType[*Verdict](err)
	switch {
	case ctx.Err() != nil:
		v = d.interrupted(ctx, verb, s)
	case errors.Is(err, errPatience):
		v = &Verdict{Code: CodeGoesOn, What: fmt.Sprintf("%s: waited %v; AWS goes on with it", s.FullName, d.Timeout), Hints: []string{"run the same command again to wait on"}}
	case !isVerdict:
		return err
	}
	if notBegun != "" {
		v.Hints = append(v.Hints, notBegun)
	}
	return v
}

// interrupted is the verdict after a signal: what AWS is at, and how to go on.
func (d *Deployment) interrupted(ctx context.Context, verb string, s Stack) *Verdict {
	ctx, cancel := tidy(ctx)
	defer cancel()
	v := &Verdict{Code: CodeInterrupted, What: "interrupted at " + s.FullName}
	again := "run the same command again to go on"
	live, err := d.Cloud.Stacks.Stack(ctx, s.FullName)
	switch {
	case err != nil:
		v.Hints = []string{"how the stack is cannot be read now: " + err.Error(), again}
	case stateOf(live) != busy:
		v.Hints = []string{"AWS does nothing there now", again}
	case d.Cancel && live.Status == "UPDATE_IN_PROGRESS":
		if err := d.Cloud.Stacks.CancelUpdate(ctx, live.ID); err != nil {
			v.Hints = []string{"the update could not be cancelled: " + err.Error(), "it goes on in AWS; " + again}
			break
		}
		v.Hints = []string{"the update is cancelled, as asked: AWS takes the stack back", "spillway deploy status " + d.Environment.Name + " shows it"}
	default:
		v.Hints = []string{fmt.Sprintf("it is %s, and AWS goes on with that", live.Status), again + ": it follows this first"}
		if live.Status == "UPDATE_IN_PROGRESS" && verb != verbRollback {
			v.Hints = append(v.Hints, "to have AWS take it back instead: aws cloudformation cancel-update-stack --stack-name "+s.FullName)
		}
	}
	return v
}

// count gives a number of things.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
