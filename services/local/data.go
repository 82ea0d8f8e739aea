package local

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"spillway.example/services/internal/backend"
	"spillway.example/services/internal/embedded"
	"spillway.example/services/internal/settings"
)

// openThere opens the embedded store that is there, and gives its folder. The error is for
// the user.
func openThere(ctx context.Context, environ []string) (*embedded.Store, string, error) {
	s, err := settings.Parse(settings.Local, environ)
	if err != nil {
		return nil, "", fmt.Errorf("%w\n%w", ErrSettings, err)
	}
	if _, err := os.Stat(s.DataDir); err != nil { // opening would make it
		return nil, "", fmt.Errorf("data folder %s is not there; DATA_DIR says where it is", s.DataDir)
	}
	store, err := backend.OpenStore(ctx, s, slog.New(slog.DiscardHandler))
	return store, s.DataDir, err
}
