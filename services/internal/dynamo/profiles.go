package dynamo

import (
	"context"
	"errors"
	"reflect"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"spillway.example/services/internal/account"
)

// PutIfAbsent implements [account.Profiles].
func (s *Store) PutIfAbsent(ctx context.Context, p account.Profile) error {
	p.Version = 1
	err := s.put(ctx, &dynamodb.PutItemInput{
		TableName: s.table, Item: item(fromProfile(p)), ConditionExpression: aws.String("attribute_not_exists(pk)"),
	})
	switch _, no := refused(err); {
	case err == nil:
		return nil
	case no:
		return conflict(err)
	}
	return s.failure("storing a profile", err)
}

// Get implements [account.Profiles].
func (s *Store) Get(ctx context.Context, id account.UserID) (account.Profile, error) {
	var i profileItem
	if err := s.get(ctx, userKey(id), &i); err != nil {
		return account.Profile{}, err
	}
	return i.profile(), nil
}

// Update implements [account.Profiles].
func (s *Store) Update(ctx context.Context, p account.Profile) (account.Profile, error) {
	read := p.Version
	p.Version++
	next := item(fromProfile(p))
	err := s.put(ctx, &dynamodb.PutItemInput{
		TableName: s.table, Item: next,
		ConditionExpression:                 aws.String("version = :read"),
		ExpressionAttributeValues:           values{":read": number(read)},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if err == nil {
		return p, nil
	}
	c, no := errors.AsType[*types.ConditionalCheckFailedException](err)
	switch {
	case !no:
		return account.Profile{}, s.failure("updating a profile", err)
	case c.Item == nil:
		return account.Profile{}, notFound()
	case reflect.DeepEqual(c.Item, next): // by a try of the SDK's whose answer was lost
		return p, nil
	}
	return account.Profile{}, conflict(err)
}

// Delete implements [account.Profiles].
func (s *Store) Delete(ctx context.Context, id account.UserID) error {
	if err := s.delete(ctx, &dynamodb.DeleteItemInput{TableName: s.table, Key: pk(userKey(id))}); err != nil {
		return s.failure("deleting a profile", err)
	}
	return nil
}
