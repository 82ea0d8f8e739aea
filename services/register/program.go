package register

import (
	"log/slog"

	"spillway.example/services/internal/backend"
	"spillway.example/services/internal/httpapi"
	"spillway.example/services/internal/program"
	"spillway.example/services/internal/rpc"
	"spillway.example/services/internal/settings"
)

// Program is the service's binary.
func Program(version string) program.Program {
	return program.Program{
		Service: settings.Register, Version: version, DirectPath: DirectPath, Handlers: handlers,
	}
}

func handlers(b *backend.Backend, s settings.Settings, version string, log *slog.Logger) (program.Handlers, error) {
	api := httpapi.New(httpapi.Config{
		Title: "Spillway register", Version: version, Logger: log, Ready: b.Ready, Replays: b.Replays, Bearer: b.Verifier.Offline,
		Description: "Makes accounts: sign-up and confirmation.",
	})
	registrar := b.Registrar(s, log)
	source := rpc.Local{Verifier: b.Verifier, Registrar: registrar}
	AddRoutes(api, registrar)
	AddProfiles(api, source, log)
	b.AddRoutes(api.Mux)
	return program.Handlers{HTTP: api.Handler(), RPC: rpc.Handler(source, log)}, nil
}
