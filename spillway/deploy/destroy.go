package deploy

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Destroy deletes the stacks, the last applied first. It keeps those that are protected,
// and says so.
func (d *Deployment) Destroy(ctx context.Context) error {
	stacks := d.selected()
	slices.Reverse(stacks)
	if err := d.deletable(ctx, stacks); err != nil {
		return err
	}
	var kept []string
	for i, s := range stacks {
		keep, err := d.destroyStack(ctx, s)
		if err != nil {
			return d.cutOff(ctx, "destroy", s, stacks[i+1:], err)
		}
		if keep {
			kept = append(kept, s.FullName)
		}
	}
	if len(kept) > 0 {
		d.Out.Line("kept, since they are protected: %s", strings.Join(kept, ", "))
		d.Out.Line("to end one of them with all that is in it is a decision of its own: docs/deploy.md says how")
	}
	return nil
}

// paramDeletionProtection is the parameter by which a template has AWS refuse to delete what
// is in its stack.
const paramDeletionProtection = "DeletionProtection"

// deletable finds what AWS would refuse to delete before anything is deleted.
func (d *Deployment) deletable(ctx context.Context, stacks []Stack) error {
	v := &Verdict{Code: CodeNeedsHand, What: "AWS would refuse to delete what is protected in these stacks, so nothing was deleted"}
	var names []string
	for _, s := range stacks {
		live, err := d.Cloud.Stacks.Stack(ctx, s.FullName)
		if err != nil {
			return fmt.Errorf("%s: reading the stack: %w", s.FullName, err)
		}
		on, _ := live.parameter(paramDeletionProtection)
		if live == nil || s.Protected || live.Protected || on != "true" {
			continue // it is not there, kept, or can be deleted
		}
		names = append(names, s.Name)
		v.Hints = append(v.Hints, fmt.Sprintf("  %s: %s is true", s.FullName, paramDeletionProtection))
	}
	if len(names) == 0 {
		return nil
	}
	v.Hints = append(v.Hints, fmt.Sprintf(`set %s: "false" for them in environments/%s.yaml, then: spillway deploy apply -only %s %s, and destroy again`,
		paramDeletionProtection, d.Environment.Name, strings.Join(names, ","), d.Environment.Name))
	return v
}

// destroyStack deletes one stack, and says whether it was kept instead.
func (d *Deployment) destroyStack(ctx context.Context, s Stack) (kept bool, err error) {
	live, err := d.Cloud.Stacks.Stack(ctx, s.FullName)
	switch {
	case err != nil:
		return false, fmt.Errorf("%s: reading the stack: %w", s.FullName, err)
	case live == nil:
		d.Out.Line("%s: is not there", s.FullName)
		return false, d.forget(ctx, s)
	case s.Protected || live.Protected:
		d.Out.Line("%s: is protected, and kept", s.FullName)
		return true, nil
	case d.DryRun:
		d.Out.Line("%s: would be deleted", s.FullName)
		return false, nil
	}
	if stateOf(live) == busy && live.Status != "DELETE_IN_PROGRESS" {
		d.Out.Line("%s: is %s: following that first", s.FullName, live.Status)
		f, err := d.follower(ctx, live)
		if err != nil {
			return false, err
		}
		if _, err := f.until(ctx); err != nil {
			return false, err
		}
	}
	if err := d.deleteStack(ctx, s, live); err != nil {
		return false, err
	}
	return false, d.forget(ctx, s)
}

// forget deletes what is kept of a stack's service elsewhere.
func (d *Deployment) forget(ctx context.Context, s Stack) error {
	if s.Service == "" || d.DryRun {
		return nil
	}
	if err := d.Cloud.Releases.Forget(ctx, d.Environment.Name, s.Service); err != nil {
		return fmt.Errorf("%s: forgetting its releases: %w", s.FullName, err)
	}
	return nil
}

// deleteStack deletes a stack and follows that to its end.
func (d *Deployment) deleteStack(ctx context.Context, s Stack, live *LiveStack) error {
	f, err := d.follower(ctx, live)
	if err != nil {
		return err
	}
	if err := d.Cloud.Stacks.Delete(ctx, live.ID); err != nil {
		return fmt.Errorf("%s: deleting it: %w", s.FullName, err)
	}
	f.awaits = live.Status != "DELETE_IN_PROGRESS"
	if live, err = f.until(ctx); err != nil {
		return err
	}
	if live.Status != "DELETE_COMPLETE" {
		return d.needsHand(ctx, s, live, f.causes())
	}
	return d.showKept(ctx, s, live)
}

// showKept says which resources a deleted stack has left behind.
func (d *Deployment) showKept(ctx context.Context, s Stack, live *LiveStack) error {
	all, err := d.Cloud.Stacks.Resources(ctx, live.ID)
	if err != nil {
		return fmt.Errorf("%s: reading what it left: %w", s.FullName, err)
	}
	for _, r := range all {
		if r.Status == "DELETE_SKIPPED" {
			d.Out.Line("%s: is deleted, and has left %s (%s): %s", s.FullName, r.LogicalID, r.Type, r.PhysicalID)
		}
	}
	d.Out.Line("%s: is deleted", s.FullName)
	return nil
}
