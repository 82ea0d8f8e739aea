package httpapi

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"spillway.example/services/internal/account"
	"spillway.example/verify"
)

// The names of the security schemes in the OpenAPI document.
const (
	bearer       = "access_token"
	secretBearer = "service_secret"
	secretBasic  = "service_secret_basic"
)

// Bearer is embedded in the input of an operation that takes an access token.
type Bearer struct {
	token string
	err   error
}

// Resolve takes the token from the Authorization header.
func (b *Bearer) Resolve(ctx huma.Context) []error {
	b.token, b.err = verify.BearerToken(headerOf(ctx))
	return nil
}

// Token gives the access token; CodeInvalidToken where there is none, or none that can be one.
func (b *Bearer) Token() (string, error) {
	if b.err != nil {
		return "", account.Errorf(account.CodeInvalidToken, b.err, "An access token is needed: Authorization: Bearer ….")
	}
	return b.token, nil
}

// headerOf gives all of a request's header: of a field that came twice huma gives the first.
func headerOf(ctx huma.Context) http.Header {
	h := http.Header{}
	ctx.EachHeader(func(name, value string) { h.Add(name, value) })
	return h
}
