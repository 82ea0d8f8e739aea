package register

import (
	"context"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/httpapi"
)

// Account is what the operations on one's own account stand on; all of it is required.
type Account struct {
	Registrar *account.Registrar
	Verifier  account.Verifier
}

// AddRoutes adds the operations to an API.
func (a Account) AddRoutes(api *httpapi.API) {
	httpapi.Handle(api, httpapi.Operation{
		ID: "account", Tag: "Account", Method: http.MethodGet, Path: "/account", Summary: "Read the profile",
		Description: "The ETag names its version, which a change needs.",
		Bearer:      true, Errors: []account.Code{account.CodeNotFound},
	}, func(ctx context.Context, in *own) (*profile, error) {
		who, _, err := a.who(ctx, &in.Bearer)
		if err != nil {
			return nil, err
		}
		return answer(a.Registrar.Profile(ctx, who))
	})
	httpapi.Handle(api, httpapi.Operation{
		ID: "update_account", Tag: "Account", Method: http.MethodPatch, Path: "/account", Summary: "Change the profile",
		Description: "What is missing stays, what is empty goes. Without If-Match the answer is 428; where the profile has changed since, 412. " +
			"An e-mail address is changed by its own operation.",
		Bearer: true, Errors: []account.Code{account.CodeNotFound, account.CodeVersionChanged, account.CodeVersionRequired},
		Shown: map[account.Code]httpapi.Problem{account.CodeInvalid: {
			Errors: []httpapi.FieldProblem{{Field: "locale", Message: "must be a language tag, such as de-AT"}},
		}},
	}, a.update)
	a.addEmail(api)
	httpapi.Handle(api, httpapi.Operation{
		ID: "export_account", Tag: "Account", Method: http.MethodGet, Path: "/account/export", Summary: "Take all data with you",
		Description: "All that is held of the account, as JSON: what the users table has, what the directory has, and its sessions " +
			"where the directory knows them one by one.",
		Bearer: true, Errors: []account.Code{account.CodeNotFound},
	}, a.export)
	httpapi.Handle(api, httpapi.Operation{
		ID: "delete_account", Tag: "Account", Method: http.MethodPost, Path: "/account/delete", Summary: "Delete the account",
		Description: "With everything that is held of it; the username is free again then. It takes the password, since a token may be " +
			"stolen. Once begun, it is ended whatever comes in between: a 503 that says so need not be repeated, and what is repeated gets 401 or 404, " +
			"since the access tokens are void.",
		Status: http.StatusNoContent, Bearer: true, Errors: []account.Code{account.CodeNotFound, account.CodeWrongPassword, account.CodeChallenge},
		Shown: map[account.Code]httpapi.Problem{account.CodeChallenge: stalePassword, account.CodeWrongPassword: httpapi.Wrong("password")},
	}, func(ctx context.Context, in *deletion) (*struct{}, error) {
		who, _, err := a.who(ctx, &in.Bearer)
		if err != nil {
			return nil, err
		}
		if err := a.Registrar.Delete(ctx, who, in.Body.Password); err != nil {
			return nil, err
		}
		FinishDeletions(ctx, a.Registrar) // those of others
		return nil, nil
	})
}

// addEmail adds the change of the address.
func (a Account) addEmail(api *httpapi.API) {
	httpapi.Handle(api, httpapi.Operation{
		ID: "change_email", Tag: "Account", Method: http.MethodPost, Path: "/account/email", Summary: "Ask for another e-mail address",
		Description: "A code goes to the address. Where it belongs to another account its owner is told instead, and the answer is the same. 404 `not_supported` where the service has no mail server of its own. " +
			"It takes the password, since a token may be stolen. A username stays what it is, an address too.",
		Status: http.StatusAccepted, Bearer: true, Errors: []account.Code{account.CodeWrongPassword, account.CodeNotFound, account.CodeUnsupported, account.CodeChallenge},
		Shown: map[account.Code]httpapi.Problem{
			account.CodeChallenge:     stalePassword,
			account.CodeWrongPassword: httpapi.Wrong("password"),
			account.CodeUnsupported:   {Detail: "This service sends no mail, so an address cannot be proven."},
		},
	}, func(ctx context.Context, in *changeEmail) (*message, error) {
		who, _, err := a.who(ctx, &in.Bearer)
		if err != nil {
			return nil, err
		}
		if err := a.Registrar.ChangeEmail(ctx, who, in.Body.Email, in.Body.Password); err != nil {
			return nil, err
		}
		out := &message{}
		out.Body.Message = "If the address is nobody else's, a code is on its way to it"
		return out, nil
	})
	httpapi.Handle(api, httpapi.Operation{
		ID: "confirm_email", Tag: "Account", Method: http.MethodPost, Path: "/account/email/confirm", Summary: "Confirm another e-mail address",
		Description: "Takes the code, and gives the profile with its new address. The older address is told.",
		Bearer:      true, Errors: []account.Code{account.CodeMismatch, account.CodeExpired, account.CodeConflict, account.CodeNotFound},
	}, func(ctx context.Context, in *confirmEmail) (*profile, error) {
		who, _, err := a.who(ctx, &in.Bearer)
		if err != nil {
			return nil, err
		}
		return answer(a.Registrar.ConfirmEmail(ctx, who, in.Body.Code))
	})
}

// stalePassword is how it is shown that a password proves nothing, since an operator wants
// another one set first.
var stalePassword = httpapi.Problem{Detail: "The password must be reset."}

type changeEmail struct {
	httpapi.Bearer
	httpapi.Idempotent
	Body struct {
		Email    string `json:"email" maxLength:"254" example:"ada@example.com"`
		Password string `json:"password" maxLength:"1024" format:"password" example:"correct horse battery staple"`
	}
}

type confirmEmail struct {
	httpapi.Bearer
	httpapi.Idempotent
	Body struct {
		Code string `json:"code" minLength:"1" maxLength:"32" doc:"The newest code sent to the address" example:"493817"`
	}
}

// who says whose access token a request has, and gives the token.
func (a Account) who(ctx context.Context, b *httpapi.Bearer) (account.Identity, string, error) {
	token, err := b.Token()
	if err != nil {
		return account.Identity{}, "", err
	}
	who, err := a.Verifier.Verify(ctx, token)
	return who, token, err
}

type own struct{ httpapi.Bearer }

type deletion struct {
	httpapi.Bearer
	Body struct {
		Password string `json:"password" maxLength:"1024" format:"password" example:"correct horse battery staple"`
	}
}

type update struct {
	httpapi.Bearer
	IfMatch string `header:"If-Match" maxLength:"1024" doc:"The ETag that the profile was read with, or *" example:"\"3\""`
	Body    struct {
		DisplayName *string `json:"display_name,omitempty" maxLength:"512" doc:"Up to 128 characters" example:"Ada Lovelace"`
		Locale      *string `json:"locale,omitempty" maxLength:"64" doc:"A language tag (RFC 5646)" example:"en-GB"`
	}
}

// profile is an answer with the profile and its version.
type profile struct {
	ETag string `header:"ETag" doc:"The profile's version" example:"\"3\""`
	Body ownProfile
}

type ownProfile struct {
	UserID        string    `json:"user_id" example:"7d0f6a3e-5b1c-4b7e-9a55-1f2e3d4c5b6a"`
	Username      string    `json:"username" example:"alice"`
	Email         string    `json:"email,omitempty" example:"alice@example.com"`
	EmailVerified bool      `json:"email_verified"`
	DisplayName   string    `json:"display_name,omitempty" example:"Ada Lovelace"`
	Locale        string    `json:"locale,omitempty" example:"en-GB"`
	CreatedAt     time.Time `json:"created_at" example:"2026-01-15T09:30:00Z"`
	UpdatedAt     time.Time `json:"updated_at" example:"2026-01-15T09:30:00Z"`
}

func answer(p account.Profile, err error) (*profile, error) {
	if err != nil {
		return nil, err
	}
	return &profile{ETag: etag(p.Version), Body: body(p)}, nil
}

func body(p account.Profile) ownProfile {
	return ownProfile{
		UserID: string(p.UserID), Username: p.Username, Email: p.Email, EmailVerified: p.EmailVerified,
		DisplayName: p.DisplayName, Locale: p.Locale, CreatedAt: p.CreatedAt, UpdatedAt: p.UpdatedAt,
	}
}

func (a Account) update(ctx context.Context, in *update) (*profile, error) {
	who, _, err := a.who(ctx, &in.Bearer)
	if err != nil {
		return nil, err
	}
	if strings.TrimSpace(in.IfMatch) == "" {
		return nil, account.Errorf(account.CodeVersionRequired, nil, "A change needs the profile's ETag in If-Match.")
	}
	of, err := versions(in.IfMatch)
	if err != nil {
		return nil, err
	}
	return answer(a.Registrar.UpdateProfile(ctx, who, of, account.ProfileChange{
		DisplayName: in.Body.DisplayName, Locale: in.Body.Locale,
	}))
}

// etag is a version as a strong entity tag (RFC 9110 section 8.8.3).
func etag(version int64) string { return strconv.Quote(strconv.FormatInt(version, 10)) }

// An entity tag, and a list of them (RFC 9110 section 8.8.3).
var (
	entityTag  = regexp.MustCompile(`(W/)?"[\x21\x23-\x7E\x80-\xFF]*"`)
	entityTags = regexp.MustCompile(`^[ \t,]*` + entityTag.String() + `([ \t]*,[ \t]*(` + entityTag.String() + `)?)*$`)
)

// versions reads If-Match (RFC 9110 section 13.1.1): any version for "*", else those of our
// tags; what is none of ours matches nothing, and neither does a weak one, which says so.
// CodeInvalid for what is no list of tags; CodeVersionChanged.
func versions(ifMatch string) (account.Versions, error) {
	ifMatch = strings.TrimSpace(ifMatch)
	if ifMatch == "*" {
		return account.AnyVersion, nil
	}
	if !entityTags.MatchString(ifMatch) {
		return nil, account.ErrInvalid("If-Match", `must be the ETag as it came, in its quotes, such as "3", or *`)
	}
	of, weak := account.Versions{}, true
	for _, tag := range entityTag.FindAllString(ifMatch, -1) {
		weak = weak && strings.HasPrefix(tag, "W/")
		if n, err := strconv.ParseInt(strings.Trim(tag, `"`), 10, 64); err == nil && tag == etag(n) {
			of = append(of, n)
		}
	}
	if weak {
		return nil, account.Errorf(account.CodeVersionChanged, nil, "A weak ETag (W/) matches no version; something between here and you, such as a proxy that compresses, has made it one.")
	}
	return of, nil
}
