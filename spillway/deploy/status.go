package deploy

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Status shows how each stack is, and what runs in it.
func (d *Deployment) Status(ctx context.Context) error {
	for _, s := range d.selected() {
		live, err := d.Cloud.Stacks.Stack(ctx, s.FullName)
		if err != nil {
			return fmt.Errorf("%s: reading the stack: %w", s.FullName, err)
		}
		if live == nil {
			d.Out.Line("%-28s  not there", s.FullName)
			continue
		}
		line := fmt.Sprintf("%-28s  %s since %s", s.FullName, live.Status, live.Changed.Local().Format(time.DateTime))
		if live.Protected {
			line += ", protected"
		}
		if live.Reason != "" && stateOf(live) != settled {
			line += ": " + live.Reason
		}
		d.Out.Line("%s", line)
		if err := d.statusOfService(ctx, s, live); err != nil {
			return err
		}
	}
	return nil
}

func (d *Deployment) statusOfService(ctx context.Context, s Stack, live *LiveStack) error {
	if s.Service == "" {
		return nil
	}
	if image, ok := live.parameter(paramImage); ok {
		d.Out.Line("  image     %s", image)
	}
	w, err := d.workloads(ctx, live.ID)
	if err != nil {
		return fmt.Errorf("%s: %w", s.FullName, err)
	}
	for _, arn := range w.services {
		service, err := d.Cloud.Workloads.Service(ctx, arn)
		if err != nil {
			return fmt.Errorf("%s: reading the service: %w", s.FullName, err)
		}
		how := "steady"
		if steady, failed := service.verdict(); failed != "" {
			how = "failed: " + failed
		} else if !steady {
			how = "not steady"
		}
		d.Out.Line("  tasks     %d of %d run, %s", service.Running, service.Desired, how)
		for _, r := range service.Rollouts {
			d.Out.Line("            %s: %s", strings.ToLower(r.Status), r)
		}
	}
	for _, arn := range w.aliases {
		f, err := d.Cloud.Workloads.Alias(ctx, arn)
		if err != nil {
			return fmt.Errorf("%s: reading the function's alias: %w", s.FullName, err)
		}
		d.Out.Line("  function  %s leads to version %s, %s", f.Alias, f.Version, f.State)
	}
	return d.statusOfReleases(ctx, s)
}

func (d *Deployment) statusOfReleases(ctx context.Context, s Stack) error {
	history, err := d.Cloud.Releases.Releases(ctx, d.Environment.Name, s.Service)
	if err != nil {
		return fmt.Errorf("%s: reading its releases: %w", s.FullName, err)
	}
	const most = 5
	for _, r := range history[max(0, len(history)-most):] {
		d.Out.Line("  %-8s  %s  %s", r.Verb, r.Time.Local().Format(time.DateTime), short(r.Image))
	}
	return nil
}
