// Package local runs both services in one process on one SQLite file, with no AWS:
// for trying them out, for developing against them, and for tests.
package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"

	"spillway.example/frontdoor"
	"spillway.example/services/internal/backend"
	"spillway.example/services/internal/httpapi"
	"spillway.example/services/internal/program"
	"spillway.example/services/internal/rpc"
	"spillway.example/services/internal/settings"
	"spillway.example/services/internal/telemetry"
	"spillway.example/services/login"
	"spillway.example/services/register"
)

// ErrSettings is in the chain of the error for settings that are wrong.
var ErrSettings = errors.New("wrong settings")

// settingsError is what is wrong with settings, a line for each.
type settingsError struct{ error }

func (e settingsError) Unwrap() []error { return []error{ErrSettings, e.error} }

// Config is what a run is told.
type Config struct {
	Environ []string // as os.Environ gives it; see [Help] for the settings
	Version string
	Stdout  io.Writer // where it listens, the lines to paste, the mail
	Stderr  io.Writer // the log
}

// Help writes the settings that a run reads.
func Help(w io.Writer) error { return settings.Help(w, settings.Local) }

// SettingsTable writes the settings of all programs as a table in Markdown.
func SettingsTable(w io.Writer) error { return settings.Markdown(w) }

// SettingsOnAWS gives the names of the settings that a service's program reads, and whether
// it requires each on AWS. A service that there is not has none.
func SettingsOnAWS(service string) map[string]bool {
	names := map[string]bool{}
	for _, row := range settings.For(settings.Service(service)) {
		names[row.Name] = row.Required == "STORE=aws"
	}
	return names
}

// Run serves both services until ctx is done or the process is told to end, and then
// drains. The error is for the user: one line for each thing that is wrong.
func Run(ctx context.Context, c Config) error {
	handler, o, end, err := open(ctx, c)
	if err != nil {
		return err
	}
	return errors.Join(frontdoor.Serve(ctx, handler, o), end())
}

// Open opens both services as one handler, for whoever calls it without a listener, such as
// measurements. end gives everything back.
func Open(ctx context.Context, c Config) (handler http.Handler, end func() error, err error) {
	handler, _, end, err = open(ctx, c)
	return handler, end, err
}

func open(ctx context.Context, c Config) (handler http.Handler, o frontdoor.Options, end func() error, err error) {
	s, err := settings.Parse(settings.Local, c.Environ)
	if err != nil {
		return nil, o, nil, settingsError{err}
	}
	log := slog.New(telemetry.WithIDs(slog.NewTextHandler(c.Stderr, &slog.HandlerOptions{Level: s.LogLevel})))
	t, err := telemetry.Start(telemetry.Config{
		Service: "spillway", Version: c.Version, Environment: s.Environment, Logger: log, Getenv: program.Getenv(c.Environ),
	})
	if err != nil {
		return nil, o, nil, settingsError{err}
	}
	b, err := backend.Open(ctx, backend.Config{Settings: s, Terminal: c.Stdout, Listens: true, Logger: log, Telemetry: t})
	if err != nil {
		return nil, o, nil, err
	}
	o = program.Options(s, b, t, log)
	o.OnListen = func(addrs []net.Addr) { greet(c.Stdout, addrs[0].String(), s) }
	return services(ctx, program.Parts{Backend: b, Settings: s, Version: c.Version, Telemetry: t, Logger: log}), o, b.Close, nil
}

// services is both services over one backend.
func services(ctx context.Context, p program.Parts) http.Handler {
	b, log := p.Backend, p.Logger
	api := httpapi.New(httpapi.Config{
		Title: "Spillway", Version: p.Version, Logger: log, Telemetry: p.Telemetry, Ready: b.Ready,
		Replays: b.Replays, Bearer: b.Verifier.Offline,
		Description: "Both account services in one process: register makes accounts, login signs people in and out.",
	})
	registrar := b.Registrar(p.Settings, log)
	source := rpc.Local{Verifier: b.Verifier, Registrar: registrar}
	register.AddRoutes(api, registrar)
	register.Account{Registrar: registrar, Verifier: b.Verifier}.AddRoutes(api)
	register.WatchDeletions(ctx, registrar)
	register.AddProfiles(api, source, log)
	login.AddRoutes(api, login.Config{Sessions: b.Sessions(log), Verifier: b.Verifier, Profiles: source, Logger: log})
	if len(b.Introspection) > 0 {
		login.AddIntrospection(api, b.Verifier, b.Introspection)
	}
	b.AddRoutes(api)
	return api.Handler()
}

// greet says where the services are and what to do next.
func greet(w io.Writer, address string, s settings.Settings) {
	url := "http://" + address
	fmt.Fprintf(w, `Spillway listens on %[1]s, with its data in %[2]s. Ctrl-C ends it.

Sign up and sign in:

  curl %[1]s/register -H 'Content-Type: application/json' -d '{"username":"bob","password":"correct horse battery staple"}'
  curl %[1]s/login -H 'Content-Type: application/json' -d '{"username":"bob","password":"correct horse battery staple"}'

`, url, s.DataDir)
	if s.SMTPURL == nil { // mail stays here
		fmt.Fprintf(w, `Sign up with an address, and see the mail with its code:

  curl %[1]s/register -H 'Content-Type: application/json' -d '{"username":"carol","password":"correct horse battery staple","email":"carol@example.com"}'
  curl '%[1]s/outbox?to=carol@example.com'

`, url)
	}
	fmt.Fprintf(w, "Every operation: %s/docs\n", url)
}
