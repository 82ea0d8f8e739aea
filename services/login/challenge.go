package login

import (
	"context"
	"net/http"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/httpapi"
)

// addChallenge adds the answer to a challenge.
func (c Config) addChallenge(api *httpapi.API) {
	httpapi.Handle(api, httpapi.Operation{
		ID: "challenge", Tag: "Sessions", Method: http.MethodPost, Path: "/login/challenge", Summary: "Take the step that a sign-in asks for",
		Description: "A sign-in that needs a further step answers 403 `challenge_required` with the step's name and session. " +
			"NEW_PASSWORD_REQUIRED takes NEW_PASSWORD, SMS_MFA takes SMS_MFA_CODE, SOFTWARE_TOKEN_MFA takes SOFTWARE_TOKEN_MFA_CODE, " +
			"EMAIL_OTP takes EMAIL_OTP_CODE, SELECT_MFA_TYPE and CUSTOM_CHALLENGE take ANSWER. " +
			"The embedded store has NEW_PASSWORD_REQUIRED alone.",
		Errors: []account.Code{
			account.CodeInvalidCredentials, account.CodeChallenge, account.CodeMismatch, account.CodeExpired, account.CodeUnsupported,
		},
		Shown: map[account.Code]httpapi.Problem{
			account.CodeChallenge:   furtherStep,
			account.CodeUnsupported: {Detail: "The embedded store has no such challenge."},
		},
	}, func(ctx context.Context, in *challenge) (*tokens, error) {
		return c.answer(c.Sessions.RespondToChallenge(ctx, account.ChallengeAnswer{
			Username: in.Body.Username, Name: in.Body.Challenge, Session: in.Body.Session, Responses: in.Body.Responses,
		}))
	})
}

// furtherStep is how a step that is needed is shown.
var furtherStep = httpapi.Problem{
	Detail: "A further step is needed to sign in: SMS_MFA.",
	Challenge: &httpapi.Challenge{
		Name: "SMS_MFA", Session: "Zk2Yx9sPd3uLwAq7Vt0c1mb5nHf8eRj6", Parameters: map[string]string{"CODE_DELIVERY_DESTINATION": "+*******9934"},
	},
}

type challenge struct {
	Body struct {
		Username  string            `json:"username" maxLength:"254" example:"alice"`
		Challenge string            `json:"challenge" maxLength:"64" doc:"The step's name" example:"NEW_PASSWORD_REQUIRED"`
		Session   string            `json:"session" maxLength:"4096" doc:"What came with the step" example:"Zk2Yx9sPd3uLwAq7Vt0c1mb5nHf8eRj6"`
		Responses map[string]string `json:"responses" maxProperties:"8" doc:"By the names that the step has for them" example:"{\"NEW_PASSWORD\":\"another horse, another staple\"}"`
	}
}
