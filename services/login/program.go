package login

import (
	"context"
	"errors"
	"log/slog"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/backend"
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

func handlers(b *backend.Backend, s settings.Settings, version string, log *slog.Logger) (program.Handlers, error) {
	api := httpapi.New(httpapi.Config{
		Title: "Spillway login", Version: version, Logger: log, Ready: b.Ready, Replays: b.Replays, Bearer: b.Verifier.Offline,
		Description: "Signs people in and out, and says who they are.",
	})
	var source rpc.ProfileSource = nowhere{}
	if s.RegisterURL != nil {
		source = rpc.NewClient(s.RegisterURL)
	}
	AddRoutes(api, Config{Sessions: b.Sessions(log), Verifier: b.Verifier, Profiles: source, Logger: log})
	if len(b.Introspection) > 0 {
		AddIntrospection(api, b.Verifier, b.Introspection)
	}
	b.AddRoutes(api.Mux)
	return program.Handlers{HTTP: api.Handler()}, nil
}

// nowhere is the profiles of a login that was not told where register is.
type nowhere struct{}

func (nowhere) ProfileOf(context.Context, string) (account.Profile, error) {
	return account.Profile{}, account.ErrUnavailable(errors.New("REGISTER_URL is not set"))
}
