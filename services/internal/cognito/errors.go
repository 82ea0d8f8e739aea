package cognito

import (
	"errors"
	"fmt"
	"strings"
	"time"

	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/aws/smithy-go"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/awserror"
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
	adminSignOut  operation = "AdminUserGlobalSignOut"
	forgot        operation = "ForgotPassword"
	confirmForgot operation = "ConfirmForgotPassword"
	change        operation = "ChangePassword"
	respond       operation = "RespondToAuthChallenge"
	adminUpdate   operation = "AdminUpdateUserAttributes"
	adminPassword operation = "AdminSetUserPassword"
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
	"AliasExistsException":                     internal, // our pools have no aliases
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
	"MFAMethodNotFoundException":               internal,
	"NotAuthorizedException":                   internal,
	"OperationNotEnabledException":             internal,
	"PasswordHistoryPolicyViolationException":  usedPassword,
	"PasswordResetRequiredException":           code(account.CodeChallenge, "The password must be reset."),
	"RefreshTokenReuseException":               account.ErrToken,
	"ResourceNotFoundException":                internal,
	"SoftwareTokenMFANotFoundException":        internal,
	"TooManyFailedAttemptsException":           account.ErrThrottled,
	"TooManyRequestsException":                 account.ErrThrottled,
	"UnauthorizedException":                    internal, // the token's session goes on: nobody may be told that it ended
	"UnexpectedLambdaException":                internal,
	"UnsupportedOperationException":            internal,
	"UnsupportedTokenTypeException":            account.ErrToken,
	"UserLambdaValidationException":            internal,
	"UserNotConfirmedException":                account.ErrNotConfirmed,
	"UserNotFoundException":                    unknown,
	"UsernameExistsException":                  func(error) error { return account.ErrUsernameTaken(0) },
}

// particular is where an exception means something else of one operation.
var particular = map[operation]map[string]meaning{
	signUp: {
		"UserLambdaValidationException": code(account.CodeInvalid, "The directory's own rules refuse this."),
	},
	confirmSignUp: {
		"InvalidParameterException":      account.ErrCodeMismatch, // the name is a good one, so it is the code's form
		"TooManyFailedAttemptsException": account.ErrCodeExpired,
		"UserNotFoundException":          account.ErrCodeMismatch,
	},
	forgot: {
		"InvalidParameterException": unknown, // there is no proven address
		"NotAuthorizedException":    unknown, // the user is disabled, or must change a password that was given out
	},
	confirmForgot: {
		"InvalidParameterException":      account.ErrCodeMismatch, // as of confirmSignUp
		"NotAuthorizedException":         account.ErrCodeMismatch,
		"TooManyFailedAttemptsException": account.ErrCodeExpired,
		"UserNotConfirmedException":      account.ErrCodeMismatch,
		"UserNotFoundException":          account.ErrCodeMismatch,
	},
	initiateAuth: {
		// Also what a lock-out says ("Password attempts exceeded"): only a name that is
		// there is ever locked out, so that another answer would tell that it is.
		"NotAuthorizedException":        account.ErrCredentials,
		"UserLambdaValidationException": account.ErrCredentials,
		"UserNotFoundException":         account.ErrCredentials,
	},
	respond: {
		"AliasExistsException":           account.ErrCredentials, // a response would have set an attribute
		"InvalidParameterException":      account.ErrCredentials, // the session's form, or none of that name
		"NotAuthorizedException":         account.ErrCredentials, // the session is over
		"PasswordResetRequiredException": account.ErrCredentials,
		"TooManyFailedAttemptsException": account.ErrCodeExpired,
		"UserLambdaValidationException":  account.ErrCredentials,
		"UserNotConfirmedException":      account.ErrCredentials,
		"UserNotFoundException":          account.ErrCredentials,
	},
	change: {
		"InvalidParameterException":      account.ErrToken, // or a password's form: see ChangePassword
		"NotAuthorizedException":         account.ErrToken, // or the password: see ChangePassword
		"PasswordResetRequiredException": account.ErrToken,
		"UserNotConfirmedException":      account.ErrToken,
		"UserNotFoundException":          account.ErrToken,
	},
	refreshTokens: badToken,
	revokeToken:   badToken,
	globalSignOut: badToken,
	getUser:       badToken,
}

// badToken is what a token that is not good leads to, in all its forms.
var badToken = map[string]meaning{
	"InvalidParameterException":      account.ErrToken,
	"NotAuthorizedException":         account.ErrToken,
	"PasswordResetRequiredException": account.ErrToken,
	"UserLambdaValidationException":  account.ErrToken,
	"UserNotConfirmedException":      account.ErrToken,
	"UserNotFoundException":          account.ErrToken,
}

func badPassword(cause error) error {
	return password(cause, "is refused by the directory's password policy")
}

func usedPassword(cause error) error {
	return password(cause, "was used before; choose another")
}

func password(cause error, message string) error {
	return &account.Error{
		Code: account.CodeInvalid, Message: "A field breaks a rule.", Err: cause,
		Fields: []account.Field{{Name: "password", Message: message}},
	}
}

// limited is a quota rather than a rate: it takes longer to pass.
func limited(cause error) error {
	return &account.Error{
		Code: account.CodeTooManyRequests, Message: "Too many attempts; try again later.",
		RetryAfter: 15 * time.Minute, Err: cause,
	}
}

// failure turns an error of the SDK into the domain's; nil stays nil.
func failure(op operation, err error) error {
	if err == nil {
		return nil
	}
	cause := fmt.Errorf("asking Cognito: %w", err)
	api, answered := errors.AsType[smithy.APIError](err)
	if !answered {
		return awserror.Failure(cause)
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
	return awserror.Failure(cause)
}

// mayHaveMade says whether a failed sign-up may have made the user: the code is sent
// after that, and sending has its own quota and failures.
func mayHaveMade(err error) bool {
	_, undelivered := errors.AsType[*types.CodeDeliveryFailureException](err)
	return undelivered || overQuota(err)
}

func overQuota(err error) bool {
	_, ok := errors.AsType[*types.LimitExceededException](err)
	return ok
}

// askOnce has the SDK not ask again where a quota is used up: it takes that for a rate.
// Of a sign-up that made the user it would only learn that the name is taken.
func askOnce(o *idp.Options) { o.Retryer = awserror.Unless(o.Retryer, overQuota) }
