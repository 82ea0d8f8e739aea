package cognito

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/awserror"
)

// answers says whether all tries of one call have been answered. Of one that was not nobody
// knows whether it was done, and the next, which the SDK makes, may find that it was: a
// code that it used up, for one.
type answers struct {
	aws.Retryer
	lost bool
}

// watch has the SDK try a call as [askOnce] does, and notes what was lost.
func (a *answers) watch(o *idp.Options) {
	askOnce(o)
	a.Retryer = o.Retryer
	o.Retryer = a
}

// IsErrorRetryable implements [aws.Retryer]. It is asked of every try that fails, one after
// the other.
func (a *answers) IsErrorRetryable(err error) bool {
	a.lost = a.lost || account.CodeOf(awserror.Failure(err)) == account.CodeUnavailable
	return a.Retryer.IsErrorRetryable(err)
}

// opens says whether a user's password is this one. The session that it opens is for the
// caller to end.
func (d *Directory) opens(ctx context.Context, username, password string) (bool, error) {
	_, err := d.SignIn(ctx, username, password)
	if e, ok := errors.AsType[*account.Error](err); ok && e.Challenge != nil {
		return true, nil // a further step follows the right password alone
	}
	switch account.CodeOf(err) {
	case "":
		return true, nil
	case account.CodeInvalidCredentials, account.CodeNotConfirmed, account.CodeChallenge:
		return false, nil
	}
	return false, err
}
