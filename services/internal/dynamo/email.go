package dynamo

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"spillway.example/services/internal/account"
)

// changeItem is a wish for another address as it is stored. It goes by itself some time
// after its end.
type changeItem struct {
	PK        string    `dynamodbav:"pk"`
	From      string    `dynamodbav:"email_from,omitempty"`
	To        string    `dynamodbav:"email_to"`
	Salt      []byte    `dynamodbav:"salt"`
	Hash      []byte    `dynamodbav:"hash"`
	Tries     int       `dynamodbav:"tries"`
	EndsAt    timestamp `dynamodbav:"ends_at"`
	ExpiresAt int64     `dynamodbav:"expires_at"`
}

// PutEmailChange implements [account.Claims].
func (s *Store) PutEmailChange(ctx context.Context, c account.EmailChange) error {
	err := s.transact(ctx, types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{
		TableName: s.table, Key: pk(userKey(c.UserID)), ConditionExpression: aws.String("attribute_exists(pk)"),
	}}, types.TransactWriteItem{Put: &types.Put{TableName: s.table, Item: item(changeItem{
		PK: changeKey(c.UserID), From: c.From, To: c.To, Salt: c.Salt, Hash: c.Hash, Tries: c.Tries,
		EndsAt: timestamp(c.ExpiresAt), ExpiresAt: c.ExpiresAt.Add(account.EmailChangeKept).Unix(),
	})}})
	if _, gone := refused(err); gone {
		return notFound()
	}
	if err != nil {
		return s.failure("storing a change of address", err)
	}
	return nil
}

// TryEmailChange implements [account.Claims].
func (s *Store) TryEmailChange(ctx context.Context, id account.UserID) (account.EmailChange, error) {
	var out *dynamodb.UpdateItemOutput
	err := again(ctx, func() (err error) {
		out, err = s.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: s.table, Key: pk(changeKey(id)), UpdateExpression: aws.String("SET tries = tries + :one"),
			ConditionExpression: aws.String("attribute_exists(pk)"), ExpressionAttributeValues: values{":one": number(1)},
			ReturnValues: types.ReturnValueAllNew,
		})
		return err
	})
	if _, no := refused(err); no {
		return account.EmailChange{}, notFound()
	}
	if err != nil {
		return account.EmailChange{}, s.failure("trying a code", err)
	}
	var i changeItem
	if err := read(out.Attributes, &i); err != nil {
		return account.EmailChange{}, s.failure("reading a change of address", err)
	}
	return i.change(id), nil
}

// FindEmailChange implements [account.Claims].
func (s *Store) FindEmailChange(ctx context.Context, id account.UserID) (account.EmailChange, error) {
	var i changeItem
	if err := s.get(ctx, changeKey(id), &i); err != nil {
		return account.EmailChange{}, err
	}
	return i.change(id), nil
}

func (i changeItem) change(id account.UserID) account.EmailChange {
	return account.EmailChange{
		UserID: id, From: i.From, To: i.To, Salt: i.Salt, Hash: i.Hash, Tries: i.Tries, ExpiresAt: time.Time(i.EndsAt),
	}
}

// DropEmailChange implements [account.Claims].
func (s *Store) DropEmailChange(ctx context.Context, id account.UserID) error {
	if err := s.delete(ctx, &dynamodb.DeleteItemInput{TableName: s.table, Key: pk(changeKey(id))}); err != nil {
		return s.failure("ending a change of address", err)
	}
	return nil
}

// MoveEmail implements [account.Claims].
func (s *Store) MoveEmail(ctx context.Context, m account.EmailMove) (bool, error) {
	var err error
	for range tries {
		var p account.Profile
		if p, err = s.Get(ctx, m.UserID); err != nil {
			return false, err
		}
		switch held, findErr := s.Find(ctx, m.Username); {
		case findErr != nil:
			return false, findErr
		case held.UserID != m.UserID || !held.Confirmed || !held.RetiredAt.IsZero():
			return false, conflict(nil)
		}
		owner, ownerErr := s.EmailOwner(ctx, m.To)
		switch {
		case ownerErr != nil && account.CodeOf(ownerErr) != account.CodeNotFound:
			return false, ownerErr
		case ownerErr == nil && owner != m.UserID:
			return false, nil
		case ownerErr == nil && p.EmailVerified && p.Email == m.To:
			return true, nil
		}
		if err = s.transact(ctx, s.move(m, p)...); err == nil {
			return true, nil
		}
		if _, no := refused(err); !no {
			return false, s.failure("moving to another address", err)
		}
		// Something has changed since it was read: what it is now decides.
	}
	return false, account.ErrThrottled(err)
}

// move is the transaction that moves a profile, as it was read, to another address.
func (s *Store) move(m account.EmailMove, p account.Profile) []types.TransactWriteItem {
	user := text(string(m.UserID))
	actions := []types.TransactWriteItem{
		{ConditionCheck: &types.ConditionCheck{
			TableName: s.table, Key: pk(nameKey(m.Username)),
			ConditionExpression:       aws.String("user_id = :user AND confirmed = :true AND attribute_not_exists(retired_at)"),
			ExpressionAttributeValues: values{":user": user, ":true": flag(true)},
		}},
		{Update: &types.Update{
			TableName: s.table, Key: pk(userKey(m.UserID)),
			UpdateExpression:    aws.String("SET email = :email, email_verified = :true, updated_at = :at, version = version + :one"),
			ConditionExpression: aws.String("version = :read"),
			ExpressionAttributeValues: values{
				":email": text(m.To), ":true": flag(true), ":at": stamp(m.At), ":one": number(1), ":read": number(p.Version),
			},
		}},
		s.ownership(account.Settlement{UserID: m.UserID, Email: m.To, At: m.At}),
	}
	if p.EmailVerified && p.Email != m.To {
		actions = append(actions, types.TransactWriteItem{Delete: &types.Delete{
			TableName: s.table, Key: pk(emailKey(p.Email)),
			ConditionExpression:       aws.String("attribute_not_exists(pk) OR user_id = :user"),
			ExpressionAttributeValues: values{":user": user},
		}})
	}
	return actions
}
