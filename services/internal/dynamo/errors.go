package dynamo

import (
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"spillway.example/services/internal/account"
)

// failure turns an error of the SDK that no condition of ours explains into one of the
// domain: throttling, a table that cannot be reached, or what only an operator can mend.
func failure(what string, err error) error {
	err = fmt.Errorf("%s: %w", what, err)
	if c, ok := errors.AsType[*types.TransactionCanceledException](err); ok {
		for _, r := range c.CancellationReasons {
			switch code(r) {
			case "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded":
				return account.ErrThrottled(err)
			}
		}
		return account.Errorf(account.CodeInternal, err, "")
	}
	api, answered := errors.AsType[smithy.APIError](err)
	switch {
	case !answered: // no answer at all: the network, the credentials' source, or the deadline
		return account.ErrUnavailable(err)
	case throttles(api.ErrorCode()):
		return account.ErrThrottled(err)
	case api.ErrorFault() == smithy.FaultServer:
		return account.ErrUnavailable(err)
	}
	return account.Errorf(account.CodeInternal, err, "")
}

func throttles(code string) bool {
	_, ok := retry.DefaultThrottleErrorCodes[code]
	return ok || code == "TransactionConflictException" || code == "TransactionInProgressException"
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

// collided says whether a transaction met another one on the same items, and nothing
// else was wrong with it.
func collided(err error) bool {
	c, ok := errors.AsType[*types.TransactionCanceledException](err)
	if !ok {
		return false
	}
	met := false
	for _, r := range c.CancellationReasons {
		switch code(r) {
		case "", "None":
		case "TransactionConflict":
			met = true
		default:
			return false
		}
	}
	return met
}
