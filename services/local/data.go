package local

import (
	"context"
	"fmt"
	"log/slog"

	"spillway.example/services/internal/backend"
	"spillway.example/services/internal/embedded"
	"spillway.example/services/internal/settings"
)

// openThere opens the embedded store that is there, and gives its folder. The error is for
// the user.
func openThere(ctx context.Context, environ []string) (*embedded.Store, string, error) {
	s, err := settings.Parse(settings.Local, environ)
	if err != nil {
		return nil, "", settingsError{err}
	}
	if err := embedded.Find(s.DataDir); err != nil { // opening would make it
		return nil, "", fmt.Errorf("%w; DATA_DIR says in which folder it is, and spillway run makes one", err)
	}
	store, err := backend.OpenStore(ctx, s, slog.New(slog.DiscardHandler))
	return store, s.DataDir, err
}
