package dynamo

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// tries is how often a write is made that meets others on its items, the first time
// included: with the waits between them, for about half a second.
const tries = 7

// again makes a write until it meets no transaction on its items, which DynamoDB refuses
// rather than queues. A write refused so has changed nothing, and the SDK leaves it be.
func again(ctx context.Context, write func() error) error {
	for try := range tries - 1 {
		err := write()
		if !collided(err) {
			return err
		}
		if pause(ctx, try) != nil {
			return err
		}
	}
	return write()
}

// pause waits before another try, longer with each.
func pause(ctx context.Context, try int) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(rand.N(10 * time.Millisecond << try)): //nolint:gosec // spreads load
		return nil
	}
}

// collided says whether a write met a transaction, or a transaction another write or a
// limit of its items' partitions, and nothing else was wrong with it.
func collided(err error) bool {
	if _, ok := errors.AsType[*types.TransactionConflictException](err); ok {
		return true
	}
	c, ok := errors.AsType[*types.TransactionCanceledException](err)
	if !ok {
		return false
	}
	met := false
	for _, r := range c.CancellationReasons {
		switch code(r) {
		case "", "None":
		case "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded":
			met = true
		default:
			return false
		}
	}
	return met
}

func (s *Store) put(ctx context.Context, in *dynamodb.PutItemInput) error {
	return again(ctx, func() error {
		_, err := s.db.PutItem(ctx, in)
		return err
	})
}

func (s *Store) update(ctx context.Context, in *dynamodb.UpdateItemInput) error {
	return again(ctx, func() error {
		_, err := s.db.UpdateItem(ctx, in)
		return err
	})
}

func (s *Store) delete(ctx context.Context, in *dynamodb.DeleteItemInput) error {
	return again(ctx, func() error {
		_, err := s.db.DeleteItem(ctx, in)
		return err
	})
}

// transact makes several changes at once, with a new request token each time.
func (s *Store) transact(ctx context.Context, actions ...types.TransactWriteItem) error {
	return again(ctx, func() error {
		_, err := s.db.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: actions})
		return err
	})
}
