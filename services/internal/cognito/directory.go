package cognito

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"spillway.example/services/internal/account"
)

// Config names a pool and the client of it that the services are.
type Config struct {
	UserPoolID   string
	ClientID     string
	ClientSecret string // empty where the client has none
}

// endTimeout bounds the end of a session whose refresh token came again, though the caller
// hangs up.
const endTimeout = 5 * time.Second

// Directory is a user pool. It implements [account.Directory].
type Directory struct {
	api *idp.Client
	Config
}

var _ account.Directory = (*Directory)(nil)

// New makes a Directory. The client's credentials are used for the operations by the
// service's own right; the public ones are not signed.
func New(api *idp.Client, c Config) *Directory { return &Directory{api, c} }

// secretHash proves that we know the client's secret (Amazon Cognito, "Computing secret
// hash values"); nil where it has none.
func (d *Directory) secretHash(username string) *string {
	if d.ClientSecret == "" {
		return nil
	}
	mac := hmac.New(sha256.New, []byte(d.ClientSecret))
	mac.Write([]byte(username + d.ClientID))
	return aws.String(base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

// SignUp implements [account.Directory].
func (d *Directory) SignUp(ctx context.Context, u account.NewUser) (account.SignedUp, error) {
	in := &idp.SignUpInput{
		ClientId: &d.ClientID, SecretHash: d.secretHash(u.Username), Username: &u.Username, Password: &u.Password,
	}
	if u.Email != "" {
		in.UserAttributes = []types.AttributeType{{Name: aws.String("email"), Value: &u.Email}}
	}
	began := time.Now()
	out, err := d.api.SignUp(ctx, in, askOnce)
	switch {
	case err == nil:
		return account.SignedUp{UserID: account.UserID(aws.ToString(out.UserSub)), CodeSent: out.CodeDeliveryDetails != nil}, nil
	case mayHaveMade(err):
		return d.madeAnyway(ctx, u, began, failure(signUp, err))
	}
	return account.SignedUp{}, failure(signUp, err)
}

// PretendSignUp implements [account.Directory]: nothing of a sign-up's work is done here.
func (d *Directory) PretendSignUp(context.Context, account.NewUser) error { return nil }

// madeAnyway goes on with the user where a sign-up failed only when its code was to be
// sent. A user who was there before is not ours, and its password not u's: that name is
// taken, and whoever holds the claim on it decides what becomes of the user.
func (d *Directory) madeAnyway(ctx context.Context, u account.NewUser, began time.Time, failed error) (account.SignedUp, error) {
	found, now, err := d.find(ctx, u.Username)
	switch {
	case account.CodeOf(err) == account.CodeNotFound:
		return account.SignedUp{}, failed
	case err != nil:
		return account.SignedUp{}, account.ErrUnavailable(errors.Join(failed, err)) // made or not: nobody knows
	}
	// Both times are the directory's, whose Date has whole seconds.
	age := now.Sub(found.CreatedAt)
	if found.Confirmed || found.Email != u.Email || age > time.Since(began)+2*time.Second {
		return account.SignedUp{}, account.ErrUsernameTaken(0)
	}
	return account.SignedUp{UserID: found.ID}, nil
}

// Confirm implements [account.Directory].
func (d *Directory) Confirm(ctx context.Context, username, code string) error {
	_, err := d.api.ConfirmSignUp(ctx, &idp.ConfirmSignUpInput{
		ClientId: &d.ClientID, SecretHash: d.secretHash(username), Username: &username, ConfirmationCode: &code,
	}, askOnce)
	return d.unlessConfirmed(ctx, username, failure(confirmSignUp, err))
}

// ResendCode implements [account.Directory].
func (d *Directory) ResendCode(ctx context.Context, username string) error {
	// With PreventUserExistenceErrors an unknown user gets the answer of a known one.
	switch u, err := d.FindUser(ctx, username); {
	case err != nil:
		return err
	case u.Confirmed:
		return confirmed(nil)
	}
	_, err := d.api.ResendConfirmationCode(ctx, &idp.ResendConfirmationCodeInput{
		ClientId: &d.ClientID, SecretHash: d.secretHash(username), Username: &username,
	}, askOnce)
	return d.unlessConfirmed(ctx, username, failure(resendCode, err))
}

// unlessConfirmed gives CodeAlreadyConfirmed for an operation that failed since the user
// is confirmed. Cognito has no exception for that alone, but the one for what it does not
// allow, which leaves it to the message: the user's status says it for certain, and
// nobody may be taken for confirmed who is not.
func (d *Directory) unlessConfirmed(ctx context.Context, username string, failed error) error {
	if account.CodeOf(failed) != account.CodeInternal {
		return failed
	}
	if u, err := d.FindUser(ctx, username); err != nil || !u.Confirmed {
		return failed
	}
	return confirmed(failed)
}

// SignIn implements [account.Directory].
func (d *Directory) SignIn(ctx context.Context, username, password string) (account.Tokens, error) {
	if password == "" { // which Cognito would call a mistake of ours
		return account.Tokens{}, account.ErrCredentials(nil)
	}
	in := &idp.InitiateAuthInput{
		ClientId: &d.ClientID, AuthFlow: types.AuthFlowTypeUserPasswordAuth,
		AuthParameters: map[string]string{"USERNAME": username, "PASSWORD": password},
	}
	if h := d.secretHash(username); h != nil {
		in.AuthParameters["SECRET_HASH"] = *h
	}
	out, err := d.api.InitiateAuth(ctx, in)
	if err != nil {
		return account.Tokens{}, failure(initiateAuth, err)
	}
	if out.AuthenticationResult == nil {
		return account.Tokens{}, challenge(out.ChallengeName, out.Session, out.ChallengeParameters)
	}
	return tokens(out.AuthenticationResult, ""), nil
}

// Refresh implements [account.Directory]. The client's settings have Cognito replace the
// token, and take the one just replaced for [RotationGrace] more. Of one replaced longer
// ago Cognito only says that it came again: that either the owner or a thief has the newer
// one. So it is revoked, and its session with it (RFC 9700 section 4.14.2).
func (d *Directory) Refresh(ctx context.Context, refreshToken string) (account.Tokens, error) {
	if refreshToken == "" {
		return account.Tokens{}, account.ErrToken(nil)
	}
	in := &idp.GetTokensFromRefreshTokenInput{ClientId: &d.ClientID, RefreshToken: &refreshToken}
	if d.ClientSecret != "" {
		in.ClientSecret = &d.ClientSecret
	}
	out, err := d.api.GetTokensFromRefreshToken(ctx, in)
	switch _, reused := errors.AsType[*types.RefreshTokenReuseException](err); {
	case reused:
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTimeout)
		defer cancel()
		return account.Tokens{}, account.ErrToken(errors.Join(err, d.SignOut(ctx, refreshToken)))
	case err != nil:
		return account.Tokens{}, failure(refreshTokens, err)
	case out.AuthenticationResult == nil:
		return account.Tokens{}, account.ErrToken(nil)
	}
	return tokens(out.AuthenticationResult, refreshToken), nil
}

// tokens gives Cognito's tokens, with the refresh token that was sent where none came:
// without rotation it stays good.
func tokens(r *types.AuthenticationResultType, sent string) account.Tokens {
	t := account.Tokens{
		AccessToken: aws.ToString(r.AccessToken), IDToken: aws.ToString(r.IdToken), RefreshToken: aws.ToString(r.RefreshToken),
		TokenType: aws.ToString(r.TokenType), ExpiresIn: time.Duration(r.ExpiresIn) * time.Second,
	}
	if t.RefreshToken == "" {
		t.RefreshToken = sent
	}
	if t.TokenType == "" {
		t.TokenType = "Bearer"
	}
	return t
}

// SignOut implements [account.Directory].
func (d *Directory) SignOut(ctx context.Context, refreshToken string) error {
	if refreshToken == "" {
		return nil
	}
	in := &idp.RevokeTokenInput{ClientId: &d.ClientID, Token: &refreshToken}
	if d.ClientSecret != "" {
		in.ClientSecret = &d.ClientSecret
	}
	_, err := d.api.RevokeToken(ctx, in)
	if err = failure(revokeToken, err); account.CodeOf(err) == account.CodeInvalidToken {
		return nil // it opens nothing as it is
	}
	return err
}

// SignOutEverywhere implements [account.Directory].
func (d *Directory) SignOutEverywhere(ctx context.Context, accessToken string) error {
	if accessToken == "" {
		return account.ErrToken(nil)
	}
	_, err := d.api.GlobalSignOut(ctx, &idp.GlobalSignOutInput{AccessToken: &accessToken})
	return failure(globalSignOut, err)
}
