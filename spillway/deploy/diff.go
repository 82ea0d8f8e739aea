package deploy

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Diff shows what Apply would change, by change sets that AWS computes against the live
// stacks and that are deleted again. A stack that is not there yet is shown from its
// template. It says whether anything would change, and goes on past a stack for which that
// cannot be told.
func (d *Deployment) Diff(ctx context.Context) (changes bool, err error) {
	stacks := d.selected()
	var would []string
	var wrong []error
	for i, s := range stacks {
		did, err := d.diffStack(ctx, s)
		switch {
		case ctx.Err() != nil:
			return false, d.cutOff(ctx, "diff", s, stacks[i+1:], ctx.Err())
		case err != nil:
			wrong = append(wrong, err)
		case did:
			would = append(would, s.Name)
		}
	}
	names := strings.Join(would, ", ")
	if len(would) == 0 {
		names = "none"
	}
	d.Out.Line("of %s would change: %s", count(len(stacks), "stack"), names)
	return len(would) > 0, errors.Join(wrong...)
}

// diffStack shows what would become of one stack.
func (d *Deployment) diffStack(ctx context.Context, s Stack) (changes bool, err error) {
	live, err := d.Cloud.Stacks.Stack(ctx, s.FullName)
	if err != nil {
		return false, fmt.Errorf("%s: reading the stack: %w", s.FullName, err)
	}
	switch stateOf(live) {
	case absent:
		return true, d.showNew(s)
	case busy:
		return false, fmt.Errorf("%s: is %s: what would change can be told when that is over", s.FullName, live.Status)
	case stuck, undead:
		return false, d.needsHand(ctx, s, live, nil)
	case unborn:
		d.Out.Line("%s: is %s: it would be deleted and created anew", s.FullName, live.Status)
		return true, nil
	}
	r, err := d.request(s, live)
	if err != nil {
		return false, err
	}
	set, err := d.compute(ctx, r)
	if err != nil {
		return false, err
	}
	if len(set.Changes) == 0 {
		d.Out.Line("%s: no changes", s.FullName)
		return false, nil
	}
	d.Out.Line("%s: %s", s.FullName, count(len(set.Changes), "change"))
	d.showChanges(set.Changes)
	if err := d.guard(s, set.Changes); err != nil {
		d.Out.Line("  apply refuses this without -allow-replacement: the stack is protected")
	}
	return true, d.discard(ctx, s.FullName, set.ID)
}

// showNew shows a stack that is not there yet.
func (d *Deployment) showNew(s Stack) error {
	if _, err := d.request(s, nil); err != nil {
		return err
	}
	d.Out.Line("%s: is not there yet, and would be created, with %s", s.FullName, count(len(s.Template.resources), "resource"))
	id := 0
	for _, r := range s.Template.resources {
		id = max(id, len(r.LogicalID))
	}
	for _, r := range s.Template.resources {
		line := fmt.Sprintf("  + %-*s  %s", id, r.LogicalID, r.Type)
		if r.Condition != "" {
			line += ", if " + r.Condition
		}
		d.Out.Line("%s", line)
	}
	return nil
}
