package dynamo

import (
	"context"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"spillway.example/services/internal/account"
)

var _ account.Denials = (*Store)(nil)

func deniedUserKey(id account.UserID) string   { return "denied-user#" + string(id) }
func deniedSessionKey(session string) string   { return "denied-session#" + session }
func seconds(t time.Time) types.AttributeValue { return number(t.Unix()) }

// DenyUser implements [account.Denials].
func (s *Store) DenyUser(ctx context.Context, id account.UserID, began, until time.Time) error {
	err := s.update(ctx, &dynamodb.UpdateItemInput{
		TableName: s.table, Key: pk(deniedUserKey(id)),
		UpdateExpression:          aws.String("SET began = :began, " + TTLAttribute + " = :until"),
		ConditionExpression:       aws.String("attribute_not_exists(began) OR began <= :began"),
		ExpressionAttributeValues: values{":began": seconds(began), ":until": seconds(until)},
	})
	if _, later := refused(err); err == nil || later {
		return nil
	}
	return s.failure("denying a user's tokens", err)
}

// DenySession implements [account.Denials].
func (s *Store) DenySession(ctx context.Context, session string, until time.Time) error {
	err := s.put(ctx, &dynamodb.PutItemInput{TableName: s.table, Item: map[string]types.AttributeValue{
		key: text(deniedSessionKey(session)), TTLAttribute: seconds(until),
	}})
	if err != nil {
		return s.failure("denying a session's tokens", err)
	}
	return nil
}

// Denied implements [account.Denials]. It asks for both entries at once.
func (s *Store) Denied(ctx context.Context, who account.Identity) (denied bool, err error) {
	err = s.batch(ctx, "reading the deny list", []string{deniedUserKey(who.UserID), deniedSessionKey(who.SessionID)},
		func(i map[string]types.AttributeValue) bool {
			denied = denied || denies(i, who)
			return denied
		})
	return denied, err
}

// denies says whether an entry of the deny list covers a bearer.
func denies(i map[string]types.AttributeValue, who account.Identity) bool {
	if k, ok := i[key].(*types.AttributeValueMemberS); ok && k.Value == deniedSessionKey(who.SessionID) {
		return true
	}
	n, ok := i["began"].(*types.AttributeValueMemberN)
	if !ok {
		return true // an entry that cannot be read is one all the same
	}
	began, err := strconv.ParseInt(n.Value, 10, 64)
	return err != nil || who.Since.Unix() <= began
}
