// Command affected says which services the commits since BASE reach: `affected BASE`, or
// `affected ""` for all of them. It writes lines for GitHub's $GITHUB_OUTPUT to standard
// output, and the reasons to standard error.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"spillway.example/spillway/internal/affected"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "affected:", err)
		os.Exit(1)
	}
}

// shown is how many reasons a service gets.
const shown = 5

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) != 1 {
		return fmt.Errorf("usage: affected BASE")
	}
	report, err := affected.Between(ctx, ".", args[0], "HEAD")
	if err != nil {
		return err
	}
	for _, service := range report.Deploy {
		reasons := report.Reasons[service]
		for _, r := range reasons[:min(len(reasons), shown)] {
			fmt.Fprintf(stderr, "%s: %s\n", service, r)
		}
		if more := len(reasons) - shown; more > 0 {
			fmt.Fprintf(stderr, "%s: and %d more\n", service, more)
		}
	}
	if len(report.Deploy) == 0 {
		fmt.Fprintln(stderr, "no service is affected")
	}
	for _, what := range report.ByHand {
		fmt.Fprintf(stderr, "%s changed: a person applies that, with make deploy\n", what)
	}
	for _, line := range []struct {
		name  string
		value []string
	}{{"build", report.Build}, {"deploy", report.Deploy}, {"by_hand", report.ByHand}} {
		value, err := json.Marshal(append([]string{}, line.value...)) // [] and never null
		if err != nil {
			return err
		}
		fmt.Fprintf(stdout, "%s=%s\n", line.name, value)
	}
	return nil
}
