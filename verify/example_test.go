package verify_test

import (
	"fmt"
	"log"
	"net/http"

	"spillway.example/verify"
)

// A service whose every request needs a good access token, and some a scope.
func Example() {
	verifier, err := verify.New(verify.Config{
		Issuer:    "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI",
		ClientIDs: []string{"4example"},
	})
	if err != nil {
		log.Fatal(err)
	}
	api := http.NewServeMux()
	api.HandleFunc("GET /orders", func(w http.ResponseWriter, r *http.Request) {
		claims, _ := verify.FromContext(r.Context())
		fmt.Fprintf(w, "the orders of %s\n", claims.Subject)
	})
	api.Handle("POST /orders", verify.RequireScopes("orders/write")(http.HandlerFunc(
		func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusCreated) })))

	log.Fatal(http.ListenAndServe(":8080", verifier.Middleware(api)))
}

// With an introspector a token that was revoked stops to count within half a minute.
func ExampleNewIntrospector() {
	revocations, err := verify.NewIntrospector("https://accounts.example/token/introspect", "the INTROSPECTION_SECRET of login", nil)
	if err != nil {
		log.Fatal(err)
	}
	verifier, err := verify.New(verify.Config{
		Issuer:      "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI",
		ClientIDs:   []string{"4example"},
		Revocations: revocations,
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(verifier.RevokedWithin)
	// Output: 30s
}
