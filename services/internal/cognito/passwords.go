package cognito

import (
	"context"
	"errors"
	"strings"
	"time"

	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"spillway.example/services/internal/account"
)

// ForgotPassword implements [account.Directory]. With PreventUserExistenceErrors Cognito
// answers for an unknown user as for a known one.
func (d *Directory) ForgotPassword(ctx context.Context, username string) error {
	_, err := d.api.ForgotPassword(ctx, &idp.ForgotPasswordInput{
		ClientId: &d.ClientID, SecretHash: d.secretHash(username), Username: &username,
	}, askOnce)
	return failure(forgot, err)
}

// ResetPassword implements [account.Directory]. Where an answer was lost the code may be used
// up, and says nothing any more: whether the password is the new one does.
func (d *Directory) ResetPassword(ctx context.Context, username, code, password string) error {
	var tries answers
	_, err := d.api.ConfirmForgotPassword(ctx, &idp.ConfirmForgotPasswordInput{
		ClientId: &d.ClientID, SecretHash: d.secretHash(username), Username: &username,
		ConfirmationCode: &code, Password: &password,
	}, tries.watch)
	if failed := failure(confirmForgot, err); failed != nil {
		if !tries.lost {
			return failed
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), signOutTime)
		defer cancel()
		switch done, err := d.opens(ctx, username, password); {
		case err != nil:
			return account.Errorf(account.CodeUnavailable, errors.Join(failed, err),
				"The password may be changed: sign in with the new one, and sign out everywhere.")
		case !done:
			return failed
		}
	}
	return d.endSessions(ctx, username)
}

// endSessions ends all sessions of a user whose password has been changed: Cognito lets them
// go on. It goes on when the caller has gone. CodeUnavailable.
func (d *Directory) endSessions(ctx context.Context, username string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), signOutTime)
	defer cancel()
	_, err := d.api.AdminUserGlobalSignOut(ctx, &idp.AdminUserGlobalSignOutInput{UserPoolId: &d.UserPoolID, Username: &username})
	if err = failure(adminSignOut, err); err != nil {
		return account.Errorf(account.CodeUnavailable, err,
			"The password is changed, but older sessions may go on: sign in, and sign out everywhere.")
	}
	return nil
}

// ChangePassword implements [account.Directory]. Cognito has one exception for a token
// and for a password that are not good, and another for one of the wrong form, such as a
// password that ends in a space: that the token is good says that the password is not.
func (d *Directory) ChangePassword(ctx context.Context, accessToken, current, password string) error {
	switch {
	case accessToken == "":
		return account.ErrToken(nil)
	case current == "": // which Cognito would call a mistake of ours
		return account.ErrCredentials(nil)
	}
	_, err := d.api.ChangePassword(ctx, &idp.ChangePasswordInput{
		AccessToken: &accessToken, PreviousPassword: &current, ProposedPassword: &password,
	}, askOnce)
	failed := failure(change, err)
	_, refused := errors.AsType[*types.NotAuthorizedException](err)
	malformed, odd := errors.AsType[*types.InvalidParameterException](err)
	switch {
	case odd && strings.Contains(malformed.ErrorMessage(), "proposedPassword"):
		return badPassword(failed)
	case !odd && !refused || account.CodeOf(failed) != account.CodeInvalidToken:
		return failed
	}
	if _, err := d.GetUser(ctx, accessToken); err != nil {
		return err
	}
	return account.ErrCredentials(failed)
}

// signOutTime is how long ending the sessions after a new password may take.
const signOutTime = 15 * time.Second
