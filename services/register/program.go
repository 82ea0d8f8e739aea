package register

import (
	"context"

	"spillway.example/services/internal/account"
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

func handlers(p program.Parts) (program.Handlers, error) {
	b, log := p.Backend, p.Logger
	api := httpapi.New(httpapi.Config{
		Title: "Spillway register", Version: p.Version, Logger: log, Telemetry: p.Telemetry, Ready: b.Ready,
		Replays: b.Replays, Bearer: b.Verifier.Offline,
		Description: "Makes accounts: sign-up and confirmation.",
	})
	registrar := b.Registrar(p.Settings, log)
	source := rpc.Local{Verifier: b.Verifier, Registrar: registrar}
	AddRoutes(api, registrar)
	Account{Registrar: registrar, Verifier: b.Verifier}.AddRoutes(api)
	FinishDeletions(context.Background(), registrar)
	AddProfiles(api, source, log)
	b.AddRoutes(api)
	return program.Handlers{HTTP: api.Handler(), RPC: rpc.Handler(source, api.Ready, log)}, nil
}

// FinishDeletions goes on, in the background, with the deletions that were interrupted
// when a process ended.
func FinishDeletions(ctx context.Context, r *account.Registrar) {
	err := r.Background.Do(ctx, func(ctx context.Context) {
		if err := r.FinishDeletions(ctx); err != nil {
			r.Logger.WarnContext(ctx, "deletions not finished; the next one goes on", "err", err)
		}
	})
	if err != nil {
		r.Logger.WarnContext(ctx, "deletions not finished; the next one goes on", "err", err)
	}
}
