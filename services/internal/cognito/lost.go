package cognito

import (
	"context"

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
	return account.PasswordFits(err)
}
