package cognito

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"spillway.example/services/internal/account"
)

// GetUser implements [account.Directory].
func (d *Directory) GetUser(ctx context.Context, accessToken string) (account.User, error) {
	if accessToken == "" {
		return account.User{}, account.ErrToken(nil)
	}
	out, err := d.api.GetUser(ctx, &idp.GetUserInput{AccessToken: &accessToken})
	if err != nil {
		return account.User{}, failure(getUser, err)
	}
	u := user(out.Username, out.UserAttributes)
	u.Confirmed = true // or there would be no token
	return u, nil
}

// FindUser implements [account.Directory].
func (d *Directory) FindUser(ctx context.Context, username string) (account.User, error) {
	u, _, err := d.find(ctx, username)
	return u, err
}

// find gives the user, and the time by the directory's clock.
func (d *Directory) find(ctx context.Context, username string) (account.User, time.Time, error) {
	out, err := d.api.AdminGetUser(ctx, &idp.AdminGetUserInput{UserPoolId: &d.UserPoolID, Username: &username})
	if err != nil {
		return account.User{}, time.Time{}, failure(adminGetUser, err)
	}
	u := user(out.Username, out.UserAttributes)
	if u.Username != username { // Cognito takes a `sub` for a name, too; here it is none
		return account.User{}, time.Time{}, unknown(nil)
	}
	u.Confirmed = out.UserStatus != types.UserStatusTypeUnconfirmed
	u.CreatedAt = aws.ToTime(out.UserCreateDate).UTC()
	now, _ := middleware.GetServerTime(out.ResultMetadata)
	return u, now, nil
}

func user(username *string, attributes []types.AttributeType) account.User {
	u := account.User{Username: aws.ToString(username)}
	for _, a := range attributes {
		switch aws.ToString(a.Name) {
		case "sub":
			u.ID = account.UserID(aws.ToString(a.Value))
		case "email":
			u.Email = aws.ToString(a.Value)
		case "email_verified":
			u.EmailVerified = aws.ToString(a.Value) == "true"
		}
	}
	return u
}

// ConfirmUser implements [account.Directory].
func (d *Directory) ConfirmUser(ctx context.Context, username string) error {
	_, err := d.api.AdminConfirmSignUp(ctx, &idp.AdminConfirmSignUpInput{UserPoolId: &d.UserPoolID, Username: &username})
	return d.unlessConfirmed(ctx, username, failure(adminConfirm, err))
}

// SetEmail implements [account.Directory].
func (d *Directory) SetEmail(ctx context.Context, username, email string) error {
	_, err := d.api.AdminUpdateUserAttributes(ctx, &idp.AdminUpdateUserAttributesInput{
		UserPoolId: &d.UserPoolID, Username: &username,
		UserAttributes: []types.AttributeType{
			{Name: aws.String("email"), Value: &email}, {Name: aws.String("email_verified"), Value: aws.String("true")},
		},
	})
	return failure(adminUpdate, err)
}

// DeleteUser implements [account.Directory]. In a pool without aliases Cognito takes a local
// user's `sub` for the name (API reference, AdminDeleteUser), and no name here looks like one
// ([account.FoldUsername]).
func (d *Directory) DeleteUser(ctx context.Context, id account.UserID) error {
	sub := string(id)
	_, err := d.api.AdminDeleteUser(ctx, &idp.AdminDeleteUserInput{UserPoolId: &d.UserPoolID, Username: &sub})
	if err = failure(adminDelete, err); account.CodeOf(err) == account.CodeNotFound {
		return nil
	}
	return err
}
