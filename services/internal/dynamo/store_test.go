package dynamo_test

import (
	"context"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/account/accounttest"
	"spillway.example/services/internal/awstest"
	"spillway.example/services/internal/dynamo"
)

func TestMain(m *testing.M) { os.Exit(awstest.Main(m)) }

const table = "users"

func client(t *testing.T) *dynamodb.Client {
	t.Helper()
	db := dynamodb.NewFromConfig(awstest.Config(awstest.DynamoDB.Endpoint(t)))
	if err := dynamo.Ensure(context.Background(), db, table); err != nil {
		t.Fatal(err)
	}
	return db
}

func TestStore(t *testing.T) {
	t.Parallel()
	db := client(t)
	accounttest.RunStore(t, func(*testing.T) accounttest.Harness {
		s := dynamo.New(db, table)
		return accounttest.Harness{Claims: s, Profiles: s}
	})
}

func TestDenials(t *testing.T) {
	t.Parallel()
	db := client(t)
	accounttest.RunDenials(t, func(*testing.T) account.Denials { return dynamo.New(db, table) })
}

func TestSagaOverMemoryDirectory(t *testing.T) {
	t.Parallel()
	db := client(t)
	accounttest.RunSaga(t, overMemory(db, dynamo.New(db, table), table))
}

func TestLifeOverMemoryDirectory(t *testing.T) {
	t.Parallel()
	db := client(t)
	// A table of its own: whoever finishes deletions finishes all that it has.
	const table = "life"
	if err := dynamo.Ensure(t.Context(), db, table); err != nil {
		t.Fatal(err)
	}
	accounttest.RunLife(t, overMemory(db, dynamo.New(db, table), table))
}

// overMemory makes harnesses of the store, each with a directory of its own.
func overMemory(db *dynamodb.Client, s *dynamo.Store, table string) func(*testing.T) accounttest.Harness {
	return func(*testing.T) accounttest.Harness {
		m := accounttest.NewMemory(nil)
		return accounttest.Harness{
			Directory: m, Claims: s, Profiles: s,
			Code:       func(_ *testing.T, username, _ string) string { return m.Code(username) },
			ProfilesOf: awstest.ProfilesOf(db, table),
		}
	}
}

func TestEnsure(t *testing.T) {
	t.Parallel()
	db := client(t) // the first time
	if err := dynamo.Ensure(t.Context(), db, table); err != nil {
		t.Errorf("a second time: %v", err)
	}
	fresh := accounttest.Name("made-by-many") // as by several copies of a service's tests, or two developers
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := dynamo.Ensure(t.Context(), db, fresh); err != nil {
				t.Errorf("at once: %v", err)
			}
		})
	}
	wg.Wait()
	out, err := db.DescribeTimeToLive(t.Context(), &dynamodb.DescribeTimeToLiveInput{TableName: &fresh})
	if err != nil || aws.ToString(out.TimeToLiveDescription.AttributeName) != dynamo.TTLAttribute {
		t.Errorf("time to live: got %+v, %v", out, err)
	}
	other := accounttest.Name("other-key")
	_, err = db.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String(other), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := dynamo.Ensure(t.Context(), db, other); err == nil || !strings.Contains(err.Error(), other) {
		t.Errorf("a table with another key: got %v, want an error that names it", err)
	}
}
