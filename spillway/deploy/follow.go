package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// errPatience is a wait that has taken as long as it may.
var errPatience = errors.New("waited long enough")

// follower shows what happens to one stack, and to what runs in it.
type follower struct {
	d        *Deployment
	stack    string // its id
	name     string
	last     string // the id of the last event that was shown
	failures []Event
	service  *watch // nil until there is a service in it
	began    time.Time
	// awaits is a follower of what was just asked for: until the first event the stack
	// may still have the status from before.
	awaits bool
}

// follower begins after what has happened to a stack so far.
func (d *Deployment) follower(ctx context.Context, live *LiveStack) (*follower, error) {
	f := &follower{d: d, stack: live.ID, name: live.Name, began: time.Now()}
	events, err := d.Cloud.Stacks.Events(ctx, live.ID, "")
	if err != nil {
		return nil, fmt.Errorf("%s: reading its events: %w", live.Name, err)
	}
	if len(events) > 0 {
		f.last = events[len(events)-1].ID
	}
	return f, nil
}

// until follows the stack until AWS has ended what it does there.
func (f *follower) until(ctx context.Context) (*LiveStack, error) {
	for {
		live, err := f.d.Cloud.Stacks.Stack(ctx, f.stack)
		if err != nil {
			return nil, fmt.Errorf("%s: reading the stack: %w", f.name, err)
		}
		if live == nil { // deleted so long ago that AWS has forgotten it
			live = &LiveStack{ID: f.stack, Name: f.name, Status: "DELETE_COMPLETE"}
		}
		if err := f.events(ctx); err != nil { // after the status, so that none is missed
			return live, err
		}
		if stateOf(live) != busy && !f.awaits {
			return live, nil
		}
		if err := f.watch(ctx); err != nil {
			return live, err
		}
		if time.Since(f.began) > f.d.Timeout {
			return live, errPatience
		}
		f.d.Out.Progress("%s is %s, %v", f.name, live.Status, time.Since(f.began).Round(time.Second))
		if err := f.d.sleep(ctx); err != nil {
			return live, err
		}
	}
}

// events shows what has happened since they were last shown.
func (f *follower) events(ctx context.Context) error {
	events, err := f.d.Cloud.Stacks.Events(ctx, f.stack, f.last)
	if err != nil {
		return fmt.Errorf("%s: reading its events: %w", f.name, err)
	}
	for i, e := range events {
		f.last, f.awaits = e.ID, false
		if e.failed() {
			f.failures = append(f.failures, e)
		}
		if !overtaken(e, events[i+1:]) {
			f.d.Out.Line("%s", e)
		}
	}
	return nil
}

// overtaken says whether what an event began is over by a later one: then that says enough.
func overtaken(e Event, later []Event) bool {
	return strings.HasSuffix(e.Status, "_IN_PROGRESS") && slices.ContainsFunc(later, func(l Event) bool {
		return l.LogicalID == e.LogicalID && l.Type == e.Type
	})
}

// watch shows what the service in the stack does meanwhile.
func (f *follower) watch(ctx context.Context) error {
	if f.service == nil {
		r, err := f.d.workloads(ctx, f.stack)
		if err != nil {
			return err
		}
		if len(r.services) == 0 {
			return nil
		}
		f.service = f.d.watch(r.services[0])
	}
	_, err := f.service.look(ctx)
	if errors.Is(err, ErrNoService) { // what goes on is that it is deleted
		return nil
	}
	return err
}

// failed says whether an event is the failure of something. What was merely cancelled since
// something else failed is not.
func (e Event) failed() bool {
	return strings.HasSuffix(e.Status, "_FAILED") && !strings.Contains(e.Reason, "cancelled")
}

// String gives an event as a line.
func (e Event) String() string {
	s := fmt.Sprintf("%s  %-36s  %s (%s)", e.Time.Local().Format(time.TimeOnly), e.Status, e.LogicalID, strings.TrimPrefix(e.Type, "AWS::"))
	if e.Reason != "" {
		s += ": " + strings.Join(strings.Fields(e.Reason), " ")
	}
	return s
}

// causes gives what failed first, for the end of the output.
func (f *follower) causes() (lines []string) {
	const most = 3
	for _, e := range f.failures[:min(len(f.failures), most)] {
		lines = append(lines, fmt.Sprintf("  %s (%s): %s", e.LogicalID, e.Type, strings.Join(strings.Fields(e.Reason), " ")))
	}
	return lines
}
