package cognito_test

import (
	"context"
	"os"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
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
var ministack = accounttest.Differences{ConstantCode: true, ConfirmsTwice: true, NeverVerifies: true}

// ministackCode is the code that ministack sends at every sign-up.
func ministackCode(*testing.T, string, string) string { return "123456" }

func TestDirectory(t *testing.T) {
	t.Parallel()
	d := directory(t)
	accounttest.RunDirectory(t, func(*testing.T) accounttest.Harness {
		return accounttest.Harness{Directory: d, Code: ministackCode, Emulated: ministack}
	})
}

func TestSagaOverDynamoDB(t *testing.T) {
	t.Parallel()
	d := directory(t)
	db := dynamodb.NewFromConfig(awstest.Config(awstest.DynamoDB.Endpoint(t)))
	if err := dynamo.Ensure(t.Context(), db, "users"); err != nil {
		t.Fatal(err)
	}
	store := dynamo.New(db, "users")
	accounttest.RunSaga(t, func(*testing.T) accounttest.Harness {
		return accounttest.Harness{
			Directory: d, Claims: store, Profiles: store, Code: ministackCode, Emulated: ministack,
			ProfilesOf: awstest.ProfilesOf(db, "users"),
		}
	})
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
