// Package awserror gives the domain's meaning of what the AWS SDK fails with where the
// service that was asked has none of its own for it.
package awserror

import (
	"errors"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"spillway.example/services/internal/account"
)

// Failure gives an [account.Error] around err, which is not nil. CodeTooManyRequests for
// throttling; CodeUnavailable for what passes by itself: no answer, no credentials for
// the moment, a server's own fault; CodeInternal for what somebody must mend: a request
// that is wrong, permissions, names.
func Failure(err error) error {
	_, malformed := errors.AsType[smithy.InvalidParamsError](err)
	_, unwritten := errors.AsType[*smithy.SerializationError](err)
	if malformed || unwritten {
		return account.Errorf(account.CodeInternal, err, "")
	}
	api, answered := errors.AsType[smithy.APIError](err)
	switch {
	case !answered && status(err) < http.StatusBadRequest: // or there would be an answer's status
		return account.ErrUnavailable(err)
	case answered && throttles(api.ErrorCode()), status(err) == http.StatusTooManyRequests:
		return account.ErrThrottled(err)
	case answered && (api.ErrorFault() == smithy.FaultServer || timedOut(api.ErrorCode())), status(err) >= http.StatusInternalServerError:
		return account.ErrUnavailable(err)
	}
	return account.Errorf(account.CodeInternal, err, "")
}

// throttles says whether an error code asks to slow down.
func throttles(code string) bool {
	_, ok := retry.DefaultThrottleErrorCodes[code]
	return ok
}

// NoThrottles is what r retries but where it is asked to slow down: for calls whose caller
// rather hears so than waits.
func NoThrottles(r aws.Retryer) aws.Retryer {
	return Unless(r, func(err error) bool {
		api, answered := errors.AsType[smithy.APIError](err)
		return answered && throttles(api.ErrorCode())
	})
}

// Unless is what r retries but where an error is final.
func Unless(r aws.Retryer, final func(error) bool) aws.Retryer { return unless{r, final} }

type unless struct {
	aws.Retryer
	final func(error) bool
}

// IsErrorRetryable implements [aws.Retryer].
func (u unless) IsErrorRetryable(err error) bool {
	return !u.final(err) && u.Retryer.IsErrorRetryable(err)
}

func timedOut(code string) bool {
	_, ok := retry.DefaultRetryableErrorCodes[code]
	return ok
}

// status gives the status of the answer in which err came, 0 where there was none. Codes
// that the service's model does not have say nothing of whose fault they are.
func status(err error) int {
	if r, ok := errors.AsType[*awshttp.ResponseError](err); ok {
		return r.HTTPStatusCode()
	}
	return 0
}
