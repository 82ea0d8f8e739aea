package deploy

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// request gives what a stack should become. live is nil where it is to be created.
func (d *Deployment) request(s Stack, live *LiveStack) (ChangeSetRequest, error) {
	values, err := d.Environment.Values(s, d.Images, live)
	if err != nil {
		return ChangeSetRequest{}, err
	}
	body, err := s.Template.Body()
	return ChangeSetRequest{
		Stack: s.FullName, Create: stateOf(live) == absent, Template: body, Values: values,
		Capabilities: s.Capabilities, Tags: d.tags(),
	}, err
}

// compute has AWS compute a change set. One that would change nothing is deleted, and has
// no changes; so is one that cannot be computed or is waited for no longer.
func (d *Deployment) compute(ctx context.Context, r ChangeSetRequest) (set ChangeSet, err error) {
	r.Name = fmt.Sprintf("spillway-%d", time.Now().UnixNano())
	id, err := d.Cloud.Stacks.CreateChangeSet(ctx, r)
	if err != nil {
		err = fmt.Errorf("%s: asking for the changes: %w", r.Stack, err)
		if ctx.Err() != nil { // it may have been made all the same, and only the answer not have come
			_ = d.discard(ctx, r.Stack, r.Name)
		}
		return ChangeSet{}, err
	}
	defer func() {
		if err != nil || len(set.Changes) == 0 {
			err = errors.Join(err, d.discard(ctx, r.Stack, id))
		}
	}()
	for {
		set, err = d.Cloud.Stacks.ChangeSet(ctx, r.Stack, id)
		switch {
		case err != nil:
			return ChangeSet{}, fmt.Errorf("%s: reading the changes: %w", r.Stack, err)
		case set.Failed != "" && changesNothing(set.Failed):
			return ChangeSet{ID: id}, nil
		case set.Failed != "":
			return ChangeSet{}, fmt.Errorf("%s: CloudFormation refuses the change: %s", r.Stack, set.Failed)
		case set.Ready:
			return set, nil
		}
		d.Out.Progress("%s: computing the changes", r.Stack)
		if err := d.sleep(ctx); err != nil {
			return ChangeSet{}, err
		}
	}
}

// discard deletes a change set, also when ctx is over.
func (d *Deployment) discard(ctx context.Context, stack, id string) error {
	ctx, cancel := tidy(ctx)
	defer cancel()
	if err := d.Cloud.Stacks.DeleteChangeSet(ctx, stack, id); err != nil {
		return fmt.Errorf("%s: deleting the change set: %w", stack, err)
	}
	return nil
}

// changesNothing recognizes the only way in which CloudFormation says so.
func changesNothing(reason string) bool {
	return strings.Contains(reason, "didn't contain changes") || strings.Contains(reason, "No updates are to be performed")
}
