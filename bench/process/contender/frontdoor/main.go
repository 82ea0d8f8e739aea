// Command frontdoor serves the sign-in by frontdoor.
package main

import (
	"context"
	"log"

	"spillway.example/bench/signin"
	"spillway.example/frontdoor"
)

func main() {
	if err := frontdoor.Serve(context.Background(), signin.Handler, frontdoor.Options{}); err != nil {
		log.Fatal(err)
	}
}
