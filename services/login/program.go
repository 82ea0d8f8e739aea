package login

import (
	"context"
	"errors"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/httpapi"
	"spillway.example/services/internal/program"
	"spillway.example/services/internal/rpc"
	"spillway.example/services/internal/settings"
)

// Program is the service's binary.
func Program(version string) program.Program {
	return program.Program{
		Service: settings.Login, Version: version, DirectPath: DirectPath, Handlers: handlers,
	}
}

func handlers(p program.Parts) (program.Handlers, error) {
	b, log := p.Backend, p.Logger
	api := httpapi.New(httpapi.Config{
		Title: "Spillway login", Version: p.Version, Logger: log, Telemetry: p.Telemetry, Ready: b.Ready,
		Replays: b.Replays, Bearer: b.Verifier.Offline,
		Description: "Signs people in and out, and says who they are.",
	})
	var source rpc.ProfileSource = nowhere{}
	if p.Settings.RegisterURL != nil {
		source = rpc.NewClient(p.Settings.RegisterURL, p.Telemetry)
	}
	AddRoutes(api, Config{Sessions: b.Sessions(log), Verifier: b.Verifier, Profiles: source, Logger: log})
	if len(b.Introspection) > 0 {
		AddIntrospection(api, b.Verifier, b.Introspection)
	}
	b.AddRoutes(api)
	return program.Handlers{HTTP: api.Handler()}, nil
}

// nowhere is the profiles of a login that was not told where register is.
type nowhere struct{}

func (nowhere) ProfileOf(context.Context, string) (account.Profile, error) {
	return account.Profile{}, account.ErrUnavailable(errors.New("REGISTER_URL is not set"))
}
