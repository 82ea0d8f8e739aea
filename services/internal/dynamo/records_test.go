package dynamo_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/account/accounttest"
	"spillway.example/services/internal/dynamo"
)

func TestRecords(t *testing.T) {
	t.Parallel()
	s := dynamo.New(client(t), table)
	accounttest.RunRecords(t, func(*testing.T) account.Records { return s })
}

// TestTimeToLive reads what DynamoDB is told of when an item may go: an entry of the deny
// list and a record at their own times, a record once more when it has an answer.
func TestTimeToLive(t *testing.T) {
	t.Parallel()
	db, ctx := client(t), t.Context()
	s := dynamo.New(db, table)
	user, session, record := accounttest.Name("user"), accounttest.Name("session"), accounttest.Name("record")
	now := time.Now().Truncate(time.Second)
	until := now.Add(account.DenialLifetime)
	r := account.Record{Key: record, Attempt: "a", Owner: user, Fingerprint: []byte("f"), LeaseUntil: now, ExpiresAt: now.Add(24 * time.Hour)}
	finished := r
	finished.ExpiresAt, finished.Answer = r.ExpiresAt.Add(time.Minute), []byte("answer")
	for _, tt := range []struct {
		write func() error
		key   string
		want  time.Time
	}{
		{func() error { return s.DenyUser(ctx, account.UserID(user), now, until) }, "denied-user#" + user, until},
		{func() error { return s.DenySession(ctx, session, until) }, "denied-session#" + session, until},
		{func() error { _, _, err := s.Begin(ctx, r, now); return err }, "record#" + record, r.ExpiresAt},
		{func() error { return s.Finish(ctx, finished) }, "record#" + record, finished.ExpiresAt},
	} {
		if err := tt.write(); err != nil {
			t.Fatal(err)
		}
		out, err := db.GetItem(ctx, &dynamodb.GetItemInput{
			TableName: aws.String(table), Key: map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: tt.key}},
		})
		if err != nil {
			t.Fatal(err)
		}
		n, _ := out.Item[dynamo.TTLAttribute].(*types.AttributeValueMemberN)
		if n == nil || n.Value != strconv.FormatInt(tt.want.Unix(), 10) {
			t.Errorf("%s goes at %v, want %d", tt.key, n, tt.want.Unix())
		}
	}
}
