package embedded

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwt"

	"spillway.example/services/internal/account"
)

// scope is what Cognito gives to every token of its own API.
const scope = "aws.cognito.signin.user.admin"

// session is one sign-in and all that came of it.
type session struct {
	id      string    // origin_jti
	since   time.Time // auth_time
	user    account.User
	refresh string // the newest refresh token
}

// issue makes a session's tokens as Cognito shapes them ("Understanding user pool
// JSON web tokens" of its developer guide).
func (s *Store) issue(ctx context.Context, ses session) (account.Tokens, error) {
	key, err := s.signer(ctx)
	if err != nil {
		return account.Tokens{}, err
	}
	now := s.Now()
	access, err := s.sign(key, ses, now, "access", func(b *jwt.Builder) {
		b.Claim("client_id", s.ClientID).Claim("username", ses.user.Username).Claim("scope", scope)
	})
	if err != nil {
		return account.Tokens{}, failure("signing an access token", err)
	}
	id, err := s.sign(key, ses, now, "id", func(b *jwt.Builder) {
		b.Claim(jwt.AudienceKey, s.ClientID).Claim("cognito:username", ses.user.Username)
		if ses.user.Email != "" {
			b.Claim("email", ses.user.Email).Claim("email_verified", ses.user.EmailVerified)
		}
	})
	if err != nil {
		return account.Tokens{}, failure("signing an id token", err)
	}
	return account.Tokens{
		AccessToken: access, IDToken: id, RefreshToken: ses.refresh,
		TokenType: "Bearer", ExpiresIn: s.AccessLifetime,
	}, nil
}

// sign makes one token: what both have in common, and what the caller adds.
func (s *Store) sign(key signingKey, ses session, now time.Time, use string, add func(*jwt.Builder)) (string, error) {
	b := jwt.NewBuilder().
		Issuer(s.Issuer).
		Subject(string(ses.user.ID)).
		JwtID(uuid.NewString()).
		IssuedAt(now).
		Expiration(now.Add(s.AccessLifetime)).
		Claim("token_use", use).
		Claim("origin_jti", ses.id).
		Claim("auth_time", ses.since.Unix())
	add(b)
	t, err := b.Build()
	if err != nil {
		return "", fmt.Errorf("building the token: %w", err)
	}
	signed, err := jwt.Sign(t, jwt.WithKey(jwa.ES256(), key.private))
	return string(signed), err
}
