package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ready brings a stack to where it can be changed, and gives it; nil where it is to be
// created. It waits for what AWS is at, and deletes the remains of a creation that failed,
// unless there is something in them to be kept.
func (d *Deployment) ready(ctx context.Context, s Stack) (*LiveStack, error) {
	for {
		live, err := d.Cloud.Stacks.Stack(ctx, s.FullName)
		if err != nil {
			return nil, fmt.Errorf("%s: reading the stack: %w", s.FullName, err)
		}
		switch stateOf(live) {
		case absent:
			return nil, nil
		case settled:
			return live, nil
		case busy:
			d.Out.Line("%s: is %s, by somebody else or an earlier run: following it first", s.FullName, live.Status)
			f, err := d.follower(ctx, live)
			if err != nil {
				return nil, err
			}
			if _, err := f.until(ctx); err != nil {
				return nil, err
			}
		case unborn:
			if err := d.bury(ctx, s, live); err != nil {
				return nil, err
			}
		case stuck, undead:
			return nil, d.needsHand(ctx, s, live, nil)
		}
	}
}

// bury deletes a stack whose creation failed.
func (d *Deployment) bury(ctx context.Context, s Stack, live *LiveStack) error {
	left, err := d.left(ctx, live)
	if err != nil {
		return err
	}
	kept := slices.DeleteFunc(left, func(r Resource) bool { return !s.Protected && !s.retains(r) })
	if len(kept) > 0 {
		v := &Verdict{Code: CodeNeedsHand, What: fmt.Sprintf("%s is %s: it could not be created, and must be deleted before it can be, but it still has what must not be lost", s.FullName, live.Status)}
		for _, r := range kept {
			v.Hints = append(v.Hints, fmt.Sprintf("  %s (%s): %s", r.LogicalID, r.Type, r.PhysicalID))
		}
		v.Hints = append(v.Hints, "see to these; then: aws cloudformation delete-stack --stack-name "+s.FullName+", and run the same command again")
		return v
	}
	d.Out.Line("%s: is %s, with nothing in it to be kept: deleting it, to create it anew", s.FullName, live.Status)
	return d.deleteStack(ctx, s, live)
}

// left gives the resources that a stack still has.
func (d *Deployment) left(ctx context.Context, live *LiveStack) ([]Resource, error) {
	all, err := d.Cloud.Stacks.Resources(ctx, live.ID)
	if err != nil {
		return nil, fmt.Errorf("%s: reading its resources: %w", live.Name, err)
	}
	return slices.DeleteFunc(all, Resource.gone), nil
}

// retains says whether the template keeps a resource when its stack is deleted.
func (s Stack) retains(r Resource) bool {
	return slices.ContainsFunc(s.Template.resources, func(t declared) bool {
		return t.LogicalID == r.LogicalID && t.DeletionPolicy != "" && t.DeletionPolicy != "Delete"
	})
}

// needsHand is the verdict on a stack that only somebody can help.
func (d *Deployment) needsHand(ctx context.Context, s Stack, live *LiveStack, hints []string) error {
	v := &Verdict{Code: CodeNeedsHand, What: fmt.Sprintf("%s is %s and needs a hand", s.FullName, live.Status), Hints: hints}
	if live.Reason != "" {
		v.What += ": " + live.Reason
	}
	left, err := d.left(ctx, live)
	if err != nil {
		return errors.Join(v, err)
	}
	var failed []string
	for _, r := range left {
		if strings.HasSuffix(r.Status, "_FAILED") {
			failed = append(failed, r.LogicalID)
			v.Hints = append(v.Hints, fmt.Sprintf("  %s (%s) is %s: %s", r.LogicalID, r.Type, r.Status, r.Reason))
		}
	}
	again := "; then run the same command again"
	switch stateOf(live) {
	case stuck:
		v.Hints = append(v.Hints, "mend what is named above, then: aws cloudformation continue-update-rollback --stack-name "+s.FullName+again)
		if len(failed) > 0 {
			v.Hints = append(v.Hints, "or leave them as they are: the same with --resources-to-skip "+strings.Join(failed, " "))
		}
	case undead:
		v.Hints = append(v.Hints, "see to what is named above; then: spillway deploy destroy "+d.Environment.Name+" -only "+s.Name)
	default:
		v.Hints = append(v.Hints, "see to what is named above; then: aws cloudformation delete-stack --stack-name "+s.FullName+again)
	}
	return v
}
