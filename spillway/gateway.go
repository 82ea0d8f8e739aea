package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"spillway.example/spillway/gateway"
)

// runGateway is `spillway gateway`, and the subcommands that talk to one that runs.
func runGateway(ctx context.Context, args, _ []string, stdout, stderr io.Writer) error {
	if len(args) > 0 {
		switch name, rest := args[0], args[1:]; name {
		case "targets":
			return listTargets(ctx, rest, stdout)
		case "register":
			return registerTarget(ctx, rest, stdout)
		case "deregister":
			return deregisterTarget(ctx, rest, stdout)
		}
	}
	return serveGateway(ctx, args, stdout, stderr)
}

func serveGateway(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("gateway", flag.ContinueOnError)
	file := flags.String("config", "gateway.yaml", "`file` with listener, rules and target groups, in YAML or JSON")
	access := flags.Bool("access-log", false, "log every request")
	drain := flags.Duration("drain", 20*time.Second, "how long requests in flight may take at the end")
	if err := parse(flags, `Runs a local Application Load Balancer over HTTP servers and emulated Lambda functions.

These talk to one that runs; each has a -help:

  spillway gateway targets
  spillway gateway register TARGET_GROUP TARGET
  spillway gateway deregister TARGET_GROUP TARGET`, nil, args, stdout); err != nil {
		return err
	}
	text, err := os.ReadFile(*file)
	if err != nil {
		return fmt.Errorf("reading the configuration: %w", err)
	}
	cfg, err := gateway.Load(text)
	if err != nil {
		return fmt.Errorf("%w: %s\n%w", errUsage, *file, err)
	}
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	g, err := gateway.Listen(ctx, cfg, gateway.Options{
		Logger: slog.New(slog.NewTextHandler(stderr, nil)), AccessLog: *access, DrainTimeout: *drain,
	})
	if err != nil {
		return err
	}
	return g.Serve(ctx)
}

// admin adds the flag that says which gateway to talk to.
func admin(flags *flag.FlagSet) *string {
	return flags.String("admin", gateway.DefaultAdmin, "the gateway's admin listener, `host:port`")
}

func listTargets(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("gateway targets", flag.ContinueOnError)
	address := admin(flags)
	if err := parse(flags, "Lists the targets of a running gateway, and how they are.", nil, args, stdout); err != nil {
		return err
	}
	all, err := gateway.Client{Address: *address}.Targets(ctx)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "GROUP\tTARGET\tSTATE\tIN FLIGHT\tWAITING\tREASON")
	for _, t := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%s\n", t.TargetGroup, t.Target, t.State, t.InFlight, t.Waiting, t.Reason)
	}
	return w.Flush()
}

func registerTarget(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("gateway register", flag.ContinueOnError)
	address := admin(flags)
	if err := parse(flags, "Adds a target to a group and says how its first health check went.",
		[]string{"TARGET_GROUP", "TARGET"}, args, stdout); err != nil {
		return err
	}
	s, err := gateway.Client{Address: *address}.Register(ctx, gateway.TargetRef{TargetGroup: flags.Arg(0), Target: flags.Arg(1)})
	if err != nil {
		return err
	}
	reason := ""
	if s.Reason != "" {
		reason = ": " + s.Reason
	}
	_, err = fmt.Fprintf(stdout, "%s is registered with %s, %s%s\n", s.Target, s.TargetGroup, s.State, reason)
	return err
}

func deregisterTarget(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("gateway deregister", flag.ContinueOnError)
	address := admin(flags)
	if err := parse(flags, "Takes a target out of a group and waits until it is drained.",
		[]string{"TARGET_GROUP", "TARGET"}, args, stdout); err != nil {
		return err
	}
	began := time.Now()
	d, err := gateway.Client{Address: *address}.Deregister(ctx, gateway.TargetRef{TargetGroup: flags.Arg(0), Target: flags.Arg(1)})
	if err != nil {
		return err
	}
	if d.InFlight > 0 {
		return fmt.Errorf("%s is deregistered from %s, but had %d requests in flight when the delay was over", d.Target, d.TargetGroup, d.InFlight)
	}
	_, err = fmt.Fprintf(stdout, "%s is deregistered from %s and drained, after %v\n",
		d.Target, d.TargetGroup, time.Since(began).Round(time.Millisecond))
	return err
}

// errNotReady is a gateway that cannot serve every rule yet.
var errNotReady = errors.New("the gateway is not ready; it waits for")

// runHealthcheck is `spillway healthcheck`, for containers without curl.
func runHealthcheck(ctx context.Context, args, _ []string, stdout, _ io.Writer) error {
	flags := flag.NewFlagSet("healthcheck", flag.ContinueOnError)
	address := admin(flags)
	if err := parse(flags, "Asks a running gateway whether every rule has a healthy target; exit code 0 or 1.", nil, args, stdout); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 4*time.Second)
	defer cancel()
	r, err := gateway.Client{Address: *address}.Ready(ctx)
	if err != nil {
		return err
	}
	if !r.Ready {
		return fmt.Errorf("%w %s", errNotReady, strings.Join(r.Waiting, ", "))
	}
	return nil
}
