package login

import (
	"context"
	"net/http"
	"time"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/httpapi"
)

// addSessions adds the operations on single sessions.
func (c Config) addSessions(api *httpapi.API) {
	httpapi.Handle(api, httpapi.Operation{
		ID: "sessions", Tag: "Sessions", Method: http.MethodGet, Path: "/me/sessions", Summary: "List the account's sessions",
		Description: "Those that have not ended, newest first. Only where the directory knows them one by one: the embedded store does, " +
			"Cognito does not.",
		Bearer: true, Errors: []account.Code{account.CodeUnsupported}, Without: []account.Code{account.CodeTooManyRequests},
		Shown: map[account.Code]httpapi.Problem{account.CodeUnsupported: unknownOnes},
	}, func(ctx context.Context, in *me) (*sessions, error) {
		token, err := in.Token()
		if err != nil {
			return nil, err
		}
		found, err := c.Sessions.ListSessions(ctx, token)
		if err != nil {
			return nil, err
		}
		out := &sessions{}
		out.Body.Sessions = make([]session, len(found))
		for i, s := range found {
			out.Body.Sessions[i] = session(s)
		}
		return out, nil
	})
	httpapi.Handle(api, httpapi.Operation{
		ID: "end_session", Tag: "Sessions", Method: http.MethodDelete, Path: "/me/sessions/{id}", Summary: "End one of the account's sessions",
		Description: "Its refresh token is void from then on. Where the directory does not know sessions one by one, sign out everywhere.",
		Status:      http.StatusNoContent,
		Bearer:      true, Errors: []account.Code{account.CodeNotFound, account.CodeUnsupported}, Without: []account.Code{account.CodeTooManyRequests},
		Shown: map[account.Code]httpapi.Problem{
			account.CodeInvalid:     {Errors: []httpapi.FieldProblem{{Field: "id", Message: "expected length <= 64"}}},
			account.CodeNotFound:    {Detail: "There is no such session."},
			account.CodeUnsupported: unknownOnes,
		},
	}, func(ctx context.Context, in *endSession) (*struct{}, error) {
		token, err := in.Token()
		if err != nil {
			return nil, err
		}
		return nil, c.Sessions.EndSession(ctx, token, in.ID)
	})
}

// unknownOnes is how a directory is shown that does not know single sessions.
var unknownOnes = httpapi.Problem{Detail: "This directory does not know sessions one by one; sign out everywhere instead."}

type endSession struct {
	httpapi.Bearer
	ID string `path:"id" maxLength:"64" example:"0b5c2f6e-9d1a-4c7e-8f55-2f1e3d4c5b6a"`
}

type sessions struct {
	Body struct {
		Sessions []session `json:"sessions" nullable:"false"`
	}
}

type session struct {
	ID        string    `json:"id" example:"0b5c2f6e-9d1a-4c7e-8f55-2f1e3d4c5b6a"`
	CreatedAt time.Time `json:"created_at" doc:"When its user signed in" example:"2026-01-15T09:30:00Z"`
	ExpiresAt time.Time `json:"expires_at" doc:"When it ends by itself" example:"2026-02-14T09:30:00Z"`
	Current   bool      `json:"current" doc:"Whether the access token that asks is of this one"`
}
