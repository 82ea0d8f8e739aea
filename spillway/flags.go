package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
)

// parse parses a command's flags and wants as many arguments after them as there are
// names in arguments. Where it was asked for help it writes that to w and gives
// flag.ErrHelp, which is no error of the command's.
func parse(flags *flag.FlagSet, about string, arguments []string, args []string, w io.Writer) error {
	flags.SetOutput(io.Discard)
	err := flags.Parse(args)
	if err == nil && flags.NArg() != len(arguments) {
		err = fmt.Errorf("got %d arguments, want %d", flags.NArg(), len(arguments))
	}
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintf(w, "Usage: spillway %s [flags]", flags.Name())
		for _, a := range arguments {
			fmt.Fprintf(w, " %s", a)
		}
		fmt.Fprintf(w, "\n\n%s\n\n", about)
		flags.SetOutput(w)
		flags.PrintDefaults()
		return flag.ErrHelp
	case err != nil:
		return fmt.Errorf("%w: %w; see spillway %s -help", errUsage, err, flags.Name())
	}
	return nil
}
