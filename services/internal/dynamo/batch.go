package dynamo

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"spillway.example/services/internal/account"
)

// batch reads up to 100 items as they are now, in any order, and gives f each that is there,
// until f has enough. What DynamoDB leaves out it is asked for again (API reference,
// BatchGetItem, UnprocessedKeys). CodeTooManyRequests where that does not end.
func (s *Store) batch(ctx context.Context, doing string, keys []string, f func(map[string]types.AttributeValue) (enough bool)) error {
	wanted := types.KeysAndAttributes{ConsistentRead: aws.Bool(true)}
	for _, k := range keys {
		wanted.Keys = append(wanted.Keys, pk(k))
	}
	ask := map[string]types.KeysAndAttributes{*s.table: wanted}
	for try := range tries {
		out, err := s.db.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: ask})
		if err != nil {
			return s.failure(doing, err)
		}
		if slices.ContainsFunc(out.Responses[*s.table], f) {
			return nil
		}
		if ask = out.UnprocessedKeys; len(ask) == 0 {
			return nil
		}
		if err := pause(ctx, try); err != nil {
			return s.failure(doing, err)
		}
	}
	return account.ErrThrottled(errors.New(doing + ": the table is too busy"))
}
