package dynamo_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/account/accounttest"
	"spillway.example/services/internal/awstest"
	"spillway.example/services/internal/dynamo"
)

// lossy is a network that loses the answer to the first try of every write, so that the
// SDK makes each of them twice.
type lossy struct{ lost atomic.Int64 }

// Do implements the SDK's HTTP client.
func (l *lossy) Do(r *http.Request) (*http.Response, error) {
	op, body, err := peek(r)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil || isRead(op) || unknowing(op, body) || !strings.HasPrefix(r.Header.Get("Amz-Sdk-Request"), "attempt=1") {
		return res, err
	}
	l.lost.Add(1)
	res.Body.Close()
	return nil, &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
}

// peek gives a request's operation and body, and leaves it as it was.
func peek(r *http.Request) (op string, body []byte, err error) {
	_, op, _ = strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	body, err = io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	return op, body, err
}

// isRead says whether an operation only reads: nothing refuses it, and it may come again.
func isRead(op string) bool { return op == "GetItem" || op == "BatchGetItem" || op == "Query" }

// unknowing says whether a write cannot know its own earlier try, by its contract: where
// a profile is there PutIfAbsent is a conflict, and MarkMailed, that no mail is lost
// twice, never says twice that one is due.
func unknowing(op string, body []byte) bool {
	return op == "PutItem" && bytes.Contains(body, []byte(`"user#`)) && bytes.Contains(body, []byte("attribute_not_exists")) ||
		bytes.Contains(body, []byte("SET mailed_"))
}

// TestLostAnswers holds the store, and the saga over it, to the contract there.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	db := client(t)
	network := &lossy{}
	config := awstest.Config(awstest.DynamoDB.Endpoint(t))
	config.HTTPClient = network
	config.Retryer = func() aws.Retryer {
		return retry.NewStandard(func(o *retry.StandardOptions) {
			o.RateLimiter, o.BaseDelay = ratelimit.None, time.Millisecond // the SDK's budget is not for a network as bad as this
		})
	}
	s := dynamo.New(dynamodb.NewFromConfig(config), table)
	holds(t, db, s)
	if network.lost.Load() == 0 {
		t.Error("no answer was lost")
	}
}

// A mail that is given back, and nobody hears of it, is given back once.
func TestRefundIsMadeOnce(t *testing.T) {
	t.Parallel()
	s := dynamo.New(client(t), table)
	config := awstest.Config(awstest.DynamoDB.Endpoint(t))
	config.HTTPClient = &lossy{}
	// Of four in an hour two are admitted at once.
	limit := account.Limit{{Count: 100, Per: time.Minute}, {Count: 4, Per: time.Hour}}
	key, now, ctx := accounttest.Name("counter"), time.Now(), t.Context()
	take := func(want bool) {
		t.Helper()
		if taken, err := s.Take(ctx, key, limit, time.Hour, now); err != nil || taken.Admitted != want {
			t.Errorf("Take: %v, %v, want %v", taken.Admitted, err, want)
		}
	}
	take(true)
	take(true)
	take(false)
	if err := dynamo.New(dynamodb.NewFromConfig(config), table).Refund(ctx, key, limit); account.CodeOf(err) != account.CodeUnavailable {
		t.Errorf("Refund without an answer: %v, want unavailable", err)
	}
	take(true)
	take(false)
}

// collisions is a DynamoDB in which every write meets a transaction the first time that
// it is made. DynamoDB Local lets writes wait for each other instead.
type collisions struct{ met sync.Map }

// seen says whether a write was made before, whatever its request token and the order of
// its members.
func (c *collisions) seen(op string, body []byte) (bool, error) {
	var in map[string]any
	if err := json.Unmarshal(body, &in); err != nil {
		return false, err
	}
	delete(in, "ClientRequestToken")
	key, err := json.Marshal(in)
	_, before := c.met.LoadOrStore(op+string(key), true)
	return before, err
}

// Do implements the SDK's HTTP client.
func (c *collisions) Do(r *http.Request) (*http.Response, error) {
	op, body, err := peek(r)
	if err != nil {
		return nil, err
	}
	before, err := c.seen(op, body)
	if err != nil {
		return nil, err
	}
	answer := exception("TransactionConflictException")
	switch {
	case before || isRead(op):
		return http.DefaultClient.Do(r)
	case op == "TransactWriteItems":
		answer = canceled("TransactionConflict", "None")
	}
	return &http.Response{
		StatusCode: http.StatusBadRequest, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		Body: io.NopCloser(strings.NewReader(answer)), Request: r,
	}, nil
}

// TestCollisions holds the store, and the saga over it, to the contract there.
func TestCollisions(t *testing.T) {
	t.Parallel()
	db := client(t)
	config := awstest.Config(awstest.DynamoDB.Endpoint(t))
	config.HTTPClient = &collisions{}
	s := dynamo.New(dynamodb.NewFromConfig(config), table)
	holds(t, db, s)
}

// holds runs the suites on a store, and waits for them. The database is read as it is.
func holds(t *testing.T, db *dynamodb.Client, s *dynamo.Store) {
	t.Helper()
	t.Run("store", func(t *testing.T) {
		accounttest.RunStore(t, func(*testing.T) accounttest.Harness {
			return accounttest.Harness{Claims: s, Profiles: s}
		})
	})
	t.Run("saga", func(t *testing.T) {
		accounttest.RunSaga(t, overMemory(db, s, table))
	})
	t.Run("records", func(t *testing.T) {
		accounttest.RunRecords(t, func(*testing.T) account.Records { return s })
	})
	t.Run("denials", func(t *testing.T) {
		accounttest.RunDenials(t, func(*testing.T) account.Denials { return s })
	})
}

// A claim that has got a user since it was read is not superseded: the profile of that
// user would be left behind.
func TestSupersedeSeesAnAttachedUser(t *testing.T) {
	t.Parallel()
	s, ctx := dynamo.New(client(t), table), t.Context()
	old := account.Claim{Username: accounttest.Name("late"), Attempt: "old"}
	if _, acquired, err := s.Acquire(ctx, old); err != nil || !acquired {
		t.Fatalf("Acquire: %v, %v", acquired, err)
	}
	attached := old
	attached.UserID = account.UserID(accounttest.Name("user"))
	if err := s.Attach(ctx, attached, account.Profile{UserID: attached.UserID, Username: old.Username}); err != nil {
		t.Fatalf("Attach: %v", err)
	}
	next := account.Claim{Username: old.Username, Attempt: "next"}
	if err := s.Supersede(ctx, old, next); account.CodeOf(err) != account.CodeConflict {
		t.Errorf("Supersede of the claim as it was read: got %v, want a conflict", err)
	}
	if err := s.Supersede(ctx, attached, next); err != nil {
		t.Errorf("Supersede of the claim as it is: %v", err)
	}
	if _, err := s.Get(ctx, attached.UserID); account.CodeOf(err) != account.CodeNotFound {
		t.Errorf("Get the superseded profile: got %v, want not found", err)
	}
}
