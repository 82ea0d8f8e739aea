package httpapi

import (
	"errors"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"spillway.example/services/internal/account"
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
}

// Resolve takes the token from the Authorization header (RFC 6750 section 2.1).
func (b *Bearer) Resolve(ctx huma.Context) []error {
	b.token = BearerToken(ctx.Header("Authorization"))
	return nil
}

var errNoToken = errors.New("there is no token")

// Token gives the access token; CodeInvalidToken where there is none.
func (b *Bearer) Token() (string, error) {
	if b.token == "" {
		return "", account.Errorf(account.CodeInvalidToken, errNoToken, "An access token is needed: Authorization: Bearer ….")
	}
	return b.token, nil
}

// BearerToken takes the token out of an Authorization header's value, or gives "".
func BearerToken(authorization string) string {
	scheme, token, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(scheme, "bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}
