// Package login is the service that signs people in and out and says who they are.
package login

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/httpapi"
	"spillway.example/services/internal/rpc"
)

// DirectPath is the operation that a direct invocation of the function is.
const DirectPath = "/login"

// Config is what the operations stand on; all of it is required.
type Config struct {
	Sessions *account.Sessions
	Verifier account.Verifier
	Profiles rpc.ProfileSource // register
	Logger   *slog.Logger
}

// AddRoutes adds the service's operations to an API.
func AddRoutes(api *httpapi.API, c Config) {
	httpapi.Handle(api, httpapi.Operation{
		ID: "login", Tag: "Sessions", Method: http.MethodPost, Path: DirectPath, Summary: "Sign in",
		Description: "A wrong password and an unknown user get one and the same answer.",
		Errors:      []account.Code{account.CodeInvalidCredentials, account.CodeNotConfirmed, account.CodeChallenge},
		Shown:       map[account.Code]httpapi.Problem{account.CodeChallenge: furtherStep},
	}, func(ctx context.Context, in *credentials) (*tokens, error) {
		return c.answer(c.Sessions.SignIn(ctx, in.Body.Username, in.Body.Password))
	})
	c.addChallenge(api)
	c.addPasswords(api)
	c.addChange(api)
	c.addSessions(api)
	httpapi.Handle(api, httpapi.Operation{
		ID: "refresh", Tag: "Sessions", Method: http.MethodPost, Path: "/token/refresh", Summary: "Go on with a session",
		Description: "The refresh token in the answer takes the place of the one sent.",
		Errors:      []account.Code{account.CodeInvalidToken},
	}, func(ctx context.Context, in *refresh) (*tokens, error) {
		return c.answer(c.Sessions.Refresh(ctx, in.Body.RefreshToken))
	})
	httpapi.Handle(api, httpapi.Operation{
		ID: "logout", Tag: "Sessions", Method: http.MethodPost, Path: "/logout", Summary: "Sign out",
		Description: "Ends the session of a refresh token, whether or not it is still good; with an access token and `everywhere`, " +
			"all sessions of the account. The access token, and with `everywhere` all of the account, stop to count within 30 seconds.",
		Status: http.StatusNoContent, MayBear: true,
		Errors: []account.Code{account.CodeInvalidToken},
		Shown: map[account.Code]httpapi.Problem{account.CodeInvalid: {
			Detail: nothingToEnd, Errors: []httpapi.FieldProblem{{Field: "refresh_token", Message: needsOne}},
		}},
	}, c.logout)
	httpapi.Handle(api, httpapi.Operation{
		ID: "me", Tag: "Sessions", Method: http.MethodGet, Path: "/me", Summary: "Who am I",
		Description: "Profiles come from register; while it is away the answer is 503 with what the token says.",
		Errors:      []account.Code{account.CodeNotFound}, Bearer: true,
		Without: []account.Code{account.CodeTooManyRequests}, // it is as good as away then
		Shown:   map[account.Code]httpapi.Problem{account.CodeUnavailable: {User: &httpapi.KnownUser{UserID: "7d0f6a3e-5b1c-4b7e-9a55-1f2e3d4c5b6a", Username: "alice"}}},
	}, c.me)
}

type credentials struct {
	Body struct {
		Username string `json:"username" maxLength:"254" example:"alice"`
		Password string `json:"password" maxLength:"1024" format:"password" example:"correct horse battery staple"`
	}
}

type refresh struct {
	Body struct {
		RefreshToken string `json:"refresh_token" minLength:"1" maxLength:"16384" example:"q7Vt0c1mZk2Yx9sPd3uLwA.b5nHf8eRj6gKo4iTa7zWvQ"`
	}
}

type logout struct {
	httpapi.Bearer
	Body struct {
		RefreshToken string `json:"refresh_token,omitempty" maxLength:"16384" doc:"The session to end" example:"q7Vt0c1mZk2Yx9sPd3uLwA.b5nHf8eRj6gKo4iTa7zWvQ"`
		Everywhere   bool   `json:"everywhere,omitempty" doc:"End all sessions of the access token's account"`
	}
}

type me struct{ httpapi.Bearer }

// tokens has RFC 6749's names (section 5.1).
type tokens struct {
	Body struct {
		AccessToken  string `json:"access_token" example:"eyJhbGciOiJFUzI1NiJ9.eyJ0b2tlbl91c2UiOiJhY2Nlc3MifQ.c2lnbmF0dXJl"`
		IDToken      string `json:"id_token" example:"eyJhbGciOiJFUzI1NiJ9.eyJ0b2tlbl91c2UiOiJpZCJ9.c2lnbmF0dXJl"`
		RefreshToken string `json:"refresh_token" example:"q7Vt0c1mZk2Yx9sPd3uLwA.b5nHf8eRj6gKo4iTa7zWvQ"`
		ExpiresIn    int    `json:"expires_in" doc:"Of the access token, in seconds" example:"3600"`
		TokenType    string `json:"token_type" example:"Bearer"`
	}
}

type profile struct {
	Body struct {
		UserID        string    `json:"user_id" example:"7d0f6a3e-5b1c-4b7e-9a55-1f2e3d4c5b6a"`
		Username      string    `json:"username" example:"alice"`
		Email         string    `json:"email,omitempty" example:"alice@example.com"`
		EmailVerified bool      `json:"email_verified"`
		DisplayName   string    `json:"display_name,omitempty" example:"Ada Lovelace"`
		Locale        string    `json:"locale,omitempty" example:"en-GB"`
		CreatedAt     time.Time `json:"created_at" example:"2026-01-15T09:30:00Z"`
		UpdatedAt     time.Time `json:"updated_at" example:"2026-01-15T09:30:00Z"`
	}
}

func (Config) answer(t account.Tokens, err error) (*tokens, error) {
	if err != nil {
		return nil, err
	}
	out := &tokens{}
	out.Body.AccessToken, out.Body.IDToken, out.Body.RefreshToken = t.AccessToken, t.IDToken, t.RefreshToken
	out.Body.ExpiresIn, out.Body.TokenType = int(t.ExpiresIn/time.Second), t.TokenType
	return out, nil
}

// What a sign-out of nothing is told.
const (
	nothingToEnd = "There is nothing to sign out of."
	needsOne     = "is required, or everywhere"
)

func (c Config) logout(ctx context.Context, in *logout) (*struct{}, error) {
	if in.Body.RefreshToken == "" && !in.Body.Everywhere {
		return nil, &account.Error{
			Code: account.CodeInvalid, Message: nothingToEnd,
			Fields: []account.Field{{Name: "refresh_token", Message: needsOne}},
		}
	}
	if in.Body.Everywhere {
		token, err := in.Token()
		if err != nil {
			return nil, err
		}
		if err := c.Sessions.SignOutEverywhere(ctx, token); err != nil {
			return nil, err
		}
	}
	if in.Body.RefreshToken != "" {
		token, _ := in.Token() // it need not be given
		return nil, c.Sessions.SignOut(ctx, in.Body.RefreshToken, token)
	}
	return nil, nil
}

func (c Config) me(ctx context.Context, in *me) (*profile, error) {
	token, err := in.Token()
	if err != nil {
		return nil, err
	}
	who, err := c.Verifier.Verify(ctx, token)
	if err != nil {
		return nil, err
	}
	p, err := c.Profiles.ProfileOf(ctx, token)
	switch account.CodeOf(err) {
	case "":
	case account.CodeUnavailable, account.CodeTooManyRequests:
		return nil, c.without(ctx, who, err)
	default:
		return nil, err
	}
	out := &profile{}
	out.Body.UserID, out.Body.Username = string(p.UserID), p.Username
	out.Body.Email, out.Body.EmailVerified = p.Email, p.EmailVerified
	out.Body.DisplayName, out.Body.Locale = p.DisplayName, p.Locale
	out.Body.CreatedAt, out.Body.UpdatedAt = p.CreatedAt, p.UpdatedAt
	return out, nil
}

// without answers for a profile that cannot be had with what the token says.
func (c Config) without(ctx context.Context, who account.Identity, err error) error {
	away := account.ErrUnavailable(err)
	if e, ok := errors.AsType[*account.Error](err); ok {
		away = &account.Error{Code: account.CodeUnavailable, Message: e.Message, RetryAfter: e.RetryAfter, Err: err}
	}
	p := httpapi.NewProblem(ctx, c.Logger, away)
	p.User = &httpapi.KnownUser{UserID: string(who.UserID), Username: who.Username}
	return p
}
