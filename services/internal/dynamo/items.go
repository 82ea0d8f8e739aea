package dynamo

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"spillway.example/services/internal/account"
)

// key is an item's key attribute.
const key = "pk"

func userKey(id account.UserID) string   { return "user#" + string(id) }
func nameKey(username string) string     { return "name#" + username }
func emailKey(email string) string       { return "email#" + email }
func changeKey(id account.UserID) string { return "change#" + string(id) }

func pk(k string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{key: &types.AttributeValueMemberS{Value: k}}
}

// timestamp is a time as RFC 3339 in UTC with all nine digits, so that the order of
// the texts is the order of the times.
type timestamp time.Time

const timeLayout = "2006-01-02T15:04:05.000000000Z"

// MarshalText implements encoding.TextMarshaler.
func (t timestamp) MarshalText() ([]byte, error) {
	return []byte(time.Time(t).UTC().Format(timeLayout)), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (t *timestamp) UnmarshalText(b []byte) error {
	parsed, err := time.Parse(time.RFC3339Nano, string(b))
	*t = timestamp(parsed.UTC())
	return err
}

func stamp(t time.Time) types.AttributeValue {
	return &types.AttributeValueMemberS{Value: t.UTC().Format(timeLayout)}
}

// profileItem is a profile as it is stored.
type profileItem struct {
	PK            string    `dynamodbav:"pk"`
	UserID        string    `dynamodbav:"user_id"`
	Username      string    `dynamodbav:"username"`
	Email         string    `dynamodbav:"email,omitempty"`
	EmailVerified bool      `dynamodbav:"email_verified"`
	DisplayName   string    `dynamodbav:"display_name,omitempty"`
	Locale        string    `dynamodbav:"locale,omitempty"`
	CreatedAt     timestamp `dynamodbav:"created_at"`
	UpdatedAt     timestamp `dynamodbav:"updated_at"`
	Version       int64     `dynamodbav:"version"`
}

func fromProfile(p account.Profile) profileItem {
	return profileItem{
		PK: userKey(p.UserID), UserID: string(p.UserID), Username: p.Username,
		Email: p.Email, EmailVerified: p.EmailVerified, DisplayName: p.DisplayName, Locale: p.Locale,
		CreatedAt: timestamp(p.CreatedAt), UpdatedAt: timestamp(p.UpdatedAt), Version: p.Version,
	}
}

func (i profileItem) profile() account.Profile {
	return account.Profile{
		UserID: account.UserID(i.UserID), Username: i.Username, Email: i.Email, EmailVerified: i.EmailVerified,
		DisplayName: i.DisplayName, Locale: i.Locale,
		CreatedAt: time.Time(i.CreatedAt), UpdatedAt: time.Time(i.UpdatedAt), Version: i.Version,
	}
}

// claimItem is a claim as it is stored.
type claimItem struct {
	PK         string     `dynamodbav:"pk"`
	Username   string     `dynamodbav:"username"`
	Attempt    string     `dynamodbav:"attempt"`
	TokenHash  []byte     `dynamodbav:"token_hash,omitempty"`
	UserID     string     `dynamodbav:"user_id,omitempty"`
	Email      string     `dynamodbav:"email,omitempty"`
	Directory  string     `dynamodbav:"directory,omitempty"`
	Confirmed  bool       `dynamodbav:"confirmed"`
	LeaseUntil timestamp  `dynamodbav:"lease_until"`
	SignUp     timestamp  `dynamodbav:"mailed_at"` // the last mail of this use, as the two after it
	Confirm    timestamp  `dynamodbav:"mailed_confirmation_at"`
	Reset      timestamp  `dynamodbav:"mailed_reset_at"`
	CreatedAt  timestamp  `dynamodbav:"created_at"`
	RetiredAt  *timestamp `dynamodbav:"retired_at,omitempty"`
}

func fromClaim(c account.Claim) claimItem {
	i := claimItem{
		PK: nameKey(c.Username), Username: c.Username, Attempt: c.Attempt, TokenHash: c.TokenHash,
		UserID: string(c.UserID), Email: c.Email, Directory: c.Directory, Confirmed: c.Confirmed,
		LeaseUntil: timestamp(c.LeaseUntil), CreatedAt: timestamp(c.CreatedAt),
		SignUp: timestamp(c.Mailed.SignUp), Confirm: timestamp(c.Mailed.Confirmation), Reset: timestamp(c.Mailed.Reset),
	}
	if !c.RetiredAt.IsZero() {
		i.RetiredAt = (*timestamp)(&c.RetiredAt)
	}
	return i
}

func (i claimItem) claim() account.Claim {
	c := account.Claim{
		Username: i.Username, Attempt: i.Attempt, TokenHash: i.TokenHash, UserID: account.UserID(i.UserID),
		Email: i.Email, Directory: i.Directory, Confirmed: i.Confirmed,
		LeaseUntil: time.Time(i.LeaseUntil), CreatedAt: time.Time(i.CreatedAt),
		Mailed: account.Mailed{SignUp: time.Time(i.SignUp), Confirmation: time.Time(i.Confirm), Reset: time.Time(i.Reset)},
	}
	if i.RetiredAt != nil {
		c.RetiredAt = time.Time(*i.RetiredAt)
	}
	return c
}

// ownerItem says whose a proven address is.
type ownerItem struct {
	PK        string    `dynamodbav:"pk"`
	UserID    string    `dynamodbav:"user_id"`
	CreatedAt timestamp `dynamodbav:"created_at"`
}

// item marshals one of the above: they have no field that can fail to.
func item(v any) map[string]types.AttributeValue {
	m, err := attributevalue.MarshalMapWithOptions(v, func(o *attributevalue.EncoderOptions) {
		o.UseEncodingMarshalers = true
	})
	if err != nil {
		panic(err)
	}
	return m
}

func read(m map[string]types.AttributeValue, into any) error {
	return attributevalue.UnmarshalMapWithOptions(m, into, func(o *attributevalue.DecoderOptions) {
		o.UseEncodingUnmarshalers = true
	})
}
