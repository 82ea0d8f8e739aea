// Command spillway runs and works with Spillway's services: see `spillway help`.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"spillway.example/services/local"
	"spillway.example/spillway/deploy"
)

// version is set by the linker.
var version = "dev"

// The exit codes.
const (
	exitOK     = 0
	exitFailed = 1 // it could not run, or not to the end
	exitUsage  = 2 // it was told something wrong
	// deploy.Code has more, of `spillway deploy` alone.
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}

// command is one subcommand. Its error is told to the user line by line.
type command struct {
	name, summary string
	run           func(ctx context.Context, args, environ []string, stdout, stderr io.Writer) error
}

// errUsage is in the chain of an error of somebody who was told something wrong.
var errUsage = errors.New("usage")

func commands() []command {
	return []command{
		{"run", "both services in one process on one SQLite file", runLocal},
		{"gateway", "a local load balancer over HTTP services and emulated functions", runGateway},
		{"keys", "list the embedded store's signing keys, or rotate them", runKeys},
		{"password", "give an account of the embedded store a temporary password", runPassword},
		{"setup", "make the table, user pool and client that the services need", runSetup},
		{"deploy", "bring the stacks of an environment up, change them, take them back and down", runDeploy},
		{"image", "check images of a registry, and copy them", runImage},
		{"smoke", "walk a running deployment: register, login, me, refresh, logout, delete", runSmoke},
		{"healthcheck", "ask a running gateway whether it is ready", runHealthcheck},
	}
}

func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		usage(stderr)
		return exitUsage
	}
	switch args[0] {
	case "help", "-h", "-help", "--help":
		usage(stdout)
		return exitOK
	case "version", "-version", "--version":
		fmt.Fprintln(stdout, "spillway", version)
		return exitOK
	}
	for _, c := range commands() {
		if c.name == args[0] {
			return report(stderr, c.run(ctx, args[1:], environ, stdout, stderr))
		}
	}
	fmt.Fprintf(stderr, "spillway: there is no command %q; see spillway help\n", args[0])
	return exitUsage
}

func report(w io.Writer, err error) int {
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return exitOK
	}
	code := exitFailed
	if errors.Is(err, errUsage) || errors.Is(err, local.ErrSettings) {
		code = exitUsage
	}
	if v, ok := errors.AsType[*deploy.Verdict](err); ok {
		code = v.ExitCode()
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		fmt.Fprintln(w, "spillway:", line)
	}
	return code
}

func usage(w io.Writer) {
	fmt.Fprint(w, "Usage: spillway COMMAND [-help]\n\n")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-12s %s\n", c.name, c.summary)
	}
	fmt.Fprintf(w, "  %-12s %s\n", "version", "the version of this program")
}
