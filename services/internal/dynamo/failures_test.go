package dynamo_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/awstest"
	"spillway.example/services/internal/dynamo"
)

// canceled is the answer to a transaction whose actions ended for these reasons
// (Amazon DynamoDB API reference, TransactWriteItems).
func canceled(reasons ...string) string {
	var list []string
	for _, r := range reasons {
		list = append(list, fmt.Sprintf(`{"Code":%q}`, r))
	}
	return fmt.Sprintf(`{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
		"Message":"Transaction cancelled, please refer cancellation reasons for specific reasons [%s]",
		"CancellationReasons":[%s]}`, strings.Join(reasons, ", "), strings.Join(list, ","))
}

func exception(name string) string {
	return fmt.Sprintf(`{"__type":"com.amazonaws.dynamodb.v20120810#%s","message":"as recorded"}`, name)
}

// stub is an endpoint that refuses the first n writes with an answer, and takes those
// that follow. Its reads find nothing.
func stub(t *testing.T, n, status int, answer string) aws.Config {
	t.Helper()
	var mu sync.Mutex
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		if n == 0 || strings.HasSuffix(r.Header.Get("X-Amz-Target"), "GetItem") {
			fmt.Fprint(w, `{}`)
			return
		}
		n--
		w.WriteHeader(status)
		fmt.Fprint(w, answer)
	}))
	t.Cleanup(server.Close)
	config := awstest.Config(server.URL)
	config.RetryMaxAttempts = 1
	return config
}

const ever = -1

func TestFailedWrites(t *testing.T) {
	t.Parallel()
	claim := account.Claim{Username: "alice", Attempt: "1", UserID: "2", LeaseUntil: time.Now()}
	writes := map[string]func(*testing.T, *dynamo.Store) error{
		"one item": func(t *testing.T, s *dynamo.Store) error {
			_, _, err := s.Acquire(t.Context(), claim)
			return err
		},
		"an update":  func(t *testing.T, s *dynamo.Store) error { return s.Extend(t.Context(), "alice", "1", time.Now()) },
		"a deletion": func(t *testing.T, s *dynamo.Store) error { return s.Delete(t.Context(), "2") },
		"a transaction": func(t *testing.T, s *dynamo.Store) error {
			return s.Attach(t.Context(), claim, account.Profile{UserID: "2"})
		},
	}
	for _, tt := range []struct {
		write  string
		times  int
		status int
		answer string
		want   account.Code // "" is success
	}{
		{"one item", 2, 400, exception("TransactionConflictException"), ""},
		{"one item", ever, 400, exception("TransactionConflictException"), account.CodeTooManyRequests},
		{"an update", 2, 400, exception("TransactionConflictException"), ""},
		{"a deletion", 2, 400, exception("TransactionConflictException"), ""},
		{"a transaction", 2, 400, canceled("TransactionConflict", "None"), ""},
		{"a transaction", 2, 400, canceled("None", "ThrottlingError"), ""},
		{"a transaction", ever, 400, canceled("TransactionConflict", "None"), account.CodeTooManyRequests},
		{"a transaction", ever, 400, canceled("None", "ProvisionedThroughputExceeded"), account.CodeTooManyRequests},
		{"a transaction", ever, 400, canceled("TransactionConflict", "ConditionalCheckFailed"), account.CodeConflict},
		{"a transaction", ever, 400, canceled("ValidationError", "None"), account.CodeInternal},
		{"a transaction", ever, 400, exception("TransactionInProgressException"), account.CodeTooManyRequests},
		{"one item", ever, 400, exception("ProvisionedThroughputExceededException"), account.CodeTooManyRequests},
		{"one item", ever, 400, exception("RequestLimitExceeded"), account.CodeTooManyRequests},
		{"one item", ever, 400, exception("ThrottlingException"), account.CodeTooManyRequests},
		{"one item", ever, 500, exception("InternalServerError"), account.CodeUnavailable},
		{"one item", ever, 503, exception("ServiceUnavailable"), account.CodeUnavailable},
		{"one item", ever, 400, exception("AccessDeniedException"), account.CodeInternal},
		{"one item", ever, 400, exception("ResourceNotFoundException"), account.CodeInternal},
		{"one item", ever, 400, exception("ValidationException"), account.CodeInternal},
	} {
		t.Run(tt.write+", "+tt.answer, func(t *testing.T) {
			t.Parallel()
			db := dynamodb.NewFromConfig(stub(t, tt.times, tt.status, tt.answer))
			err := writes[tt.write](t, dynamo.New(db, table))
			if got := account.CodeOf(err); got != tt.want {
				t.Errorf("got %q (%v), want %q", got, err, tt.want)
			}
			if err != nil && tt.want != account.CodeConflict && !strings.Contains(err.Error(), "table "+table) {
				t.Errorf("the cause does not name the table: %v", err)
			}
		})
	}
}

// A sign-in that meets a table which is too busy to count is told to come again: it does not
// go on uncounted, as it does where there is no table to count in. The retries are the SDK's.
func TestBusyCounters(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		status int
		answer string
		want   account.Code
	}{
		{400, exception("ProvisionedThroughputExceededException"), account.CodeTooManyRequests},
		{400, exception("ThrottlingException"), account.CodeTooManyRequests},
		{400, exception("RequestLimitExceeded"), account.CodeTooManyRequests},
		{500, exception("InternalServerError"), ""},
	} {
		t.Run(tt.answer, func(t *testing.T) {
			t.Parallel()
			config := stub(t, ever, tt.status, tt.answer)
			config.RetryMaxAttempts = 3
			limits := account.NewLimits(account.LimitsConfig{
				Counters: dynamo.New(dynamodb.NewFromConfig(config), table), Policies: account.DefaultPolicies(), Key: []byte("key"),
			})
			if _, err := limits.SignIn(t.Context(), "alice"); account.CodeOf(err) != tt.want {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// What cannot be had is told apart: a table that is missing is ours to mend, a host
// that does not answer is the caller's to wait for.
func TestFailedReads(t *testing.T) {
	t.Parallel()
	_, err := dynamo.New(client(t), "no-such-table").Get(t.Context(), "somebody")
	if got := account.CodeOf(err); got != account.CodeInternal || !strings.Contains(err.Error(), "no-such-table") {
		t.Errorf("no table: got %q (%v), want internal and the name", got, err)
	}
	config := awstest.Config("http://127.0.0.1:1")
	config.RetryMaxAttempts = 1
	_, err = dynamo.New(dynamodb.NewFromConfig(config), table).Get(t.Context(), "somebody")
	if got := account.CodeOf(err); got != account.CodeUnavailable {
		t.Errorf("no host: got %q (%v), want unavailable", got, err)
	}
}

// A table that was just made cannot have its backups set at once, and DynamoDB Local has
// none at all.
func TestEnableRecovery(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		times     int
		answer    string
		on, fails bool
	}{
		"at once":       {0, "", true, false},
		"not at once":   {2, exception("ContinuousBackupsUnavailableException"), true, false},
		"none to be":    {ever, exception("UnknownOperationException"), false, false},
		"no permission": {ever, exception("AccessDeniedException"), false, true},
	} {
		on, err := dynamo.EnableRecovery(t.Context(), dynamodb.NewFromConfig(stub(t, tt.times, 400, tt.answer)), table)
		if on != tt.on || (err != nil) != tt.fails {
			t.Errorf("%s: got %v, %v", name, on, err)
		}
	}
}
