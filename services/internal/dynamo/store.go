package dynamo

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"spillway.example/services/internal/account"
)

// Store is the table. It implements [account.Profiles] and [account.Claims].
type Store struct {
	db    *dynamodb.Client
	table *string
}

var (
	_ account.Profiles = (*Store)(nil)
	_ account.Claims   = (*Store)(nil)
)

// New makes a Store over a table that is there (see [Ensure]).
func New(db *dynamodb.Client, table string) *Store { return &Store{db, aws.String(table)} }

// values are the values of an expression, by the names it has for them.
type values map[string]types.AttributeValue

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
func flag(b bool) types.AttributeValue   { return &types.AttributeValueMemberBOOL{Value: b} }
func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: fmt.Sprint(n)}
}

// get reads an item as it is now into one of the item types. CodeNotFound.
func (s *Store) get(ctx context.Context, k string, into any) error {
	out, err := s.db.GetItem(ctx, &dynamodb.GetItemInput{TableName: s.table, Key: pk(k), ConsistentRead: aws.Bool(true)})
	switch {
	case err != nil:
		return s.failure("reading an item", err)
	case out.Item == nil:
		return notFound()
	}
	if err := read(out.Item, into); err != nil {
		return s.failure("reading an item", err)
	}
	return nil
}

func notFound() error { return account.Errorf(account.CodeNotFound, nil, "There is no such record.") }

func conflict(cause error) error {
	return account.Errorf(account.CodeConflict, cause, "The record has changed.")
}
