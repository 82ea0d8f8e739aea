package cognito_test

import (
	"context"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"spillway.example/services/internal/account/accounttest"
	"spillway.example/services/internal/awstest"
	"spillway.example/services/internal/cognito"
	"spillway.example/services/internal/dynamo"
)

func TestMain(m *testing.M) { os.Exit(awstest.Main(m)) }

// pool makes the one pool that the tests share.
var pool = sync.OnceValues(func() (cognito.Config, error) {
	return cognito.Ensure(context.Background(), api, "test", "test")
})

var api *cognitoidentityprovider.Client

var once sync.Once

func directory(t *testing.T) *cognito.Directory {
	t.Helper()
	endpoint := awstest.Cognito.Endpoint(t)
	once.Do(func() { api = cognitoidentityprovider.NewFromConfig(awstest.Config(endpoint)) })
	config, err := pool()
	if err != nil {
		t.Fatal(err)
	}
	return cognito.New(api, config)
}

// ministack is in what it differs from Cognito.
var ministack = []accounttest.Difference{
	accounttest.ConstantCode, accounttest.ConfirmsTwice, accounttest.NeverVerifies,
	accounttest.ForgetsUnconfirmed, accounttest.AnySession, accounttest.WaitsAloud,
}

func TestDirectory(t *testing.T) {
	t.Parallel()
	d := directory(t)
	accounttest.RunDirectory(t, func(*testing.T) accounttest.Harness {
		return accounttest.Harness{Directory: d, Code: awstest.Code, Emulated: ministack}
	})
}

func TestSagaOverDynamoDB(t *testing.T) {
	t.Parallel()
	accounttest.RunSaga(t, overDynamoDB(t))
}

func TestLifeOverDynamoDB(t *testing.T) {
	t.Parallel()
	accounttest.RunLife(t, overDynamoDB(t))
}

// overDynamoDB makes harnesses of both of AWS's systems.
func overDynamoDB(t *testing.T) func(*testing.T) accounttest.Harness {
	t.Helper()
	d := directory(t)
	db := dynamodb.NewFromConfig(awstest.Config(awstest.DynamoDB.Endpoint(t)))
	if err := dynamo.Ensure(t.Context(), db, "users"); err != nil {
		t.Fatal(err)
	}
	store := dynamo.New(db, "users")
	return func(*testing.T) accounttest.Harness {
		return accounttest.Harness{
			Directory: d, Claims: store, Profiles: store, Code: awstest.Code, Emulated: ministack,
			ProfilesOf: awstest.ProfilesOf(db, "users"),
		}
	}
}

func TestEnsureTwice(t *testing.T) {
	t.Parallel()
	directory(t)
	first, err := cognito.Ensure(t.Context(), api, "twice", "client")
	if err != nil {
		t.Fatal(err)
	}
	second, err := cognito.Ensure(t.Context(), api, "twice", "client")
	if err != nil || second != first {
		t.Errorf("a second time: got another pool or client, or %v", err)
	}
	if first.ClientSecret == "" {
		t.Error("the client has no secret")
	}
}

// A pool or a client that would not work is named, rather than used.
func TestEnsureRefuses(t *testing.T) {
	t.Parallel()
	directory(t)
	ctx := t.Context()
	byAddress := accounttest.Name("by-address")
	if _, err := api.CreateUserPool(ctx, &cognitoidentityprovider.CreateUserPoolInput{
		PoolName: &byAddress, UsernameAttributes: []types.UsernameAttributeType{types.UsernameAttributeTypeEmail},
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := cognito.Ensure(ctx, api, byAddress, "client"); err == nil || !strings.Contains(err.Error(), byAddress) {
		t.Errorf("a pool with UsernameAttributes: got %v, want an error that names it", err)
	}
	name := accounttest.Name("pool")
	made, err := cognito.Ensure(ctx, api, name, "client")
	if err != nil {
		t.Fatal(err)
	}
	for client, change := range map[string]func(*cognitoidentityprovider.CreateUserPoolClientInput){
		"no-secret": func(in *cognitoidentityprovider.CreateUserPoolClientInput) { in.GenerateSecret = false },
		"no-flow": func(in *cognitoidentityprovider.CreateUserPoolClientInput) {
			in.ExplicitAuthFlows = []types.ExplicitAuthFlowsType{types.ExplicitAuthFlowsTypeAllowUserSrpAuth}
		},
		"other-flow": func(in *cognitoidentityprovider.CreateUserPoolClientInput) {
			in.ExplicitAuthFlows = append(in.ExplicitAuthFlows, types.ExplicitAuthFlowsTypeAllowRefreshTokenAuth)
		},
	} {
		in := &cognitoidentityprovider.CreateUserPoolClientInput{
			UserPoolId: &made.UserPoolID, ClientName: &client, GenerateSecret: true,
			ExplicitAuthFlows: []types.ExplicitAuthFlowsType{types.ExplicitAuthFlowsTypeAllowUserPasswordAuth},
		}
		change(in)
		if _, err := api.CreateUserPoolClient(ctx, in); err != nil {
			t.Fatal(err)
		}
		if _, err := cognito.Ensure(ctx, api, name, client); err == nil || !strings.Contains(err.Error(), client) {
			t.Errorf("%s: got %v, want an error that names it", client, err)
		}
	}
}
