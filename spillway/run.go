package main

import (
	"context"
	"fmt"
	"io"

	"spillway.example/services/local"
)

func runLocal(ctx context.Context, args, environ []string, stdout, stderr io.Writer) error {
	if len(args) > 0 && (args[0] == "-help" || args[0] == "--help" || args[0] == "-h") {
		fmt.Fprint(stdout, "Usage: spillway run\n\nRuns register and login in one process on one SQLite file. Settings, from the environment:\n\n")
		return local.Help(stdout)
	}
	if len(args) > 0 {
		return fmt.Errorf("%w: run takes no arguments, only settings from the environment; see spillway run -help", errUsage)
	}
	return local.Run(ctx, local.Config{Environ: environ, Version: version, Stdout: stdout, Stderr: stderr})
}
