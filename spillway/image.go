package main

import (
	"context"
	"flag"
	"fmt"
	"io"

	"spillway.example/spillway/image"
)

// runImage is `spillway image`.
func runImage(ctx context.Context, args, _ []string, stdout, _ io.Writer) error {
	verb := ""
	if len(args) > 0 {
		verb, args = args[0], args[1:]
	}
	switch verb {
	case "check":
		return checkImage(ctx, args, stdout)
	case "copy":
		return copyImage(ctx, args, stdout)
	case "-h", "-help", "--help", "help":
		fmt.Fprint(stdout, "Usage: spillway image VERB [flags] IMAGE …\n\n"+
			"  check  say whether Lambda takes an image of a registry\n"+
			"  copy   copy an image to another repository, as it is\n\nEach has a -help.\n")
		return nil
	}
	return fmt.Errorf("%w: image wants check or copy; see spillway image -help", errUsage)
}

func checkImage(ctx context.Context, args []string, stdout io.Writer) error {
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

func copyImage(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("image copy", flag.ContinueOnError)
	tag := flags.String("tag", "", "`tag` for the copy; without one it is found by its digest alone")
	if err := parse(flags, `Copies an image that Lambda takes to another repository, as it is: the digest stays the same.
Writes REPOSITORY@sha256:… to standard output. Credentials are those of docker login.`,
		[]string{"IMAGE@sha256:…", "REPOSITORY"}, args, stdout); err != nil {
		return err
	}
	name, err := image.Copy(ctx, flags.Arg(0), flags.Arg(1), *tag)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(stdout, name)
	return err
}
