package awscloud

import (
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/smithy-go"
)

// code gives the error code that AWS answered with, empty where it did not.
func code(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return ""
}

// problem is an error of AWS in one line, with what to do about it.
type problem struct {
	line string
	err  error
}

func (p *problem) Error() string { return p.line }
func (p *problem) Unwrap() error { return p.err }

// explain gives err in one line that says what to do; nil for nil.
func explain(err error) error {
	if err == nil {
		return nil
	}
	api, answered := errors.AsType[smithy.APIError](err)
	if !answered {
		return &problem{unanswered(err), err}
	}
	line := fmt.Sprintf("%s: %s", api.ErrorCode(), strings.Join(strings.Fields(api.ErrorMessage()), " "))
	switch c := api.ErrorCode(); {
	case expired[c]:
		line = "the AWS credentials have expired: get new ones (aws sso login, or a new session) and run the same command again: it goes on from here (" + c + ")"
	case unknown[c]:
		line = "AWS does not know these credentials: see aws sts get-caller-identity, and -profile (" + c + ")"
	case denied[c]:
		line = "AWS does not allow it to these credentials: " + line
	case throttled(c):
		line = fmt.Sprintf("AWS still throttled the call after %d tries: wait a minute and run the same command again (%s)", maxAttempts, c)
	}
	return &problem{line, err}
}

// The codes with which services say the same, each in its own way.
var (
	expired = set("ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired")
	unknown = set("InvalidClientTokenId", "UnrecognizedClientException", "InvalidSignatureException", "SignatureDoesNotMatch", "InvalidAccessKeyId", "AuthFailure", "IncompleteSignature")
	denied  = set("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "OptInRequired")
)

func set(codes ...string) map[string]bool {
	m := map[string]bool{}
	for _, c := range codes {
		m[c] = true
	}
	return m
}

func throttled(code string) bool {
	_, ok := retry.DefaultThrottleErrorCodes[code]
	return ok
}

// unanswered explains why no answer came.
func unanswered(err error) string {
	if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsNotFound {
		return fmt.Sprintf("there is no %s: is the region right, and the network up?", dns.Name)
	}
	if _, ok := errors.AsType[*ssocreds.InvalidTokenError](err); ok {
		return "the session of AWS IAM Identity Center is over: aws sso login, and run the same command again: it goes on from here"
	}
	if strings.Contains(err.Error(), "get credentials") || strings.Contains(err.Error(), "failed to refresh cached credentials") {
		return "no AWS credentials were found: log in (aws sso login), or give -profile or AWS_PROFILE"
	}
	return strings.Join(strings.Fields(err.Error()), " ")
}
