package deploy

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// Rollback has services run the image again that served before, and changes nothing else:
// each stack keeps the template and every other parameter that it has. Where Images has
// one of a service, it goes to that.
func (d *Deployment) Rollback(ctx context.Context, services []string) error {
	var stacks []Stack
	for _, name := range services {
		i := slices.IndexFunc(d.Environment.Stacks, func(s Stack) bool { return s.Service == name })
		if i < 0 {
			return fmt.Errorf("there is no service %s in %s", name, d.Environment.Name)
		}
		stacks = append(stacks, d.Environment.Stacks[i])
	}
	for i, s := range stacks {
		if err := d.rollbackStack(ctx, s); err != nil {
			return d.cutOff(ctx, verbRollback, s, stacks[i+1:], err)
		}
	}
	return nil
}

func (d *Deployment) rollbackStack(ctx context.Context, s Stack) error {
	live, err := d.Cloud.Stacks.Stack(ctx, s.FullName)
	if err != nil {
		return fmt.Errorf("%s: reading the stack: %w", s.FullName, err)
	}
	if live != nil && live.Status == "UPDATE_IN_PROGRESS" && d.Cancel && !d.DryRun {
		return d.takeBack(ctx, s, live)
	}
	if stateOf(live) == busy && d.DryRun {
		return fmt.Errorf("%s: is %s: what a rollback would do can be told when that is over", s.FullName, live.Status)
	}
	if stateOf(live) == absent || stateOf(live) == unborn {
		return fmt.Errorf("%s: has never come to be: there is nothing to go back to", s.FullName)
	}
	if live, err = d.ready(ctx, s); err != nil {
		return err
	}
	if live == nil {
		return fmt.Errorf("%s: is not there any more", s.FullName)
	}
	current, _ := live.parameter(paramImage)
	image, err := d.previous(ctx, s, current)
	if err != nil {
		return err
	}
	d.Out.Line("%s: from %s back to %s", s.FullName, short(current), short(image))
	r := ChangeSetRequest{Stack: s.FullName, Capabilities: s.Capabilities, Tags: d.tags()}
	for _, name := range slices.Sorted(maps.Keys(live.Parameters)) {
		v := Value{Name: name, Value: live.Parameters[name], Previous: true}
		if name == paramImage {
			v = Value{Name: name, Value: image}
		}
		r.Values = append(r.Values, v)
	}
	set, err := d.compute(ctx, r)
	if err != nil {
		return err
	}
	if len(set.Changes) > 0 {
		d.showChanges(set.Changes)
		if d.DryRun {
			return d.discard(ctx, s.FullName, set.ID)
		}
		if live, err = d.execute(ctx, s, set); err != nil {
			return err
		}
	}
	if d.DryRun {
		return nil
	}
	return d.settle(ctx, s, live, image, verbRollback)
}

// previous finds the image to go back to.
func (d *Deployment) previous(ctx context.Context, s Stack, current string) (string, error) {
	if image := d.Images[s.Service]; image != "" {
		return image, nil
	}
	history, err := d.Cloud.Releases.Releases(ctx, d.Environment.Name, s.Service)
	if err != nil {
		return "", fmt.Errorf("%s: reading its releases: %w", s.FullName, err)
	}
	if image := Previous(history, current); image != "" {
		return image, nil
	}
	return "", fmt.Errorf("%s: no image is known that served before %s: give one with -image %s=REPOSITORY@sha256:DIGEST", s.FullName, short(current), s.Service)
}

// takeBack cancels an update that is going on, which is itself the way back.
func (d *Deployment) takeBack(ctx context.Context, s Stack, live *LiveStack) error {
	f, err := d.follower(ctx, live)
	if err != nil {
		return err
	}
	if err := d.Cloud.Stacks.CancelUpdate(ctx, live.ID); err != nil {
		return fmt.Errorf("%s: cancelling the update: %w", s.FullName, err)
	}
	d.Out.Line("%s: the update is cancelled: AWS takes the stack back", s.FullName)
	if live, err = f.until(ctx); err != nil {
		return err
	}
	if live.Status != "UPDATE_ROLLBACK_COMPLETE" {
		return d.needsHand(ctx, s, live, f.causes())
	}
	image, _ := live.parameter(paramImage)
	return d.settle(ctx, s, live, image, verbRollback)
}
