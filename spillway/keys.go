package main

import (
	"context"
	"flag"
	"fmt"
	"io"

	"spillway.example/services/local"
)

// runKeys is `spillway keys`.
func runKeys(ctx context.Context, args, environ []string, stdout, _ io.Writer) error {
	flags := flag.NewFlagSet("keys", flag.ContinueOnError)
	rotate := flags.Bool("rotate", false, "publish a new key now, that signs a day later; KEY_MAX_AGE does so by itself")
	replace := flags.Bool("replace", false, "for when a key may be stolen: a new one signs at once, and all others are gone; within a minute\nno access token of theirs is good, and people go on by their refresh tokens")
	if err := parse(flags, `Lists the keys that the embedded store in DATA_DIR signs tokens with. Services may have it open.`, nil, args, stdout); err != nil {
		return err
	}
	if *rotate && *replace {
		return fmt.Errorf("%w: -rotate and -replace are one or the other; see spillway keys -help", errUsage)
	}
	return local.Keys(ctx, local.KeysConfig{Environ: environ, Stdout: stdout, Rotate: *rotate, Replace: *replace})
}
