package dynamo

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"spillway.example/services/internal/account"
)

// Settle implements [account.Claims].
func (s *Store) Settle(ctx context.Context, st account.Settlement) (bool, error) {
	claim := types.TransactWriteItem{Update: &types.Update{
		TableName: s.table, Key: pk(nameKey(st.Username)), UpdateExpression: aws.String("SET confirmed = :true"),
		ConditionExpression: aws.String("attempt = :attempt AND user_id = :user AND confirmed = :false"),
		ExpressionAttributeValues: values{
			":attempt": text(st.Attempt), ":user": text(string(st.UserID)), ":true": flag(true), ":false": flag(false),
		},
	}}
	if st.Email != "" {
		err := s.transact(ctx, claim, s.verified(st), s.ownership(st))
		if actions, no := refused(err); !no || actions[0] != 2 {
			return s.outcome(ctx, st, err)
		}
		// Only the address is somebody else's: go on without it.
	}
	return s.outcome(ctx, st, s.transact(ctx, claim, s.unverified(st)))
}

// verified is the profile's part of a settlement that proves its address.
func (s *Store) verified(st account.Settlement) types.TransactWriteItem {
	return s.profile(st, "SET email = :email, email_verified = :true, updated_at = :at, version = version + :one",
		values{":email": text(st.Email), ":true": flag(true)})
}

// unverified is the profile's part of a settlement that proves none, or an address
// that turns out to be somebody else's.
func (s *Store) unverified(st account.Settlement) types.TransactWriteItem {
	update := "SET updated_at = :at, version = version + :one"
	with := values{}
	if st.Email != "" {
		update = "SET email_verified = :false, updated_at = :at, version = version + :one REMOVE email"
		with[":false"] = flag(false)
	}
	return s.profile(st, update, with)
}

func (s *Store) profile(st account.Settlement, update string, with values) types.TransactWriteItem {
	with[":at"], with[":one"] = stamp(st.At), number(1)
	return types.TransactWriteItem{Update: &types.Update{
		TableName: s.table, Key: pk(userKey(st.UserID)), UpdateExpression: aws.String(update),
		ConditionExpression: aws.String("attribute_exists(pk)"), ExpressionAttributeValues: with,
	}}
}

// ownership claims the address.
func (s *Store) ownership(st account.Settlement) types.TransactWriteItem {
	return types.TransactWriteItem{Put: &types.Put{
		TableName:                 s.table,
		Item:                      item(ownerItem{PK: emailKey(st.Email), UserID: string(st.UserID), CreatedAt: timestamp(st.At)}),
		ConditionExpression:       aws.String("attribute_not_exists(pk) OR user_id = :user"),
		ExpressionAttributeValues: values{":user": text(string(st.UserID))},
	}}
}

// outcome says how a settlement ended, and whose the address is.
func (s *Store) outcome(ctx context.Context, st account.Settlement, err error) (bool, error) {
	err = s.settled(ctx, "settling a claim", st.Username, err, func(held account.Claim) bool {
		return held.Attempt == st.Attempt && held.UserID == st.UserID && held.Confirmed
	})
	if err != nil || st.Email == "" {
		return false, err
	}
	owner, err := s.EmailOwner(ctx, st.Email)
	if account.CodeOf(err) == account.CodeNotFound {
		return false, nil
	}
	return owner == st.UserID, err
}
