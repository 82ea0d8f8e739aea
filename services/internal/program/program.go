// Package program is what the services' binaries have in common: one subcommand to
// serve, one to check health, one table of settings, one way to end.
package program

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"spillway.example/frontdoor"
	"spillway.example/services/internal/backend"
	"spillway.example/services/internal/rpc"
	"spillway.example/services/internal/settings"
	"spillway.example/services/internal/telemetry"
)

// The exit codes.
const (
	exitOK     = 0
	exitFailed = 1 // it could not run, or not to the end
	exitUsage  = 2 // it was told something wrong
)

// finishTime is how long an HTTP service that has drained may still send mail.
const finishTime = 5 * time.Second

// Program is one service's binary.
type Program struct {
	Service    settings.Service
	Version    string
	DirectPath string
	// Handlers makes what the program serves.
	Handlers func(Parts) (Handlers, error)
}

// Parts are what a program's handlers are made of.
type Parts struct {
	Backend   *backend.Backend
	Settings  settings.Settings
	Version   string
	Telemetry *telemetry.Telemetry
	Logger    *slog.Logger
}

// Handlers are what a program serves: HTTP at PORT and under Lambda, RPC, if there is
// any, at RPC_PORT.
type Handlers struct {
	HTTP http.Handler
	RPC  http.Handler
}

// Run runs the program and gives its exit code.
func (p Program) Run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet(string(p.Service), flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	version := flags.Bool("version", false, "")
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return p.help(stdout)
	case err != nil:
		return p.fail(stderr, exitUsage, fmt.Errorf("%w; see %s -help", err, p.Service))
	case *version:
		fmt.Fprintln(stdout, p.Service, p.Version)
		return exitOK
	case flags.Arg(0) == "healthcheck":
		return p.healthcheck(ctx, flags.Args()[1:], environ, stderr)
	case flags.NArg() > 0 && !isHandlerName(flags.Args()):
		return p.fail(stderr, exitUsage, fmt.Errorf("unknown argument %q; see %s -help", flags.Arg(0), p.Service))
	}
	s, err := settings.Parse(p.Service, environ)
	if err != nil {
		return p.fail(stderr, exitUsage, err)
	}
	err = p.serve(ctx, s, environ, stdout, stderr)
	if _, wrong := errors.AsType[*telemetry.SettingsError](err); wrong {
		return p.fail(stderr, exitUsage, err)
	}
	if err != nil {
		return p.fail(stderr, exitFailed, err)
	}
	return exitOK
}

// isHandlerName admits the one argument that Lambda's base images pass on: the
// handler's name, which means nothing here.
func isHandlerName(args []string) bool {
	return len(args) == 1 && (args[0] == "bootstrap" || args[0] == "handler" || strings.HasPrefix(args[0], "/var/"))
}

func (p Program) fail(w io.Writer, code int, err error) int {
	for line := range strings.SplitSeq(err.Error(), "\n") {
		fmt.Fprintf(w, "%s: %s\n", p.Service, line)
	}
	return code
}

func (p Program) help(w io.Writer) int {
	fmt.Fprintf(w, `%[1]s %[2]s: one of Spillway's account services

  %[1]s                       serve: as a Lambda function where AWS_LAMBDA_RUNTIME_API is set, else on PORT
  %[1]s healthcheck           ask the service on PORT whether it is ready; exit code 0 or 1
  %[1]s healthcheck -lambda   ask the function behind the runtime interface emulator on port 8080
  %[1]s -version
  %[1]s -help

Settings, from the environment:

`, p.Service, p.Version)
	if err := settings.Help(w, p.Service); err != nil {
		return exitFailed
	}
	return exitOK
}

func (p Program) serve(ctx context.Context, s settings.Settings, environ []string, stdout, stderr io.Writer) error {
	log := telemetry.NewLogger(stdout, s.LogLevel, string(p.Service))
	lambda := frontdoor.IsLambda(Getenv(environ))
	t, err := telemetry.Start(telemetry.Config{
		Service: string(p.Service), Version: p.Version, Environment: s.Environment, EMF: s.EMF,
		Lambda: lambda, Out: stdout, Logger: log, Getenv: Getenv(environ),
	})
	if err != nil {
		return err
	}
	b, err := backend.Open(ctx, backend.Config{Settings: s, Terminal: stderr, Listens: !lambda, Logger: log, Telemetry: t})
	if err != nil {
		return err
	}
	h, err := p.Handlers(Parts{b, s, p.Version, t, log})
	if err != nil {
		return errors.Join(err, b.Close())
	}
	o := Options(s, b, t, log)
	o.DirectPath = p.DirectPath
	if h.RPC != nil {
		o.Also = []frontdoor.Listener{{Addr: s.RPCAddress(), Handler: rpc.Recorded(h.RPC, t)}}
	}
	o.OnListen = func(addrs []net.Addr) {
		log.Info("listening", "address", addrs[0].String(), "store", s.Store, "version", p.Version)
	}
	return errors.Join(frontdoor.Serve(ctx, h.HTTP, o), b.Close())
}

// Options turns settings into frontdoor's, and has the backend finish what it does in the
// background, and telemetry be delivered: after each answer under Lambda, which freezes
// the process then, and after the drain of an HTTP service.
func Options(s settings.Settings, b *backend.Backend, t *telemetry.Telemetry, log *slog.Logger) frontdoor.Options {
	finish := func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, finishTime)
		defer cancel()
		b.Drain(ctx)
	}
	after := func(ctx context.Context) {
		b.Finish(ctx)
		t.Flush(ctx)
	}
	return frontdoor.Options{
		AfterAnswer: after, OnShutdown: []func(context.Context){finish, t.Shutdown}, OnTimeout: t.TimedOut,
		Addr: s.Address(), TrustedProxies: s.TrustedProxies,
		DrainDelay: s.DrainDelay, DrainTimeout: s.DrainTimeout, Logger: log,
	}
}

// Getenv looks into an environment as os.Environ gives it.
func Getenv(environ []string) func(string) string {
	return func(name string) string {
		for _, e := range environ {
			if v, ok := strings.CutPrefix(e, name+"="); ok {
				return v
			}
		}
		return ""
	}
}
