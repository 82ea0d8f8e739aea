package backend

import (
	"context"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/token"
)

// poolDirectory is Cognito for access tokens of one pool and client. Cognito takes an access
// token with no pool beside it, and answers for whichever pool of the region, and whichever
// client, made the token: without this, somebody's token of a pool of their own would speak
// for the account here that has the same name.
type poolDirectory struct {
	account.Directory
	verifier *token.Verifier
}

// GetUser implements [account.Directory].
func (d poolDirectory) GetUser(ctx context.Context, accessToken string) (account.User, error) {
	if _, err := d.verifier.Offline(ctx, accessToken); err != nil {
		return account.User{}, err
	}
	return d.Directory.GetUser(ctx, accessToken)
}

// ChangePassword implements [account.Directory].
func (d poolDirectory) ChangePassword(ctx context.Context, accessToken, current, password string) error {
	if _, err := d.verifier.Offline(ctx, accessToken); err != nil {
		return err
	}
	return d.Directory.ChangePassword(ctx, accessToken, current, password)
}

// SignOutEverywhere implements [account.Directory].
func (d poolDirectory) SignOutEverywhere(ctx context.Context, accessToken string) error {
	if _, err := d.verifier.Offline(ctx, accessToken); err != nil {
		return err
	}
	return d.Directory.SignOutEverywhere(ctx, accessToken)
}
