package dynamo_test

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/account/accounttest"
	"spillway.example/services/internal/awstest"
	"spillway.example/services/internal/dynamo"
)

func TestCounters(t *testing.T) {
	t.Parallel()
	s := dynamo.New(client(t), table)
	accounttest.RunCounters(t, func(*testing.T) account.Counters { return s })
}

// An attempt keeps a counter for its own time, and takes nothing of a trust's.
func TestCountersAreKept(t *testing.T) {
	t.Parallel()
	db := client(t)
	s := dynamo.New(db, table)
	limit := account.Limit{{Count: 9, Per: time.Hour}}
	now := time.Now().Truncate(time.Second)
	key := accounttest.Name("counter")
	wantKept := func(what string, want time.Duration) {
		t.Helper()
		if _, err := s.Take(t.Context(), key, limit, time.Hour, now); err != nil {
			t.Fatal(err)
		}
		out, err := db.GetItem(t.Context(), &dynamodb.GetItemInput{
			TableName: aws.String(table), Key: map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: "count#" + key}},
		})
		if err != nil {
			t.Fatal(err)
		}
		var item struct {
			ExpiresAt int64 `dynamodbav:"expires_at"`
		}
		if err := attributevalue.UnmarshalMap(out.Item, &item); err != nil {
			t.Fatal(err)
		}
		if got := time.Unix(item.ExpiresAt, 0).Sub(now.Add(want)); got < 0 || got > 2*time.Second {
			t.Errorf("%s: it is kept %v longer than wanted", what, got)
		}
	}
	wantKept("an attempt", time.Hour)
	if err := s.Trust(t.Context(), key, now.Add(720*time.Hour)); err != nil {
		t.Fatal(err)
	}
	wantKept("an attempt of somebody known", 720*time.Hour)
	wantKept("another", 720*time.Hour)
}

// counting counts the calls that go out.
type counting struct{ calls atomic.Int64 }

// Do implements the SDK's HTTP client.
func (c *counting) Do(r *http.Request) (*http.Response, error) {
	c.calls.Add(1)
	return http.DefaultClient.Do(r)
}

// What docs/limits.md says that an attempt costs.
func TestCostOfAnAttempt(t *testing.T) {
	t.Parallel()
	client(t)
	network := &counting{}
	config := awstest.Config(awstest.DynamoDB.Endpoint(t))
	config.HTTPClient = network
	s := dynamo.New(dynamodb.NewFromConfig(config), table)
	limit := account.Limit{{Count: 3, Per: time.Minute}, {Count: 9, Per: time.Hour}}
	key, now := accounttest.Name("counter"), time.Now()
	for _, tt := range []struct {
		what  string
		after time.Duration
		admit bool
		calls int64
	}{
		{"a first attempt", 0, true, 1},
		{"another while the first still counts", time.Second, true, 2},
		{"one too many", 2 * time.Second, false, 1},
		{"one when all is forgotten", 2 * time.Hour, true, 1},
	} {
		before := network.calls.Load()
		taken, err := s.Take(t.Context(), key, limit, time.Hour, now.Add(tt.after))
		if got := network.calls.Load() - before; err != nil || taken.Admitted != tt.admit || got != tt.calls {
			t.Errorf("%s: got %+v, %v with %d calls; want %d", tt.what, taken, err, got, tt.calls)
		}
	}
}
