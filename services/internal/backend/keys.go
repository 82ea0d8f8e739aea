package backend

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/lestrrat-go/jwx/v3/jwk"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/httpapi"
)

// keySet is a JWK Set (RFC 7517 section 5).
type keySet struct {
	CacheControl string `header:"Cache-Control" example:"public, max-age=300"`
	Body         keySetBody
}

type keySetBody struct {
	Keys []map[string]any `json:"keys" doc:"JSON Web Keys (RFC 7517), the public halves"`
}

// ContentType gives the media type (RFC 7517 section 8.5.2).
func (keySetBody) ContentType(string) string { return "application/jwk-set+json" }

// addKeys adds the keys that the embedded store's tokens are signed with.
func addKeys(api *httpapi.API, keys func(context.Context) (jwk.Set, error)) {
	httpapi.Handle(api, httpapi.Operation{
		ID: "jwks", Tag: "Tokens", Method: http.MethodGet, Path: "/.well-known/jwks.json", Summary: "Keys that access tokens are signed with",
		Description: "Of the embedded store. With Cognito they are at the pool's own URL, which the tokens' `iss` begins.",
		Without:     []account.Code{account.CodeTooManyRequests},
	}, func(ctx context.Context, _ *struct{}) (*keySet, error) {
		set, err := keys(ctx)
		if err != nil {
			return nil, err
		}
		out := &keySet{CacheControl: "public, max-age=300"}
		text, err := json.Marshal(set)
		if err == nil {
			err = json.Unmarshal(text, &out.Body)
		}
		if err != nil {
			return nil, account.Errorf(account.CodeInternal, err, "")
		}
		return out, nil
	})
}
