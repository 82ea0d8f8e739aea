package httpapi

import (
	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

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
	r, _ := humago.Unwrap(ctx) // of a field that came twice huma gives one text
	b.token, b.err = verify.BearerToken(r.Header)
	return nil
}

// bearing lets those through who bring what can be an access token: others are told of that
// first, and have no body read. Whether the token is good the operation finds out.
func (a *API) bearing(ctx huma.Context, next func(huma.Context)) {
	b := Bearer{}
	b.Resolve(ctx)
	if _, err := b.Token(); err != nil {
		refuse(ctx, NewProblem(ctx.Context(), a.log, err))
		return
	}
	next(ctx)
}

// Token gives the access token; CodeInvalidToken where there is none, or none that can be one.
func (b *Bearer) Token() (string, error) {
	if b.err != nil {
		return "", account.Errorf(account.CodeInvalidToken, b.err, "An access token is needed: Authorization: Bearer ….")
	}
	return b.token, nil
}
