package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
)

// parse parses a command's flags, and wants as many arguments among or after them as there
// are names in arguments; the last may stand for several where it ends in an ellipsis.
// flags.Args has them. Where it was asked for help it writes that to w and gives
// flag.ErrHelp, which is no error of the command's.
func parse(flags *flag.FlagSet, about string, arguments []string, args []string, w io.Writer) error {
	flags.SetOutput(io.Discard)
	given, err := interspersed(flags, args)
	want := len(arguments)
	several := want > 0 && strings.HasSuffix(arguments[want-1], "…")
	if err == nil && (len(given) < want || len(given) > want && !several) {
		err = fmt.Errorf("got %d arguments, want %d", len(given), want)
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

// interspersed parses flags that may come before, between and after the arguments, and
// leaves the arguments as the flag set's own.
func interspersed(flags *flag.FlagSet, args []string) (given []string, err error) {
	for {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		rest := flags.Args()
		if n := len(args) - len(rest); len(rest) == 0 || n > 0 && args[n-1] == "--" {
			given = append(given, rest...)
			return given, flags.Parse(append([]string{"--"}, given...))
		}
		given, args = append(given, rest[0]), rest[1:]
	}
}
