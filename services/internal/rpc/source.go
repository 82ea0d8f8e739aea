// Package rpc is the edge between the services: ProfileService of proto/, over Connect
// or gRPC. Register serves it with [Handler], login asks it with [Client], and where
// both are one process [Local] is the same without a socket.
package rpc

import (
	"context"

	"spillway.example/services/internal/account"
)

// ProfileSource gives profiles to whoever shows an access token.
type ProfileSource interface {
	// ProfileOf gives the profile of the token's user. CodeInvalidToken; CodeNotFound;
	// CodeTooManyRequests and CodeUnavailable where the profile cannot be had now.
	ProfileOf(ctx context.Context, accessToken string) (account.Profile, error)
}

// Local is the source itself: it verifies the token and reads the table.
type Local struct {
	Verifier  account.Verifier
	Registrar *account.Registrar
}

var _ ProfileSource = Local{}

// ProfileOf implements [ProfileSource].
func (l Local) ProfileOf(ctx context.Context, accessToken string) (account.Profile, error) {
	who, err := l.Verifier.Verify(ctx, accessToken)
	if err != nil {
		return account.Profile{}, err
	}
	return l.Registrar.Profile(ctx, who)
}
