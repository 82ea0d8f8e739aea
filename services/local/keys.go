package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/embedded"
)

// KeysConfig is what the work on signing keys is told.
type KeysConfig struct {
	Environ []string // as os.Environ gives it: DATA_DIR says where the data is
	Stdout  io.Writer
	// Rotate publishes a new key, that signs a day later. Replace has a new one sign at
	// once, and voids all others with what they signed.
	Rotate, Replace bool
}

// Keys works on the signing keys of the embedded store, which services may have open at
// the same time, and lists them. The error is for the user.
func Keys(ctx context.Context, c KeysConfig) error {
	store, _, err := openThere(ctx, c.Environ)
	if err != nil {
		return err
	}
	if c.Rotate {
		if err = store.RotateKeys(ctx); account.CodeOf(err) == account.CodeConflict {
			err = errors.New("a new key is published already and does not sign yet; spillway keys lists it")
		}
	}
	if c.Replace {
		err = errors.Join(err, store.ReplaceKeys(ctx))
	}
	if err == nil {
		err = list(ctx, store, c.Stdout)
	}
	return errors.Join(err, store.Close())
}

func list(ctx context.Context, store *embedded.Store, w io.Writer) error {
	keys, err := store.SigningKeys(ctx)
	if err != nil {
		return err
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "KEY\tSIGNS FROM\t")
	signs := false
	for _, k := range keys {
		state := "published, does not sign yet"
		switch {
		case k.Signs:
			state, signs = "signs", true
		case signs:
			state = "stays until its last token has expired"
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\n", k.ID, k.SignsFrom.UTC().Format(time.RFC3339), state)
	}
	return tw.Flush()
}
