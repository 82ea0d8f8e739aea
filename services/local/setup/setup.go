// Package setup makes what the services need of AWS for development: the table, the
// user pool and its client, on local emulators or in an account of one's own.
package setup

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"spillway.example/services/internal/awssdk"
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
	// JWKSURL is where an emulated pool's keys are: its tokens name AWS as their issuer,
	// which does not have them. Empty where the pool is AWS's own.
	JWKSURL string
	// Recoverable says whether the table can be put back to an earlier state.
	Recoverable bool
}

// Settings gives the result as the services' settings, names and values.
func (r Result) Settings() [][2]string {
	s := [][2]string{
		{"USERS_TABLE", r.Table},
		{"USER_POOL_ID", r.PoolID},
		{"USER_POOL_CLIENT_ID", r.ClientID},
		{"USER_POOL_CLIENT_SECRET", r.ClientSecret},
	}
	if r.JWKSURL != "" {
		s = append(s, [2]string{"JWKS_URL", r.JWKSURL})
	}
	return s
}

// Run makes what is missing and checks what is there. It may be run again at any time
// and then gives the same result.
func Run(ctx context.Context, c Config) (Result, error) {
	awssdk.PlainBodies(&c.AWS)
	db := dynamodb.NewFromConfig(c.AWS)
	if err := dynamo.Ensure(ctx, db, c.Table); err != nil {
		return Result{}, fmt.Errorf("setting up the table: %w", err)
	}
	recoverable, err := dynamo.EnableRecovery(ctx, db, c.Table)
	if err != nil {
		return Result{}, fmt.Errorf("setting up the table: %w", err)
	}
	directory := cognitoidentityprovider.NewFromConfig(c.AWS)
	pool, err := cognito.Ensure(ctx, directory, c.Pool, c.Client)
	if err != nil {
		return Result{}, fmt.Errorf("setting up the user pool: %w", err)
	}
	r := Result{
		Table: c.Table, PoolID: pool.UserPoolID, ClientID: pool.ClientID, ClientSecret: pool.ClientSecret,
		Recoverable: recoverable,
	}
	if endpoint := directory.Options().BaseEndpoint; endpoint != nil {
		r.JWKSURL = strings.TrimRight(*endpoint, "/") + "/" + r.PoolID + "/.well-known/jwks.json"
	}
	return r, nil
}
