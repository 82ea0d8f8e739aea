package main

import (
	"context"
	"flag"
	"io"

	"spillway.example/services/local"
)

// runPassword is `spillway password`.
func runPassword(ctx context.Context, args, environ []string, stdout, _ io.Writer) error {
	flags := flag.NewFlagSet("password", flag.ContinueOnError)
	if err := parse(flags, `Gives an account of the embedded store in DATA_DIR a temporary password, and shows it.
Services may have the store open.`, []string{"USERNAME"}, args, stdout); err != nil {
		return err
	}
	return local.TemporaryPassword(ctx, local.PasswordConfig{Environ: environ, Username: flags.Arg(0), Stdout: stdout})
}
