package verify

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// Use is what a token is for: its `token_use`.
type Use string

// The uses.
const (
	Access Use = "access" // shows a service what its bearer may do
	ID     Use = "id"     // tells a client who has signed in; shows nobody anything
)

// Claims is what a good token says.
type Claims struct {
	Subject   string // `sub`: the user, by an id that never changes
	Username  string // `username`, or `cognito:username` of an id token
	Issuer    string
	ClientID  string // `client_id`, or `aud` of an id token
	Use       Use
	TokenID   string   // `jti`
	SessionID string   // `origin_jti`: the same for all tokens of one sign-in
	Scopes    []string // none in an id token
	Groups    []string // `cognito:groups`

	SignedInAt time.Time // `auth_time`: when the session began
	IssuedAt   time.Time
	ExpiresAt  time.Time

	payload []byte
}

// HasScope says whether the token has a scope.
func (c Claims) HasScope(scope string) bool { return slices.Contains(c.Scopes, scope) }

// Require fails with ErrInsufficientScope unless the token has all these scopes.
func (c Claims) Require(scopes ...string) error {
	for _, s := range scopes {
		if !c.HasScope(s) {
			return &Error{Kind: ErrInsufficientScope, Reason: "the token lacks a scope", Scopes: scopes}
		}
	}
	return nil
}

// Decode unmarshals all the claims there are, for those that Claims has no field for.
func (c Claims) Decode(into any) error { return json.Unmarshal(c.payload, into) }

// Began gives when the session began, as far as the token tells.
func (c Claims) Began() time.Time {
	if c.SignedInAt.IsZero() {
		return c.IssuedAt
	}
	return c.SignedInAt
}

// parseClaims reads the claims, and wants those that every token must have. notBefore is
// the zero time where there is none.
func parseClaims(payload []byte) (c Claims, notBefore time.Time, err error) {
	c.payload = payload
	err = parseObject(payload, func(o object) error {
		use, err := o.text("token_use")
		if err != nil {
			return err
		}
		c.Use = Use(use)
		names := map[string]*string{
			"iss": &c.Issuer, "sub": &c.Subject, "jti": &c.TokenID, "origin_jti": &c.SessionID,
			"username": &c.Username, "client_id": &c.ClientID,
		}
		if c.Use == ID {
			delete(names, "client_id")
			delete(names, "username")
			names["cognito:username"] = &c.Username
			audience, err := o.texts("aud")
			if err != nil {
				return err
			}
			if len(audience) == 1 { // more than one client's is none of ours
				c.ClientID = audience[0]
			}
		}
		for name, to := range names {
			if *to, err = o.text(name); err != nil {
				return err
			}
		}
		scope, err := o.text("scope")
		if err != nil {
			return err
		}
		c.Scopes = strings.Fields(scope)
		if c.Groups, err = o.texts("cognito:groups"); err != nil {
			return err
		}
		for name, to := range map[string]*time.Time{
			"exp": &c.ExpiresAt, "iat": &c.IssuedAt, "auth_time": &c.SignedInAt, "nbf": &notBefore,
		} {
			if *to, err = o.date(name); err != nil {
				return err
			}
		}
		return nil
	})
	return c, notBefore, err
}
