package dynamo_test

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

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
