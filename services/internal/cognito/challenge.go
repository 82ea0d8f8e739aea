package cognito

import (
	"context"
	"maps"

	"github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"spillway.example/services/internal/account"
)

func challenge(name types.ChallengeNameType, session *string, parameters map[string]string) error {
	return account.ErrChallenge(account.Challenge{Name: string(name), Session: aws.ToString(session), Parameters: parameters})
}

// RespondToChallenge implements [account.Directory].
func (d *Directory) RespondToChallenge(ctx context.Context, a account.ChallengeAnswer) (account.Tokens, error) {
	if a.Session == "" {
		return account.Tokens{}, account.ErrCredentials(nil)
	}
	in := &idp.RespondToAuthChallengeInput{
		ClientId: &d.ClientID, ChallengeName: types.ChallengeNameType(a.Name), Session: &a.Session,
		ChallengeResponses: maps.Clone(a.Responses),
	}
	if in.ChallengeResponses == nil {
		in.ChallengeResponses = map[string]string{}
	}
	in.ChallengeResponses["USERNAME"] = a.Username
	if h := d.secretHash(a.Username); h != nil {
		in.ChallengeResponses["SECRET_HASH"] = *h
	}
	out, err := d.api.RespondToAuthChallenge(ctx, in)
	switch {
	case err != nil:
		return account.Tokens{}, failure(respond, err)
	case out.AuthenticationResult == nil:
		return account.Tokens{}, challenge(out.ChallengeName, out.Session, out.ChallengeParameters)
	}
	return tokens(out.AuthenticationResult, ""), nil
}

// SetTemporaryPassword implements [account.Directory].
func (d *Directory) SetTemporaryPassword(ctx context.Context, username, password string) error {
	// It would confirm a user who waits for that.
	switch u, err := d.FindUser(ctx, username); {
	case err != nil:
		return err
	case !u.Confirmed:
		return unknown(nil)
	}
	_, err := d.api.AdminSetUserPassword(ctx, &idp.AdminSetUserPasswordInput{
		UserPoolId: &d.UserPoolID, Username: &username, Password: &password, Permanent: false,
	})
	if err != nil {
		return failure(adminPassword, err)
	}
	return d.endSessions(ctx, username)
}
