// Package setup makes what the services need of AWS for development: the table, the
// user pool and its client, on local emulators or in an account of one's own. In
// production deploy/ makes them.
package setup

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"spillway.example/services/internal/cognito"
	"spillway.example/services/internal/dynamo"
)

// Config names what is to be there. All of it is required.
type Config struct {
	AWS    aws.Config // credentials, region and, for emulators, endpoints
	Table  string
	Pool   string
	Client string
}

// Result is what is there now.
type Result struct {
	Table        string
	PoolID       string
	ClientID     string
	ClientSecret string
}

// Settings gives the result as the services' settings, names and values.
func (r Result) Settings() [][2]string {
	return [][2]string{
		{"USERS_TABLE", r.Table},
		{"USER_POOL_ID", r.PoolID},
		{"USER_POOL_CLIENT_ID", r.ClientID},
		{"USER_POOL_CLIENT_SECRET", r.ClientSecret},
	}
}

// Run makes what is missing and checks what is there. It may be run again at any time
// and then gives the same result.
func Run(ctx context.Context, c Config) (Result, error) {
	if err := dynamo.Ensure(ctx, dynamodb.NewFromConfig(c.AWS), c.Table); err != nil {
		return Result{}, fmt.Errorf("setting up the table: %w", err)
	}
	pool, err := cognito.Ensure(ctx, cognitoidentityprovider.NewFromConfig(c.AWS), c.Pool, c.Client)
	if err != nil {
		return Result{}, fmt.Errorf("setting up the user pool: %w", err)
	}
	return Result{Table: c.Table, PoolID: pool.UserPoolID, ClientID: pool.ClientID, ClientSecret: pool.ClientSecret}, nil
}
