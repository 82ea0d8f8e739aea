package register

import (
	"context"
	"time"

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
	WatchDeletions(context.Background(), registrar) // for as long as the process lives
	AddProfiles(api, source, log)
	b.AddRoutes(api)
	return program.Handlers{HTTP: api.Handler(), RPC: rpc.Handler(source, api.Ready, log)}, nil
}

// watchEvery is how often the list of deletions is looked at, which costs next to nothing.
const watchEvery = 10 * time.Minute

// WatchDeletions runs [FinishDeletions] now and every ten minutes, until ctx is done. A
// function that is frozen meanwhile does so when it is next invoked.
func WatchDeletions(ctx context.Context, r *account.Registrar) {
	FinishDeletions(ctx, r)
	go func() {
		tick := time.NewTicker(watchEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				FinishDeletions(ctx, r)
			case <-ctx.Done():
				return
			}
		}
	}()
}

// FinishDeletions goes on, in the background, with the deletions that were interrupted.
func FinishDeletions(ctx context.Context, r *account.Registrar) {
	err := r.Background.Do(ctx, func(ctx context.Context) {
		if err := r.FinishDeletions(ctx); err != nil {
			r.Logger.WarnContext(ctx, "deletions not finished; they stay on the list", "err", err)
		}
	})
	if err != nil {
		r.Logger.WarnContext(ctx, "deletions not finished; they stay on the list", "err", err)
	}
}
