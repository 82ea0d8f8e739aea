package dynamo

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"spillway.example/services/internal/account"
)

// retiredLists is how many items list the names whose claims are retired: each deletion
// writes one of them twice, and those that write the same one at once have to wait for each
// other. A name is on its list for as long as its deletion takes, so they stay small, and are
// read at once, where finding the claims otherwise would take a scan. The number is fixed: with
// another one a deletion that has begun would not find its entry.
const retiredLists = 16

func retiredKey(list uint32) string { return fmt.Sprintf("retired#%d", list) }

// retiredList gives the list that a name is on.
func retiredList(username string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(username)) // never fails
	return h.Sum32() % retiredLists
}

type retiredItem struct {
	PK    string   `dynamodbav:"pk"`
	Names []string `dynamodbav:"names,stringset,omitempty"`
}

// listed puts a name on its list of retired claims (ADD), or takes it off (DELETE).
func (s *Store) listed(action, username string) types.TransactWriteItem {
	return types.TransactWriteItem{Update: &types.Update{
		TableName: s.table, Key: pk(retiredKey(retiredList(username))), UpdateExpression: aws.String(action + " #names :names"),
		ExpressionAttributeNames:  map[string]string{"#names": "names"},
		ExpressionAttributeValues: values{":names": &types.AttributeValueMemberSS{Value: []string{username}}},
	}}
}

// Retire implements [account.Claims].
func (s *Store) Retire(ctx context.Context, username string, id account.UserID, at time.Time) error {
	err := s.transact(ctx, types.TransactWriteItem{Update: &types.Update{
		TableName: s.table, Key: pk(nameKey(username)), UpdateExpression: aws.String("SET retired_at = :at"),
		ConditionExpression: aws.String("user_id = :user AND confirmed = :true AND attribute_not_exists(retired_at)"),
		ExpressionAttributeValues: values{
			":at": stamp(at), ":user": text(string(id)), ":true": flag(true),
		},
	}}, s.listed("ADD", username))
	if _, no := refused(err); no {
		held, err := s.Find(ctx, username)
		if err != nil || held.UserID == id && !held.RetiredAt.IsZero() {
			return err
		}
		return conflict(nil)
	}
	if err != nil {
		return s.failure("retiring a claim", err)
	}
	return nil
}

// Erase implements [account.Claims]. Nothing changes a retired claim but this, nor the
// address of its user, so that what is read holds until it is gone.
func (s *Store) Erase(ctx context.Context, username string, id account.UserID) error {
	held, err := s.Find(ctx, username)
	switch {
	case account.CodeOf(err) == account.CodeNotFound, err == nil && held.UserID != id:
		return nil
	case err != nil:
		return err
	case held.RetiredAt.IsZero():
		return conflict(nil)
	}
	actions := []types.TransactWriteItem{{Delete: &types.Delete{TableName: s.table, Key: pk(changeKey(id))}}, s.deleteProfile(id), s.listed("DELETE", username), {Delete: &types.Delete{
		TableName: s.table, Key: pk(nameKey(username)),
		ConditionExpression:       aws.String("user_id = :user AND attribute_exists(retired_at)"),
		ExpressionAttributeValues: values{":user": text(string(id))},
	}}}
	p, err := s.Get(ctx, id)
	if err != nil && account.CodeOf(err) != account.CodeNotFound {
		return err
	}
	if p.EmailVerified {
		actions = append(actions, types.TransactWriteItem{Delete: &types.Delete{
			TableName: s.table, Key: pk(emailKey(p.Email)),
			ConditionExpression:       aws.String("attribute_not_exists(pk) OR user_id = :user"),
			ExpressionAttributeValues: values{":user": text(string(id))},
		}})
	}
	err = s.transact(ctx, actions...)
	if _, no := refused(err); no {
		// Another has erased it meanwhile, and the name may be somebody else's by now.
		held, findErr := s.Find(ctx, username)
		if account.CodeOf(findErr) == account.CodeNotFound || findErr == nil && held.UserID != id {
			return nil
		}
	}
	if err != nil {
		return s.failure("erasing an account", err)
	}
	return nil
}

// Retired implements [account.Claims].
func (s *Store) Retired(ctx context.Context) ([]account.Claim, error) {
	const doing = "listing retired claims"
	keys := make([]string, retiredLists)
	for i := range keys {
		keys[i] = retiredKey(uint32(i))
	}
	var names []string
	var unread error
	err := s.batch(ctx, doing, keys, func(i map[string]types.AttributeValue) bool {
		var list retiredItem
		unread = errors.Join(unread, read(i, &list))
		names = append(names, list.Names...)
		return false
	})
	switch {
	case err != nil:
		return nil, err
	case unread != nil:
		return nil, s.failure(doing, unread)
	}
	var claims []account.Claim
	for _, name := range names {
		c, err := s.Find(ctx, name)
		switch {
		case account.CodeOf(err) == account.CodeNotFound:
		case err != nil:
			return nil, err
		case !c.RetiredAt.IsZero():
			claims = append(claims, c)
		}
	}
	return claims, nil
}
