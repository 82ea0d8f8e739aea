// Package register is the service that makes accounts: sign-up, confirmation, and the
// profiles that other services ask it for.
package register

import (
	"context"
	"log/slog"
	"net/http"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/httpapi"
	"spillway.example/services/internal/rpc"
)

// DirectPath is the operation that a direct invocation of the function is.
const DirectPath = "/register"

// AddRoutes adds the service's operations to an API.
func AddRoutes(api *httpapi.API, r *account.Registrar) {
	httpapi.Handle(api, httpapi.Operation{
		ID: "register", Tag: "Accounts", Method: http.MethodPost, Path: DirectPath, Summary: "Sign up",
		Description: "With an e-mail address, beside the username or as it, a code goes to that address and the account waits for it. " +
			"For an address as username the answer is the same whether it is known or not; its owner is told by mail.",
		Errors: []account.Code{account.CodeUsernameTaken},
	}, func(ctx context.Context, in *registration) (*registered, error) {
		got, err := r.Register(ctx, account.Registration{
			Username: in.Body.Username, Password: in.Body.Password, Email: in.Body.Email,
		})
		if err != nil {
			return nil, err
		}
		out := &registered{}
		out.Body.Message = "User registered successfully"
		out.Body.UserID = string(got.UserID)
		out.Body.ConfirmationRequired = got.ConfirmationRequired
		out.Body.RegistrationToken = got.RegistrationToken
		return out, nil
	})
	httpapi.Handle(api, httpapi.Operation{
		ID: "confirm", Tag: "Accounts", Method: http.MethodPost, Path: "/register/confirm", Summary: "Confirm an account",
		Description: "Takes the code, which proves the address, and the registration token, which proves who chose the password.",
		Errors:      []account.Code{account.CodeMismatch, account.CodeExpired},
	}, func(ctx context.Context, in *confirmation) (*confirmed, error) {
		id, err := r.Confirm(ctx, account.Confirmation{
			Username: in.Body.Username, Code: in.Body.Code, RegistrationToken: in.Body.RegistrationToken,
		})
		if err != nil {
			return nil, err
		}
		out := &confirmed{}
		out.Body.Message = "User confirmed successfully"
		out.Body.UserID = string(id)
		return out, nil
	})
	httpapi.Handle(api, httpapi.Operation{
		ID: "resend", Tag: "Accounts", Method: http.MethodPost, Path: "/register/resend", Summary: "Ask for a new code",
		Description: "At most one a minute, counting the one that the sign-up sent: what is asked for sooner sends nothing. The answer is the same whether the account exists, waits, or has an address at all.",
		Status:      http.StatusAccepted,
	}, func(ctx context.Context, in *resend) (*message, error) {
		if err := r.Resend(ctx, in.Body.Username); err != nil {
			return nil, err
		}
		out := &message{}
		out.Body.Message = "If the account waits for a code, a new one is on its way"
		return out, nil
	})
}

// AddProfiles adds ProfileService to an API, for callers that come by way of a load
// balancer or as a function; tasks have a listener of its own for them.
func AddProfiles(api *httpapi.API, source rpc.ProfileSource, log *slog.Logger) {
	api.Mux.Handle(rpc.Path, rpc.Handler(source, api.Ready, log))
}

type registration struct {
	httpapi.Idempotent
	Body struct {
		Username string `json:"username" maxLength:"254" doc:"3 to 64 characters, none of them white space or invisible, and no UUID; or an e-mail address" example:"alice"`
		Password string `json:"password" maxLength:"1024" format:"password" doc:"8 to 128 characters; not the username, nor one of the commonest passwords" example:"correct horse battery staple"`
		Email    string `json:"email,omitempty" maxLength:"254" doc:"Where the code goes; with an e-mail address as username that is it" example:"alice@example.com"`
	}
}

// Subject says whom the request is about.
func (r *registration) Subject() string { return r.Body.Username }

type registered struct {
	Body struct {
		Message              string `json:"message" example:"User registered successfully"`
		UserID               string `json:"user_id,omitempty" doc:"Missing where the username is an e-mail address: confirm gives it" example:"7d0f6a3e-5b1c-4b7e-9a55-1f2e3d4c5b6a"`
		ConfirmationRequired bool   `json:"confirmation_required" doc:"Whether a code is on its way and the account waits for it"`
		RegistrationToken    string `json:"registration_token,omitempty" doc:"Goes with the code to confirm; missing where there is nothing to confirm" example:"Zk2Yx9sPd3uLwAq7Vt0c1mb5nHf8eRj6"`
	}
}

type confirmation struct {
	httpapi.Idempotent
	Body struct {
		Username          string `json:"username" maxLength:"254" example:"alice"`
		Code              string `json:"code" minLength:"1" maxLength:"32" doc:"The newest code sent to the address" example:"493817"`
		RegistrationToken string `json:"registration_token" minLength:"1" maxLength:"128" doc:"What register answered" example:"Zk2Yx9sPd3uLwAq7Vt0c1mb5nHf8eRj6"`
	}
}

// Subject says whom the request is about.
func (c *confirmation) Subject() string { return c.Body.Username }

type confirmed struct {
	Body struct {
		Message string `json:"message" example:"User confirmed successfully"`
		UserID  string `json:"user_id" example:"7d0f6a3e-5b1c-4b7e-9a55-1f2e3d4c5b6a"`
	}
}

type resend struct {
	httpapi.Idempotent
	Body struct {
		Username string `json:"username" maxLength:"254" example:"alice"`
	}
}

// Subject says whom the request is about.
func (r *resend) Subject() string { return r.Body.Username }

type message struct {
	Body struct {
		Message string `json:"message" example:"If the account waits for a code, it is on its way"`
	}
}
