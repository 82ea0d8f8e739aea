package verifyconnect_test

import (
	"log"

	"connectrpc.com/connect"

	"spillway.example/verify"
	"spillway.example/verify/verifyconnect"
)

// The handlers of a service whose every call needs a token with a scope.
func ExampleNewInterceptor() {
	verifier, err := verify.New(verify.Config{
		Issuer:    "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI",
		ClientIDs: []string{"4example"},
	})
	if err != nil {
		log.Fatal(err)
	}
	option := connect.WithInterceptors(verifyconnect.NewInterceptor(verifier, "orders/write"))
	_ = option // for the constructor of the service's handler
}
