package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"strings"

	"spillway.example/spillway/image"
)

// runImage is `spillway image`, which so far can check.
func runImage(ctx context.Context, args, _ []string, stdout, _ io.Writer) error {
	switch {
	case len(args) > 0 && args[0] == "check":
		args = args[1:]
	case len(args) == 0 || !strings.HasPrefix(args[0], "-h"):
		return fmt.Errorf("%w: want spillway image check; see spillway image check -help", errUsage)
	}
	flags := flag.NewFlagSet("image check", flag.ContinueOnError)
	platform := flags.String("platform", "", "`os/architecture` that the image must be for, such as linux/arm64")
	if err := parse(flags, `Says whether Lambda takes an image of a registry, and why not. ECS takes all that Lambda does.
Credentials are those of docker login.`, []string{"IMAGE"}, args, stdout); err != nil {
		return err
	}
	got, err := image.Check(ctx, flags.Arg(0), *platform)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%s: %s, %d layers, %.1f MB (%s); Lambda and ECS take it\n",
		got.Name, got.Platform, got.Layers, float64(got.Size)/(1<<20), got.MediaType)
	return err
}
