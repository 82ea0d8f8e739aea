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

// Acquire implements [account.Claims].
func (s *Store) Acquire(ctx context.Context, c account.Claim) (account.Claim, bool, error) {
	err := s.put(ctx, &dynamodb.PutItemInput{
		TableName: s.table, Item: item(fromClaim(c)),
		ConditionExpression:                 aws.String("attribute_not_exists(pk)"),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if err == nil {
		return c, true, nil
	}
	refusal, no := errors.AsType[*types.ConditionalCheckFailedException](err)
	if !no {
		return account.Claim{}, false, s.failure("claiming a name", err)
	}
	var held claimItem
	if err := read(refusal.Item, &held); err != nil {
		return account.Claim{}, false, s.failure("reading a claim", err)
	}
	// Our own attempt stands there where the answer to an earlier try was lost.
	return held.claim(), held.Attempt == c.Attempt, nil
}

// Find implements [account.Claims].
func (s *Store) Find(ctx context.Context, username string) (account.Claim, error) {
	var i claimItem
	if err := s.get(ctx, nameKey(username), &i); err != nil {
		return account.Claim{}, err
	}
	return i.claim(), nil
}

// settled is how a transaction ended whose conditions were not met: err is nil where
// done says, of the claim as it now stands, that an earlier try had made the change.
func (s *Store) settled(ctx context.Context, what, username string, err error, done func(account.Claim) bool) error {
	if err == nil {
		return nil
	}
	if _, no := refused(err); !no {
		return s.failure(what, err)
	}
	switch held, findErr := s.Find(ctx, username); {
	case account.CodeOf(findErr) == account.CodeNotFound:
		return conflict(err)
	case findErr != nil:
		return findErr
	case done(held):
		return nil
	}
	return conflict(err)
}

// stands is the condition that a pending claim stands as it was read. The user id is part
// of it: it makes the deletion of that user's profile right.
func stands(c account.Claim) (condition string, with values) {
	condition = "attempt = :attempt AND confirmed = :false AND "
	with = values{":attempt": text(c.Attempt), ":false": flag(false)}
	if c.UserID == "" {
		return condition + "attribute_not_exists(user_id)", with
	}
	with[":user"] = text(string(c.UserID))
	return condition + "user_id = :user", with
}

// Supersede implements [account.Claims].
func (s *Store) Supersede(ctx context.Context, old, c account.Claim) error {
	condition, with := stands(old)
	with[":lease"] = stamp(old.LeaseUntil)
	actions := []types.TransactWriteItem{{Put: &types.Put{
		TableName: s.table, Item: item(fromClaim(c)),
		ConditionExpression:       aws.String(condition + " AND lease_until = :lease"),
		ExpressionAttributeValues: with,
	}}}
	if old.UserID != "" {
		actions = append(actions, s.deleteProfile(old.UserID))
	}
	return s.settled(ctx, "superseding a claim", c.Username, s.transact(ctx, actions...), func(held account.Claim) bool {
		return held.Attempt == c.Attempt
	})
}

func (s *Store) deleteProfile(id account.UserID) types.TransactWriteItem {
	return types.TransactWriteItem{Delete: &types.Delete{TableName: s.table, Key: pk(userKey(id))}}
}

// Attach implements [account.Claims].
func (s *Store) Attach(ctx context.Context, c account.Claim, p account.Profile) error {
	p.Version = 1
	update := "SET user_id = :user REMOVE token_hash"
	with := values{":user": text(string(c.UserID)), ":attempt": text(c.Attempt), ":false": flag(false)}
	if len(c.TokenHash) > 0 {
		update = "SET user_id = :user, token_hash = :hash"
		with[":hash"] = &types.AttributeValueMemberB{Value: c.TokenHash}
	}
	err := s.transact(ctx,
		types.TransactWriteItem{Update: &types.Update{
			TableName: s.table, Key: pk(nameKey(c.Username)), UpdateExpression: aws.String(update),
			ConditionExpression:       aws.String("attempt = :attempt AND confirmed = :false"),
			ExpressionAttributeValues: with,
		}},
		types.TransactWriteItem{Put: &types.Put{
			TableName: s.table, Item: item(fromProfile(p)), ConditionExpression: aws.String("attribute_not_exists(pk)"),
		}},
	)
	return s.settled(ctx, "attaching a profile", c.Username, err, func(held account.Claim) bool {
		return held.Attempt == c.Attempt && held.UserID == c.UserID
	})
}

// change updates a claim if a condition holds, and says whether it did.
func (s *Store) change(ctx context.Context, username, update, condition string, with values) (bool, error) {
	err := s.update(ctx, &dynamodb.UpdateItemInput{
		TableName: s.table, Key: pk(nameKey(username)), UpdateExpression: aws.String(update),
		ConditionExpression: aws.String(condition), ExpressionAttributeValues: with,
	})
	switch _, no := refused(err); {
	case err == nil:
		return true, nil
	case no:
		return false, nil
	}
	return false, s.failure("changing a claim", err)
}

// Extend implements [account.Claims].
func (s *Store) Extend(ctx context.Context, username, attempt string, until time.Time) error {
	done, err := s.change(ctx, username, "SET lease_until = :until", "attempt = :attempt AND confirmed = :false",
		values{":until": stamp(until), ":attempt": text(attempt), ":false": flag(false)})
	if err == nil && !done {
		return conflict(nil)
	}
	return err
}

// marks are the attributes that say when the last mail of a use went out.
var marks = map[account.MailUse]string{
	account.MailSignUp: "mailed_at", account.MailConfirmation: "mailed_confirmation_at", account.MailReset: "mailed_reset_at",
}

// MarkMailed implements [account.Claims].
func (s *Store) MarkMailed(ctx context.Context, username string, use account.MailUse, now time.Time, interval time.Duration) (bool, error) {
	mark := marks[use]
	return s.change(ctx, username, "SET "+mark+" = :now", "attribute_exists(pk) AND (attribute_not_exists("+mark+") OR "+mark+" <= :due)",
		values{":now": stamp(now), ":due": stamp(now.Add(-interval))})
}

// Release implements [account.Claims].
func (s *Store) Release(ctx context.Context, username, attempt string) error {
	var err error
	for range tries {
		var held account.Claim
		held, err = s.Find(ctx, username)
		switch {
		case account.CodeOf(err) == account.CodeNotFound:
			return nil
		case err != nil:
			return err
		case held.Attempt != attempt || held.Confirmed:
			return nil
		}
		condition, with := stands(held)
		actions := []types.TransactWriteItem{{Delete: &types.Delete{
			TableName: s.table, Key: pk(nameKey(username)),
			ConditionExpression: aws.String(condition), ExpressionAttributeValues: with,
		}}}
		if held.UserID != "" {
			actions = append(actions, s.deleteProfile(held.UserID))
		}
		if err = s.transact(ctx, actions...); err == nil {
			return nil
		}
		if _, no := refused(err); !no {
			return s.failure("releasing a claim", err)
		}
		// It has changed since it was read: what it is now decides.
	}
	return account.ErrThrottled(err)
}

// EmailOwner implements [account.Claims].
func (s *Store) EmailOwner(ctx context.Context, email string) (account.UserID, error) {
	var i ownerItem
	if err := s.get(ctx, emailKey(email), &i); err != nil {
		return "", err
	}
	return account.UserID(i.UserID), nil
}
