package dynamo

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"spillway.example/services/internal/account"
)

var _ account.Records = (*Store)(nil)

func recordKey(key string) string { return "record#" + key }

// ownerKey is of the set of an owner's records that expire on the same day (UTC).
func ownerKey(owner string, expires time.Time) string {
	return "records#" + owner + "#" + expires.UTC().Format(time.DateOnly)
}

// recordItem is a record as it is stored. Its time to live is in whole seconds.
type recordItem struct {
	PK          string    `dynamodbav:"pk"`
	Fingerprint []byte    `dynamodbav:"fingerprint"`
	Owner       string    `dynamodbav:"owner"`
	Attempt     string    `dynamodbav:"attempt"`
	LeaseUntil  timestamp `dynamodbav:"lease_until"`
	Answer      []byte    `dynamodbav:"answer,omitempty"`
	ExpiresAt   int64     `dynamodbav:"expires_at"`
}

func (i recordItem) record(key string) account.Record {
	return account.Record{
		Key: key, Fingerprint: i.Fingerprint, Owner: i.Owner, Attempt: i.Attempt, Answer: i.Answer,
		LeaseUntil: time.Time(i.LeaseUntil), ExpiresAt: time.Unix(i.ExpiresAt, 0).UTC(),
	}
}

// Begin implements [account.Records]. What a crash leaves out of the owner's set has no
// answer, and is put there by whoever takes it over.
func (s *Store) Begin(ctx context.Context, r account.Record, now time.Time) (account.Record, bool, error) {
	const what = "beginning a request"
	err := s.put(ctx, &dynamodb.PutItemInput{
		TableName: s.table,
		Item: item(recordItem{
			PK: recordKey(r.Key), Fingerprint: r.Fingerprint, Owner: r.Owner, Attempt: r.Attempt,
			LeaseUntil: timestamp(r.LeaseUntil), ExpiresAt: r.ExpiresAt.Unix(),
		}),
		ConditionExpression: aws.String("attribute_not_exists(pk) OR " + TTLAttribute + " <= :second OR " +
			"attribute_not_exists(answer) AND fingerprint = :print AND (lease_until <= :now OR attempt = :attempt)"),
		ExpressionAttributeValues: values{
			":second": number(now.Unix()), ":now": stamp(now), ":attempt": text(r.Attempt),
			":print": &types.AttributeValueMemberB{Value: r.Fingerprint},
		},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if err == nil {
		if err := s.own(ctx, r); err != nil {
			return account.Record{}, false, s.failure(what, err)
		}
		return r, true, nil
	}
	refusal, no := errors.AsType[*types.ConditionalCheckFailedException](err)
	if !no {
		return account.Record{}, false, s.failure(what, err)
	}
	var standing recordItem
	if err := read(refusal.Item, &standing); err != nil {
		return account.Record{}, false, s.failure(what, err)
	}
	return standing.record(r.Key), false, nil
}

// maxOwned is how many records of an owner a day's set holds. An item has room for more, but
// each write of it costs its whole size, and strangers can have records made under anybody's
// name.
const maxOwned = 400

// own puts a record into its owner's set. One for which there is no room is forgotten when
// it expires, within a day.
func (s *Store) own(ctx context.Context, r account.Record) error {
	err := s.update(ctx, &dynamodb.UpdateItemInput{
		TableName: s.table, Key: pk(ownerKey(r.Owner, r.ExpiresAt)),
		UpdateExpression:    aws.String("ADD records :key SET " + TTLAttribute + " = :expires"),
		ConditionExpression: aws.String("attribute_not_exists(records) OR size(records) < :room"),
		ExpressionAttributeValues: values{
			":room":    number(maxOwned),
			":key":     &types.AttributeValueMemberSS{Value: []string{r.Key}},
			":expires": number(r.ExpiresAt.Add(24 * time.Hour).Unix()),
		},
	})
	if _, full := refused(err); full {
		return nil
	}
	return err
}

// Finish implements [account.Records].
func (s *Store) Finish(ctx context.Context, r account.Record) error {
	err := s.update(ctx, &dynamodb.UpdateItemInput{
		TableName: s.table, Key: pk(recordKey(r.Key)),
		UpdateExpression:    aws.String("SET answer = :answer, " + TTLAttribute + " = :expires"),
		ConditionExpression: aws.String("attempt = :attempt"),
		ExpressionAttributeValues: values{
			":answer": &types.AttributeValueMemberB{Value: r.Answer}, ":expires": number(r.ExpiresAt.Unix()), ":attempt": text(r.Attempt),
		},
	})
	if _, no := refused(err); no {
		return conflict(err)
	}
	if err != nil {
		return s.failure("keeping an answer", err)
	}
	return nil
}

// Abandon implements [account.Records].
func (s *Store) Abandon(ctx context.Context, r account.Record) error {
	err := s.delete(ctx, &dynamodb.DeleteItemInput{
		TableName: s.table, Key: pk(recordKey(r.Key)),
		ConditionExpression:       aws.String("attempt = :attempt AND attribute_not_exists(answer)"),
		ExpressionAttributeValues: values{":attempt": text(r.Attempt)},
	})
	if _, no := refused(err); err != nil && !no {
		return s.failure("abandoning a request", err)
	}
	return nil
}

// Forget implements [account.Records]. Records live for a day at most, so they are in the
// sets of today and of tomorrow.
func (s *Store) Forget(ctx context.Context, owner string, now time.Time) error {
	for _, day := range []time.Time{now, now.Add(24 * time.Hour)} {
		var set struct {
			Records []string `dynamodbav:"records,stringset"`
		}
		switch err := s.get(ctx, ownerKey(owner, day), &set); {
		case account.CodeOf(err) == account.CodeNotFound:
			continue
		case err != nil:
			return err
		}
		for _, key := range append(set.Records, "") {
			k := recordKey(key)
			if key == "" { // the last: the set itself
				k = ownerKey(owner, day)
			}
			if err := s.delete(ctx, &dynamodb.DeleteItemInput{TableName: s.table, Key: pk(k)}); err != nil {
				return s.failure("forgetting requests", err)
			}
		}
	}
	return nil
}
