package awserror_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/awserror"
)

func TestFailure(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		err  error
		want account.Code
	}{
		"no connection":              {&smithyhttp.RequestSendError{Err: io.ErrUnexpectedEOF}, account.CodeUnavailable},
		"given up":                   {&smithy.CanceledError{Err: errors.New("deadline")}, account.CodeUnavailable},
		"no answer that can be read": {answered(http.StatusOK, &smithy.DeserializationError{Err: io.ErrUnexpectedEOF}), account.CodeUnavailable},
		"a proxy's answer":           {answered(http.StatusBadGateway, &smithy.DeserializationError{Err: io.ErrUnexpectedEOF}), account.CodeUnavailable},
		"throttled":                  {answered(http.StatusBadRequest, api("ThrottlingException", smithy.FaultUnknown)), account.CodeTooManyRequests},
		"throttled by a new code":    {answered(http.StatusTooManyRequests, api("Slower", smithy.FaultUnknown)), account.CodeTooManyRequests},
		"the server's fault":         {answered(http.StatusInternalServerError, api("InternalServerError", smithy.FaultServer)), account.CodeUnavailable},
		"the server's, not modelled": {answered(http.StatusServiceUnavailable, api("ServiceUnavailable", smithy.FaultUnknown)), account.CodeUnavailable},
		"timed out at the server":    {answered(http.StatusBadRequest, api("RequestTimeout", smithy.FaultUnknown)), account.CodeUnavailable},
		"no permission":              {answered(http.StatusBadRequest, api("AccessDeniedException", smithy.FaultUnknown)), account.CodeInternal},
		"a wrong request":            {answered(http.StatusBadRequest, api("ValidationException", smithy.FaultClient)), account.CodeInternal},
		"never sent, being wrong":    {smithy.InvalidParamsError{Context: "Input"}, account.CodeInternal},
	} {
		got := awserror.Failure(fmt.Errorf("doing it: %w", &smithy.OperationError{ServiceID: "S", OperationName: "Op", Err: tt.err}))
		if account.CodeOf(got) != tt.want {
			t.Errorf("%s: got %v, want %s", name, got, tt.want)
		}
		if !strings.Contains(got.Error(), tt.err.Error()) {
			t.Errorf("%s: the cause is gone from %v", name, got)
		}
	}
}

func api(code string, fault smithy.ErrorFault) error {
	return &smithy.GenericAPIError{Code: code, Fault: fault}
}

func answered(status int, err error) error {
	return &awshttp.ResponseError{ResponseError: &smithyhttp.ResponseError{
		Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}}, Err: err,
	}}
}
