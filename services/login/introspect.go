package login

import (
	"context"
	"net/http"
	"strings"

	"spillway.example/services/internal/httpapi"
	"spillway.example/verify"
)

// Introspector says of an access token whether it is good at this moment.
type Introspector interface {
	// Introspect gives what a token says, if it is active. CodeUnavailable;
	// CodeTooManyRequests.
	Introspect(ctx context.Context, accessToken string) (c verify.Claims, active bool, err error)
}

// AddIntrospection adds POST /token/introspect (RFC 7662), for whoever knows one of the
// secrets.
func AddIntrospection(api *httpapi.API, tokens Introspector, secrets []string) {
	httpapi.Handle(api, httpapi.Operation{
		ID: "introspect", Tag: "Tokens", Method: http.MethodPost, Path: "/token/introspect", Summary: "Is a token good",
		Description: "For services that check access tokens (RFC 7662). It takes the INTROSPECTION_SECRET that this service was given, " +
			"as a bearer token or as the password of Basic authentication. Whatever is wrong with a token, the answer is that it is not active.",
		Form: []httpapi.FormField{
			{Name: "token", Description: "The access token", Example: "eyJhbGciOiJFUzI1NiJ9.eyJ0b2tlbl91c2UiOiJhY2Nlc3MifQ.c2lnbmF0dXJl", Required: true},
			{Name: "token_type_hint", Description: "Access tokens alone can be active, so it changes nothing", Example: "access_token"},
		},
		Secrets: secrets,
	}, func(ctx context.Context, in *introspection) (*introspected, error) {
		form, err := in.Values("token")
		if err != nil {
			return nil, err
		}
		c, active, err := tokens.Introspect(ctx, form.Get("token"))
		if err != nil {
			return nil, err
		}
		out := &introspected{}
		if out.Body.Active = active; active {
			out.Body.Scope, out.Body.ClientID, out.Body.Username = strings.Join(c.Scopes, " "), c.ClientID, c.Username
			out.Body.TokenType, out.Body.Subject, out.Body.Issuer = "Bearer", c.Subject, c.Issuer
			out.Body.ExpiresAt, out.Body.IssuedAt = c.ExpiresAt.Unix(), c.IssuedAt.Unix()
			out.Body.TokenID, out.Body.SessionID = c.TokenID, c.SessionID
		}
		return out, nil
	})
}

type introspection struct{ httpapi.Form }

// introspected has RFC 7662's names (section 2.2).
type introspected struct {
	Body struct {
		Active    bool   `json:"active" doc:"Whether the token is good; all else is there only if it is"`
		Scope     string `json:"scope,omitempty" example:"aws.cognito.signin.user.admin"`
		ClientID  string `json:"client_id,omitempty" example:"6h5g4f3d2s1a"`
		Username  string `json:"username,omitempty" example:"alice"`
		TokenType string `json:"token_type,omitempty" example:"Bearer"`
		ExpiresAt int64  `json:"exp,omitempty" doc:"In seconds since 1970" example:"1768473000"`
		IssuedAt  int64  `json:"iat,omitempty" doc:"In seconds since 1970" example:"1768469400"`
		Subject   string `json:"sub,omitempty" example:"7d0f6a3e-5b1c-4b7e-9a55-1f2e3d4c5b6a"`
		Issuer    string `json:"iss,omitempty" example:"https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_x"`
		TokenID   string `json:"jti,omitempty" example:"0b9f4c1e6d7a4f02"`
		SessionID string `json:"origin_jti,omitempty" doc:"The same for all tokens of one sign-in" example:"5d4c3b2a19087f6e"`
	}
}
