package dynamo

import (
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/awserror"
)

// failure turns an error of the SDK that no condition of ours explains into one of the
// domain: contention that would not end, throttling, a table that cannot be reached, or
// what only an operator can mend.
func (s *Store) failure(what string, err error) error {
	err = fmt.Errorf("%s in table %s: %w", what, *s.table, err)
	if collided(err) {
		return account.ErrThrottled(err)
	}
	return awserror.Failure(err)
}

func code(r types.CancellationReason) string {
	if r.Code == nil {
		return ""
	}
	return *r.Code
}

// refused says whether a condition of ours was not met, and of a transaction, which of
// its actions' were.
func refused(err error) (actions []int, ok bool) {
	if _, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		return []int{0}, true
	}
	c, ok := errors.AsType[*types.TransactionCanceledException](err)
	if !ok {
		return nil, false
	}
	for i, r := range c.CancellationReasons {
		if code(r) == "ConditionalCheckFailed" {
			actions = append(actions, i)
		}
	}
	return actions, len(actions) > 0
}
