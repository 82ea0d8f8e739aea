// Command orders is a service of one's own whose every request needs a good access token, and
// some a scope; README.md of package verify is about it. It takes the tokens of `make run`.
package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"spillway.example/verify"
)

func main() {
	// Without an introspector a token is good until it expires, signed out or not.
	revocations, err := verify.NewIntrospector("http://127.0.0.1:8080/token/introspect", os.Getenv("INTROSPECTION_SECRET"), nil)
	if err != nil {
		log.Fatal(err)
	}
	verifier, err := verify.New(verify.Config{
		// Of a Cognito user pool: https://cognito-idp.REGION.amazonaws.com/POOL_ID, the app
		// client's id, and no JWKSURL.
		Issuer:      "urn:spillway:embedded",
		ClientIDs:   []string{"spillway"},
		JWKSURL:     "http://127.0.0.1:8080/.well-known/jwks.json",
		Revocations: revocations,
	})
	if err != nil {
		log.Fatal(err)
	}
	api := http.NewServeMux()
	api.HandleFunc("GET /orders", func(w http.ResponseWriter, r *http.Request) {
		claims, _ := verify.FromContext(r.Context())
		fmt.Fprintf(w, "the orders of %s\n", claims.Username)
	})
	api.Handle("POST /orders", verify.RequireScopes("orders/write")(http.HandlerFunc(
		func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusCreated) })))

	server := &http.Server{Addr: "127.0.0.1:8090", Handler: verifier.Middleware(api), ReadHeaderTimeout: 5 * time.Second}
	log.Fatal(server.ListenAndServe())
}
