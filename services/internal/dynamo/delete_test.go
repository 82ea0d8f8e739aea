package dynamo_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/awstest"
	"spillway.example/services/internal/dynamo"
)

// crowd is a DynamoDB at which all transactions come at once, and one of those that write an
// item gets through at a time: the second is refused once, the third twice, and so on.
// DynamoDB Local lets them wait for each other instead.
type crowd struct {
	mu      sync.Mutex
	writers map[string]int // by item: how many transactions write it
	refused map[string]int // by transaction: how often it is still to be
}

// Do implements the SDK's HTTP client.
func (c *crowd) Do(r *http.Request) (*http.Response, error) {
	op, body, err := peek(r)
	if err != nil {
		return nil, err
	}
	if op != "TransactWriteItems" {
		return http.DefaultClient.Do(r)
	}
	switch refuse, err := c.refuse(body); {
	case err != nil:
		return nil, err
	case !refuse:
		return http.DefaultClient.Do(r)
	}
	return &http.Response{
		StatusCode: http.StatusBadRequest, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		Body: io.NopCloser(strings.NewReader(canceled("None", "TransactionConflict"))), Request: r,
	}, nil
}

// refuse says whether a transaction meets another.
func (c *crowd) refuse(body []byte) (bool, error) {
	var in struct {
		TransactItems []map[string]struct{ Key, Item map[string]map[string]string }
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return false, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var keys []string
	for _, action := range in.TransactItems {
		for _, a := range action {
			keys = append(keys, a.Key["pk"]["S"]+a.Item["pk"]["S"])
		}
	}
	whole := strings.Join(keys, " ")
	left, again := c.refused[whole]
	if !again {
		for _, k := range keys {
			left = max(left, c.writers[k])
			c.writers[k]++
		}
	}
	c.refused[whole] = left - 1
	return left > 0, nil
}

// TestManyDeletions has fifty accounts retired at once, and then erased at once.
func TestManyDeletions(t *testing.T) {
	t.Parallel()
	s, ctx := dynamo.New(client(t), table), t.Context()
	var claims []account.Claim
	for i := range 50 {
		c := account.Claim{
			Username: fmt.Sprintf("crowd-%02d", i), Attempt: "attempt", Confirmed: true, UserID: account.UserID(fmt.Sprintf("crowd-user-%02d", i)),
		}
		if _, acquired, err := s.Acquire(ctx, c); err != nil || !acquired {
			t.Fatalf("Acquire: %v, %v", acquired, err)
		}
		claims = append(claims, c)
	}
	for _, step := range []struct {
		name   string
		do     func(*dynamo.Store, account.Claim) error
		listed int
	}{
		{"Retire", func(s *dynamo.Store, c account.Claim) error { return s.Retire(ctx, c.Username, c.UserID, time.Now()) }, len(claims)},
		{"Erase", func(s *dynamo.Store, c account.Claim) error { return s.Erase(ctx, c.Username, c.UserID) }, 0},
	} {
		config := awstest.Config(awstest.DynamoDB.Endpoint(t))
		config.HTTPClient = &crowd{writers: map[string]int{}, refused: map[string]int{}}
		crowded := dynamo.New(dynamodb.NewFromConfig(config), table)
		var wg sync.WaitGroup
		for _, c := range claims {
			wg.Go(func() {
				if err := step.do(crowded, c); err != nil {
					t.Errorf("%s: %v", step.name, err)
				}
			})
		}
		wg.Wait()
		if got := listed(t, s, "crowd-"); got != step.listed {
			t.Errorf("after %s %d are listed, want %d", step.name, got, step.listed)
		}
	}
}

// listed gives how many retired names begin so: others use the table, too.
func listed(t *testing.T, s *dynamo.Store, prefix string) (n int) {
	t.Helper()
	claims, err := s.Retired(t.Context())
	if err != nil {
		t.Fatalf("Retired: %v", err)
	}
	for _, c := range claims {
		if strings.HasPrefix(c.Username, prefix) {
			n++
		}
	}
	return n
}

// sparing is a DynamoDB that reads four items of a batch at a time, and leaves the rest to be
// asked for again.
type sparing struct{}

// Do implements the SDK's HTTP client.
func (sparing) Do(r *http.Request) (*http.Response, error) {
	op, body, err := peek(r)
	if err != nil {
		return nil, err
	}
	if op != "BatchGetItem" {
		return http.DefaultClient.Do(r)
	}
	type batch map[string]struct {
		Keys           []json.RawMessage
		ConsistentRead bool
	}
	var in struct{ RequestItems batch }
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, err
	}
	const most = 4
	rest := in.RequestItems[table]
	if len(rest.Keys) <= most {
		return http.DefaultClient.Do(r)
	}
	now := rest
	now.Keys, rest.Keys = rest.Keys[:most], rest.Keys[most:]
	in.RequestItems[table] = now
	asked, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(asked)), int64(len(asked))
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	var out map[string]any
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil {
		return nil, err
	}
	out["UnprocessedKeys"] = batch{table: rest}
	answer, err := json.Marshal(out)
	if err != nil {
		return nil, err
	}
	res.Body, res.ContentLength = io.NopCloser(bytes.NewReader(answer)), int64(len(answer))
	res.Header.Del("X-Amz-Crc32")
	return res, nil
}

// TestBatchesInParts lists what DynamoDB does not read at once.
func TestBatchesInParts(t *testing.T) {
	t.Parallel()
	s, ctx := dynamo.New(client(t), table), t.Context()
	config := awstest.Config(awstest.DynamoDB.Endpoint(t))
	config.HTTPClient = sparing{}
	for i := range 20 {
		c := account.Claim{Username: fmt.Sprintf("parts-%02d", i), Attempt: "attempt", Confirmed: true, UserID: account.UserID(fmt.Sprintf("parts-user-%02d", i))}
		if _, _, err := s.Acquire(ctx, c); err != nil {
			t.Fatalf("Acquire: %v", err)
		}
		if err := s.Retire(ctx, c.Username, c.UserID, time.Now()); err != nil {
			t.Fatalf("Retire: %v", err)
		}
		defer func() {
			if err := s.Erase(ctx, c.Username, c.UserID); err != nil {
				t.Errorf("Erase: %v", err)
			}
		}()
	}
	if got := listed(t, dynamo.New(dynamodb.NewFromConfig(config), table), "parts-"); got != 20 {
		t.Errorf("%d are listed, want 20", got)
	}
}
