// Command after is a function that goes on after each answer until the file GO is there.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"spillway.example/frontdoor"
)

func main() {
	var done atomic.Int32
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, "after %d", done.Load()) })
	err := frontdoor.Serve(context.Background(), h, frontdoor.Options{
		Streaming: os.Getenv("STREAMING") != "",
		AfterAnswer: func(ctx context.Context) {
			for ctx.Err() == nil {
				if _, err := os.Stat(os.Getenv("GO")); err == nil {
					done.Add(1)
					return
				}
				time.Sleep(time.Millisecond)
			}
		},
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}
