package token

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"spillway.example/services/internal/account"
	"spillway.example/verify"
)

// Config is what a [Verifier] checks tokens against; all but Logger and Now are required.
type Config struct {
	Issuer   string // the `iss` that tokens must have
	ClientID string // the `client_id`: Cognito's access tokens have no `aud`
	Keys     verify.Keys
	Denials  account.Denials
	Logger   *slog.Logger     // nil means slog.Default
	Now      func() time.Time // nil means the wall clock
}

// Verifier checks access tokens. It implements [account.Verifier].
type Verifier struct {
	denials *written
	offline *verify.Verifier
	current *verify.Verifier // asks the deny list, too
}

var _ account.Verifier = (*Verifier)(nil)

// NewVerifier makes a Verifier.
func NewVerifier(c Config) (*Verifier, error) {
	config := verify.Config{Issuer: c.Issuer, ClientIDs: []string{c.ClientID}, Keys: c.Keys, Logger: c.Logger, Now: c.Now}
	offline, err := verify.New(config)
	if err != nil {
		return nil, err
	}
	config.Revocations = list{c.Denials}
	current, err := verify.New(config)
	if err != nil {
		return nil, err
	}
	denials := &written{Denials: c.Denials, now: current.Now, users: map[account.UserID]entry{}, sessions: map[string]entry{}}
	return &Verifier{denials, offline, current}, nil
}

// Denials gives the deny list for whoever writes to it in this process: then the verifier knows
// at once, where others learn of it within [verify.DefaultRevokedWithin].
func (v *Verifier) Denials() account.Denials { return v.denials }

// Verify implements [account.Verifier]. It asks the deny list about a session three times
// in [verify.DefaultRevokedWithin], however many requests there are.
func (v *Verifier) Verify(ctx context.Context, accessToken string) (account.Identity, error) {
	c, err := v.current.Verify(ctx, accessToken)
	if err != nil {
		return account.Identity{}, failure(err)
	}
	who := identity(c)
	if v.denials.denies(who) {
		return account.Identity{}, account.ErrToken(errDenied)
	}
	return who, nil
}

var errDenied = errors.New("this process has denied the token")

// Offline gives the bearer of an access token by what it says alone, be the session on
// the deny list or not: for whoever asks the directory next. CodeInvalidToken;
// CodeUnavailable.
func (v *Verifier) Offline(ctx context.Context, accessToken string) (account.Identity, error) {
	c, err := v.offline.Verify(ctx, accessToken)
	if err != nil {
		return account.Identity{}, failure(err)
	}
	return identity(c), nil
}

// Introspect gives what an access token says if it is good at this moment, and whether it
// is. Every answer costs one look at the deny list, so that the time tells nothing of why
// a token is not good. CodeUnavailable; CodeTooManyRequests.
func (v *Verifier) Introspect(ctx context.Context, accessToken string) (c verify.Claims, active bool, err error) {
	c, err = v.offline.Verify(ctx, accessToken)
	if errors.Is(err, verify.ErrUnavailable) {
		return verify.Claims{}, false, failure(err)
	}
	good := err == nil
	who := identity(c)
	if !good {
		who = account.Identity{UserID: account.UserID(uuid.NewString()), SessionID: uuid.NewString()}
	}
	denied, err := v.denials.Denied(ctx, who)
	if err != nil {
		return verify.Claims{}, false, err
	}
	if !good || denied {
		return verify.Claims{}, false, nil
	}
	return c, true, nil
}

func identity(c verify.Claims) account.Identity {
	return account.Identity{
		UserID: account.UserID(c.Subject), Username: c.Username,
		SessionID: c.SessionID, Since: c.Began(), ExpiresAt: c.ExpiresAt,
	}
}

// list is the deny list as package verify asks it.
type list struct{ account.Denials }

// Revoked implements [verify.Revocations].
func (l list) Revoked(ctx context.Context, _ string, c verify.Claims) (bool, error) {
	return l.Denied(ctx, identity(c))
}

// failure makes the domain's error of a failed check.
func failure(err error) error {
	if errors.Is(err, verify.ErrUnavailable) {
		return account.ErrUnavailable(fmt.Errorf("checking a token: %w", err))
	}
	return account.ErrToken(err)
}
