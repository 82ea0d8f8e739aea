// Command echo is the smallest service on frontdoor: it answers with what its handler
// was shown, so that one request can be compared across every door. PORT is where it
// listens, 8080 where it is not set.
package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"spillway.example/frontdoor"
)

func main() {
	os.Exit(run(context.Background(), os.Getenv, os.Stderr))
}

func run(ctx context.Context, getenv func(string) string, stderr io.Writer) int {
	port := getenv("PORT")
	if port == "" {
		port = "8080"
	}
	err := frontdoor.Serve(ctx, handler(), frontdoor.Options{Addr: getenv("LISTEN_HOST") + ":" + port, DirectPath: "/direct"})
	if err != nil {
		fmt.Fprintln(stderr, "echo:", err)
		return 1
	}
	return 0
}
