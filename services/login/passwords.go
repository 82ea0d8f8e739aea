package login

import (
	"context"
	"net/http"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/httpapi"
)

// addPasswords adds the operations on forgotten passwords.
func (c Config) addPasswords(api *httpapi.API) {
	httpapi.Handle(api, httpapi.Operation{
		ID: "forgot", Tag: "Passwords", Method: http.MethodPost, Path: "/login/forgot", Summary: "Ask for a new password",
		Description: "A code goes to the account's proven address, at most one a minute: what is asked for sooner sends nothing. The answer is the same whether there is such " +
			"an account, and takes the same time.",
		Status: http.StatusAccepted,
	}, func(ctx context.Context, in *forgot) (*message, error) {
		if err := c.Sessions.ForgotPassword(ctx, in.Body.Username); err != nil {
			return nil, err
		}
		out := &message{}
		out.Body.Message = "If the account has a proven address, a code is on its way to it"
		return out, nil
	})
	httpapi.Handle(api, httpapi.Operation{
		ID: "reset", Tag: "Passwords", Method: http.MethodPost, Path: "/login/reset", Summary: "Set a new password by code",
		Description: "All sessions of the account end, and its owner is told by mail.",
		Status:      http.StatusNoContent,
		Errors:      []account.Code{account.CodeMismatch, account.CodeExpired},
	}, func(ctx context.Context, in *reset) (*struct{}, error) {
		return nil, c.Sessions.ResetPassword(ctx, account.Reset{
			Username: in.Body.Username, Code: in.Body.Code, Password: in.Body.Password,
		})
	})
}

// addChange adds the change of the password by whoever is signed in.
func (c Config) addChange(api *httpapi.API) {
	httpapi.Handle(api, httpapi.Operation{
		ID: "change_password", Tag: "Passwords", Method: http.MethodPost, Path: "/me/password", Summary: "Change the password",
		Description: "All sessions of the account end, and the answer is a new one; its owner is told by mail. " +
			"Where a new session takes a further step, that is the answer, 403 `challenge_required`, and the password is the new one. " +
			"The same request again finishes one whose answer was lost.",
		Bearer: true, Errors: []account.Code{account.CodeWrongPassword, account.CodeChallenge},
		Shown: map[account.Code]httpapi.Problem{account.CodeChallenge: furtherStep, account.CodeWrongPassword: httpapi.Wrong("current_password")},
	}, func(ctx context.Context, in *change) (*tokens, error) {
		token, err := in.Token()
		if err != nil {
			return nil, err
		}
		return c.answer(c.Sessions.ChangePassword(ctx, token, in.Body.CurrentPassword, in.Body.NewPassword))
	})
}

type change struct {
	httpapi.Bearer
	httpapi.Idempotent
	Body struct {
		CurrentPassword string `json:"current_password" maxLength:"1024" format:"password" example:"correct horse battery staple"`
		NewPassword     string `json:"new_password" maxLength:"1024" format:"password" doc:"8 to 128 characters; not the username, nor one of the commonest passwords" example:"another horse, another staple"`
	}
}

type forgot struct {
	httpapi.Idempotent
	Body struct {
		Username string `json:"username" maxLength:"254" example:"alice"`
	}
}

// Subject says whose password the request is about.
func (in *forgot) Subject() string { return in.Body.Username }

type message struct {
	Body struct {
		Message string `json:"message" example:"If the account waits for a code, it is on its way"`
	}
}

type reset struct {
	httpapi.Idempotent
	Body struct {
		Username string `json:"username" maxLength:"254" example:"alice"`
		Code     string `json:"code" minLength:"1" maxLength:"32" doc:"The newest code sent to the address" example:"493817"`
		Password string `json:"password" maxLength:"1024" format:"password" doc:"The new one: 8 to 128 characters; not the username, nor one of the commonest passwords" example:"another horse, another staple"`
	}
}

// Subject says whose password the request is about.
func (in *reset) Subject() string { return in.Body.Username }
