package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/mattn/go-isatty"

	"spillway.example/services/local"
	"spillway.example/spillway/deploy"
	"spillway.example/spillway/deploy/awscloud"
)

// verb is one of `spillway deploy`.
type verb struct {
	name, summary string
	arguments     []string // after the environment
	about         string
	run           func(ctx context.Context, d *deploy.Deployment, f *deployFlags, stdout io.Writer) error
}

func verbs() []verb {
	return []verb{
		{"render", "write the templates with an environment's values in them", nil,
			"Writes each stack's template with the environment's values in it. Secret values are masked.", renderVerb},
		{"diff", "show what apply would change", nil,
			"Shows what apply would change: AWS computes a change set against each live stack, which is deleted again.", diffVerb},
		{"verify", "check what a deployment needs, without changing anything", nil,
			"Checks, without changing anything, what a deployment needs: values, images, certificate, secrets, permissions.", verifyVerb},
		{"apply", "make the stacks what the files say", nil,
			"Makes the stacks what the files say, in order, and waits until what runs in them is steady. It may be\ncut off and run again at any time.",
			func(ctx context.Context, d *deploy.Deployment, _ *deployFlags, _ io.Writer) error {
				return d.Apply(ctx)
			}},
		{"rollback", "have services run the image again that served before", []string{"SERVICE…"},
			"Has services run the image again that served before, or the one that -image gives, and changes nothing else.",
			func(ctx context.Context, d *deploy.Deployment, f *deployFlags, _ io.Writer) error {
				return d.Rollback(ctx, f.set.Args()[1:])
			}},
		{"status", "show how the stacks are, and what runs in them", nil,
			"Shows how each stack is, and what runs in it.",
			func(ctx context.Context, d *deploy.Deployment, _ *deployFlags, _ io.Writer) error {
				return d.Status(ctx)
			}},
		{"destroy", "delete the stacks, but for those that are protected", nil,
			"Deletes the stacks, the last applied first. It keeps those that are protected, and asks first.", destroyVerb},
	}
}

// runDeploy is `spillway deploy`.
func runDeploy(ctx context.Context, args, _ []string, stdout, _ io.Writer) error {
	if len(args) > 0 {
		for _, v := range verbs() {
			if v.name == args[0] {
				return runVerb(ctx, v, args[1:], stdout)
			}
		}
	}
	help := len(args) > 0 && strings.TrimLeft(args[0], "-") == "help" || len(args) > 0 && args[0] == "-h"
	if !help {
		return fmt.Errorf("%w: deploy wants one of its verbs; see spillway deploy -help", errUsage)
	}
	fmt.Fprint(stdout, "Usage: spillway deploy VERB [flags] ENVIRONMENT\n\n")
	for _, v := range verbs() {
		fmt.Fprintf(stdout, "  %-12s %s\n", v.name, v.summary)
	}
	fmt.Fprint(stdout, "\nEach has a -help. Exit codes: 0 done, 1 failed, 2 told something wrong, 3 verify found\nsomething or diff -exit-code a change, 4 failed and taken back, 5 needs a hand, 6 not steady\nin time, 130 interrupted.\n")
	return nil
}

// deployFlags are what the verbs can be told.
type deployFlags struct {
	set             *flag.FlagSet
	dir             string
	only            list
	images          assignments
	region, profile string
	dryRun          bool
	timeout, poll   time.Duration
	replacement     bool
	cancel          bool
	offline         bool
	exitCode        bool
	yes             bool
}

// flagsOf gives the flags of a verb.
func flagsOf(v verb) *deployFlags {
	f := &deployFlags{set: flag.NewFlagSet("deploy "+v.name, flag.ContinueOnError), images: assignments{}}
	f.set.StringVar(&f.dir, "dir", "deploy", "`folder` with stacks.yaml, environments and templates")
	f.set.StringVar(&f.region, "region", "", "AWS `region`; the SDK's own where it is not given")
	f.set.StringVar(&f.profile, "profile", "", "`profile` of the AWS configuration; the SDK's own where it is not given")
	f.set.DurationVar(&f.poll, "poll", 3*time.Second, "how often AWS is asked what has happened")
	if v.name != "rollback" {
		f.set.Var(&f.only, "only", "`stacks` to look at, with commas between; or infrastructure: all but the services', or services")
	}
	switch v.name {
	case "render", "diff", "verify", "apply", "rollback":
		f.set.Var(f.images, "image", "`SERVICE=IMAGE`, by digest; may be given for each service. What is live stays where it is not given")
	}
	switch v.name {
	case "render", "diff", "verify", "status":
		f.set.Bool("dry-run", true, "always: it changes nothing")
	default:
		f.set.BoolVar(&f.dryRun, "dry-run", false, "say what would be done, and change nothing")
		f.set.DurationVar(&f.timeout, "timeout", 30*time.Minute, "how long to wait for one stack, and then for what runs in it")
	}
	switch v.name {
	case "render":
		f.set.BoolVar(&f.offline, "offline", false, "ask AWS nothing; -image must give every image")
	case "diff":
		f.set.BoolVar(&f.exitCode, "exit-code", false, "exit with 3 where something would change")
	case "apply":
		f.set.BoolVar(&f.replacement, "allow-replacement", false, "let resources of protected stacks be replaced and removed, with what is in them")
		f.set.BoolVar(&f.cancel, "cancel-on-interrupt", false, "on Ctrl-C, have AWS take an update back that is going on")
	case "rollback":
		f.set.BoolVar(&f.cancel, "cancel", false, "where an update is going on, cancel that: it is itself the way back")
	case "destroy":
		f.set.BoolVar(&f.yes, "yes", false, "do not ask")
	}
	return f
}

func runVerb(ctx context.Context, v verb, args []string, stdout io.Writer) error {
	f := flagsOf(v)
	if err := parse(f.set, v.about, append([]string{"ENVIRONMENT"}, v.arguments...), args, stdout); err != nil {
		return err
	}
	env, err := deploy.Load(f.dir, f.set.Arg(0))
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	d := &deploy.Deployment{
		Environment: env, Out: &deploy.Output{W: stdout, Terminal: terminal(stdout)},
		Images: f.images, Only: f.only, DryRun: f.dryRun, AllowReplacement: f.replacement, Cancel: f.cancel,
		Poll: f.poll, Timeout: f.timeout, Settings: local.SettingsOnAWS,
	}
	if err := d.Check(); err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	if !f.offline {
		cfg, err := awscloud.Load(ctx, awscloud.Options{Region: f.region, Profile: f.profile})
		if err != nil {
			return err
		}
		d.Cloud = awscloud.New(cfg)
	}
	err = v.run(ctx, d, f, stdout)
	if _, said := errors.AsType[*deploy.Verdict](err); err != nil && ctx.Err() != nil && !said {
		d.Out.Clear()
		return &deploy.Verdict{Code: deploy.CodeInterrupted, What: "interrupted: nothing was changed"}
	}
	return err
}

func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}

func renderVerb(ctx context.Context, d *deploy.Deployment, f *deployFlags, _ io.Writer) error {
	return d.Render(ctx, f.offline)
}

func diffVerb(ctx context.Context, d *deploy.Deployment, f *deployFlags, _ io.Writer) error {
	changes, err := d.Diff(ctx)
	if err == nil && changes && f.exitCode {
		return &deploy.Verdict{Code: deploy.CodeFindings, What: "there are changes"}
	}
	return err
}

func verifyVerb(ctx context.Context, d *deploy.Deployment, _ *deployFlags, _ io.Writer) error {
	return d.Verify(ctx)
}

// errNotConfirmed is a destruction that was asked for and then not wanted.
var errNotConfirmed = errors.New("that is not the environment's name: nothing was deleted")

func destroyVerb(ctx context.Context, d *deploy.Deployment, f *deployFlags, stdout io.Writer) error {
	if !f.yes && !d.DryRun {
		dry := *d
		dry.DryRun = true
		if err := dry.Destroy(ctx); err != nil {
			return err
		}
		fmt.Fprintf(stdout, "type %s to delete: ", d.Environment.Name)
		line, err := readLine(ctx, os.Stdin)
		if err != nil {
			fmt.Fprintln(stdout)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if line != d.Environment.Name {
			return errNotConfirmed
		}
	}
	return d.Destroy(ctx)
}

// readLine reads a line, unless ctx is over before there is one.
func readLine(ctx context.Context, r io.Reader) (line string, err error) {
	read := make(chan struct{})
	var text string
	var readErr error
	go func() {
		defer close(read)
		text, readErr = bufio.NewReader(r).ReadString('\n')
	}()
	select {
	case <-read:
		return strings.TrimSpace(text), readErr
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// list is a flag of words with commas between; it may be given more than once.
type list []string

// String implements flag.Value.
func (l *list) String() string { return strings.Join(*l, ",") }

// Set implements flag.Value.
func (l *list) Set(s string) error {
	for word := range strings.SplitSeq(s, ",") {
		if word = strings.TrimSpace(word); word != "" {
			*l = append(*l, word)
		}
	}
	return nil
}

// assignments is a flag of NAME=VALUE that may be given for each name.
type assignments map[string]string

// String implements flag.Value.
func (a assignments) String() string { return "" }

// Set implements flag.Value.
func (a assignments) Set(s string) error {
	name, value, ok := strings.Cut(s, "=")
	if !ok || name == "" || value == "" {
		return errors.New("must be SERVICE=IMAGE")
	}
	if _, twice := a[name]; twice {
		return fmt.Errorf("%s has an image already", name)
	}
	a[name] = value
	return nil
}
