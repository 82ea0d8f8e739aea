package cognito

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"

	"spillway.example/services/internal/account"
)

// operation is one of Cognito's that the directory uses.
type operation string

const (
	signUp        operation = "SignUp"
	confirmSignUp operation = "ConfirmSignUp"
	resendCode    operation = "ResendConfirmationCode"
	initiateAuth  operation = "InitiateAuth"
	refreshTokens operation = "GetTokensFromRefreshToken"
	revokeToken   operation = "RevokeToken"
	globalSignOut operation = "GlobalSignOut"
	getUser       operation = "GetUser"
	adminGetUser  operation = "AdminGetUser"
	adminConfirm  operation = "AdminConfirmSignUp"
	adminDelete   operation = "AdminDeleteUser"
)

// meaning makes the domain's error of a cause.
type meaning func(cause error) error

func code(c account.Code, message string) meaning {
	return func(cause error) error { return account.Errorf(c, cause, "%s", message) }
}

var (
	internal  = code(account.CodeInternal, "") // for an operator to mend: configuration, permissions, triggers
	confirmed = code(account.CodeAlreadyConfirmed, "The account is confirmed already.")
	unknown   = code(account.CodeNotFound, "There is no such user.")
)

// meanings is what each of Cognito's exceptions means, whatever the operation.
var meanings = map[string]meaning{
	"AliasExistsException":                     code(account.CodeConflict, "The address belongs to another account."),
	"CodeDeliveryFailureException":             account.ErrUnavailable,
	"CodeMismatchException":                    account.ErrCodeMismatch,
	"ExpiredCodeException":                     account.ErrCodeExpired,
	"ForbiddenException":                       account.ErrThrottled, // the pool's firewall; its rate rules are why, as a rule
	"InternalErrorException":                   account.ErrUnavailable,
	"InvalidEmailRoleAccessPolicyException":    internal,
	"InvalidLambdaResponseException":           internal,
	"InvalidParameterException":                internal,
	"InvalidPasswordException":                 badPassword,
	"InvalidSmsRoleAccessPolicyException":      internal,
	"InvalidSmsRoleTrustRelationshipException": internal,
	"InvalidUserPoolConfigurationException":    internal,
	"LimitExceededException":                   limited,
	"NotAuthorizedException":                   internal,
	"OperationNotEnabledException":             internal,
	"PasswordResetRequiredException":           code(account.CodeChallenge, "The password must be reset."),
	"RefreshTokenReuseException":               account.ErrToken,
	"ResourceNotFoundException":                internal,
	"TooManyFailedAttemptsException":           account.ErrCodeExpired,
	"TooManyRequestsException":                 account.ErrThrottled,
	"UnauthorizedException":                    internal,
	"UnexpectedLambdaException":                internal,
	"UnsupportedOperationException":            internal,
	"UnsupportedTokenTypeException":            account.ErrToken,
	"UserLambdaValidationException":            code(account.CodeInvalid, "The directory's own rules refuse this."),
	"UserNotConfirmedException":                account.ErrNotConfirmed,
	"UserNotFoundException":                    unknown,
	"UsernameExistsException":                  func(error) error { return account.ErrUsernameTaken(0) },
}

// particular is where an exception means something else of one operation.
var particular = map[operation]map[string]meaning{
	confirmSignUp: {
		"InvalidParameterException": account.ErrCodeMismatch, // the name is a good one, so it is the code's form
		"NotAuthorizedException":    confirmed,               // "User cannot be confirmed. Current status is CONFIRMED"
		"UserNotFoundException":     account.ErrCodeMismatch,
	},
	resendCode: {
		"InvalidParameterException": confirmed, // "User is already confirmed."
		"NotAuthorizedException":    confirmed,
	},
	initiateAuth: {
		"NotAuthorizedException": credentials,
		"UserNotFoundException":  account.ErrCredentials,
	},
	refreshTokens: badToken,
	revokeToken:   badToken,
	globalSignOut: badToken,
	getUser:       badToken,
	adminConfirm:  {"NotAuthorizedException": confirmed},
}

// badToken is what a token that is not good leads to, in all its forms.
var badToken = map[string]meaning{
	"InvalidParameterException": account.ErrToken,
	"NotAuthorizedException":    account.ErrToken,
	"UserNotFoundException":     account.ErrToken,
	"UserNotConfirmedException": account.ErrToken,
}

func badPassword(cause error) error {
	return &account.Error{
		Code: account.CodeInvalid, Message: "A field breaks a rule.", Err: cause,
		Fields: []account.Field{{Name: "password", Message: "is refused by the directory's password policy"}},
	}
}

// limited is a quota rather than a rate: it takes longer to pass.
func limited(cause error) error {
	return &account.Error{
		Code: account.CodeTooManyRequests, Message: "Too many attempts; try again later.",
		RetryAfter: 15 * time.Minute, Err: cause,
	}
}

// credentials reads the one exception by which Cognito refuses a password, and also
// says that there were too many.
func credentials(cause error) error {
	if strings.Contains(cause.Error(), "attempts exceeded") {
		return limited(cause)
	}
	return account.ErrCredentials(cause)
}

// failure turns an error of the SDK into the domain's; nil stays nil.
func failure(op operation, err error) error {
	if err == nil {
		return nil
	}
	cause := fmt.Errorf("asking Cognito: %w", err)
	api, answered := errors.AsType[smithy.APIError](err)
	if !answered { // the network, the credentials' source, or the deadline
		return account.ErrUnavailable(cause)
	}
	name := api.ErrorCode()
	if name == "NotAuthorizedException" && strings.Contains(strings.ToLower(api.ErrorMessage()), "secret") {
		return internal(cause) // our own, not the caller's
	}
	if m, ok := particular[op][name]; ok {
		return m(cause)
	}
	if m, ok := meanings[name]; ok {
		return m(cause)
	}
	if _, ok := retry.DefaultThrottleErrorCodes[name]; ok {
		return account.ErrThrottled(cause)
	}
	if api.ErrorFault() == smithy.FaultServer {
		return account.ErrUnavailable(cause)
	}
	return internal(cause)
}

// mayHaveMade says whether a failed sign-up may have made the user: the code is sent
// after that, and sending has its own quota and failures.
func mayHaveMade(err error) bool {
	api, ok := errors.AsType[smithy.APIError](err)
	return ok && (api.ErrorCode() == "LimitExceededException" || api.ErrorCode() == "CodeDeliveryFailureException")
}
