package cognito

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"spillway.example/services/internal/account"
)

// RotationGrace is how long, in seconds, a refresh token that was just replaced goes on
// working: two tabs that refresh at once must not sign anybody out.
const RotationGrace = 10

// Ensure finds the pool and the client of the given names, or makes them. It is for
// development. It may be run again at any time, and then gives the same ids.
func Ensure(ctx context.Context, api *idp.Client, pool, client string) (Config, error) {
	poolID, err := ensurePool(ctx, api, pool)
	if err != nil {
		return Config{}, err
	}
	clientID, err := ensureClient(ctx, api, poolID, client)
	if err != nil {
		return Config{}, err
	}
	out, err := api.DescribeUserPoolClient(ctx, &idp.DescribeUserPoolClientInput{UserPoolId: &poolID, ClientId: &clientID})
	if err != nil {
		return Config{}, fmt.Errorf("looking at the client %s: %w", client, err)
	}
	c := out.UserPoolClient
	if err := checkClient(c); err != nil {
		return Config{}, fmt.Errorf("the client %s is there, but %w: change it, or use another name", client, err)
	}
	return Config{UserPoolID: poolID, ClientID: clientID, ClientSecret: aws.ToString(c.ClientSecret)}, nil
}

// checkClient refuses a client by which nobody could sign in, or refresh as we do.
func checkClient(c *types.UserPoolClientType) error {
	switch {
	case aws.ToString(c.ClientSecret) == "":
		return errors.New("it has no secret")
	case !slices.Contains(c.ExplicitAuthFlows, types.ExplicitAuthFlowsTypeAllowUserPasswordAuth):
		return errors.New("it does not allow USER_PASSWORD_AUTH")
	case slices.Contains(c.ExplicitAuthFlows, types.ExplicitAuthFlowsTypeAllowRefreshTokenAuth):
		return errors.New("it allows REFRESH_TOKEN_AUTH, which goes round rotation")
	case c.EnableTokenRevocation != nil && !*c.EnableTokenRevocation:
		return errors.New("it does not allow tokens to be revoked")
	}
	r := c.RefreshTokenRotation
	switch {
	case r == nil: // an emulator that does not tell
	case r.Feature != types.FeatureTypeEnabled:
		return errors.New("it does not rotate refresh tokens")
	case aws.ToInt32(r.RetryGracePeriodSeconds) == 0:
		return errors.New("it gives a refresh token that was just replaced no grace, so that two tabs at once sign somebody out")
	}
	return nil
}

func ensurePool(ctx context.Context, api *idp.Client, name string) (string, error) {
	pages := idp.NewListUserPoolsPaginator(api, &idp.ListUserPoolsInput{MaxResults: aws.Int32(60)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return "", fmt.Errorf("looking for the pool %s: %w", name, err)
		}
		for _, p := range page.UserPools {
			if aws.ToString(p.Name) == name {
				return aws.ToString(p.Id), checkPool(ctx, api, name, p.Id)
			}
		}
	}
	out, err := api.CreateUserPool(ctx, &idp.CreateUserPoolInput{
		PoolName: &name,
		// Plain usernames: neither UsernameAttributes nor AliasAttributes. Names are
		// folded before they get here, so whether case counts makes no difference.
		UsernameConfiguration: &types.UsernameConfigurationType{CaseSensitive: aws.Bool(true)},
		// The rules for passwords are the domain's.
		Policies:               &types.UserPoolPolicyType{PasswordPolicy: &types.PasswordPolicyType{MinimumLength: aws.Int32(account.MinPassword)}},
		AutoVerifiedAttributes: []types.VerifiedAttributeType{types.VerifiedAttributeTypeEmail},
		AccountRecoverySetting: &types.AccountRecoverySettingType{
			RecoveryMechanisms: []types.RecoveryOptionType{{Name: types.RecoveryOptionNameTypeVerifiedEmail, Priority: aws.Int32(1)}},
		},
	}, explicitPolicy)
	if err != nil {
		return "", fmt.Errorf("making the pool %s: %w", name, err)
	}
	return aws.ToString(out.UserPool.Id), nil
}

// checkPool refuses a pool in which names would not be what they seem.
func checkPool(ctx context.Context, api *idp.Client, name string, id *string) error {
	out, err := api.DescribeUserPool(ctx, &idp.DescribeUserPoolInput{UserPoolId: id})
	if err != nil {
		return fmt.Errorf("looking at the pool %s: %w", name, err)
	}
	if p := out.UserPool; len(p.UsernameAttributes) > 0 || len(p.AliasAttributes) > 0 {
		return fmt.Errorf("the pool %s is there with UsernameAttributes or AliasAttributes, which cannot be changed: use another name", name)
	}
	return nil
}

func ensureClient(ctx context.Context, api *idp.Client, poolID, name string) (string, error) {
	pages := idp.NewListUserPoolClientsPaginator(api, &idp.ListUserPoolClientsInput{UserPoolId: &poolID, MaxResults: aws.Int32(60)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return "", fmt.Errorf("looking for the client %s: %w", name, err)
		}
		for _, c := range page.UserPoolClients {
			if aws.ToString(c.ClientName) == name {
				return aws.ToString(c.ClientId), nil
			}
		}
	}
	out, err := api.CreateUserPoolClient(ctx, &idp.CreateUserPoolClientInput{
		UserPoolId: &poolID, ClientName: &name, GenerateSecret: true,
		ExplicitAuthFlows:          []types.ExplicitAuthFlowsType{types.ExplicitAuthFlowsTypeAllowUserPasswordAuth},
		PreventUserExistenceErrors: types.PreventUserExistenceErrorTypesEnabled,
		EnableTokenRevocation:      aws.Bool(true),
		RefreshTokenRotation: &types.RefreshTokenRotationType{
			Feature: types.FeatureTypeEnabled, RetryGracePeriodSeconds: aws.Int32(RotationGrace),
		},
		AccessTokenValidity: aws.Int32(60), IdTokenValidity: aws.Int32(60), RefreshTokenValidity: 30,
		TokenValidityUnits: &types.TokenValidityUnitsType{
			AccessToken: types.TimeUnitsTypeMinutes, IdToken: types.TimeUnitsTypeMinutes, RefreshToken: types.TimeUnitsTypeDays,
		},
	})
	if err != nil {
		return "", fmt.Errorf("making the client %s: %w", name, err)
	}
	return aws.ToString(out.UserPoolClient.ClientId), nil
}
