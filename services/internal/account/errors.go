package account

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Code names a kind of failure. The list below is closed: adapters map whatever
// their system says to one of these, and each edge maps each of these to a status.
// Codes are part of the API and never change their meaning.
type Code string

// The closed list of codes.
const (
	CodeInternal           Code = "internal"               // unexpected; the cause goes to the log, never into an answer
	CodeInvalid            Code = "invalid_request"        // a field breaks a rule; Fields says which and why
	CodeUsernameTaken      Code = "username_taken"         // the name belongs to, or is leased by, somebody else
	CodeConflict           Code = "conflict"               // the record changed, or is there already
	CodeVersionRequired    Code = "precondition_required"  // a change must say which version of the record it is of
	CodeVersionChanged     Code = "precondition_failed"    // the record is not, or no longer, of that version
	CodeNotFound           Code = "not_found"              // no such user, claim or profile
	CodeInvalidCredentials Code = "invalid_credentials"    // wrong password or unknown user, never told apart
	CodeWrongPassword      Code = "wrong_password"         // of somebody whose token is good
	CodeInvalidToken       Code = "invalid_token"          // an access or refresh token that is not, or no longer, good
	CodeNotConfirmed       Code = "not_confirmed"          // the account waits for its confirmation code
	CodeAlreadyConfirmed   Code = "already_confirmed"      // there is nothing left to confirm
	CodeMismatch           Code = "code_mismatch"          // a wrong confirmation code, or the wrong registration token for it
	CodeExpired            Code = "code_expired"           // a confirmation code past its time, or tried too often
	CodeChallenge          Code = "challenge_required"     // the directory wants a further step (a new password, a second factor)
	CodeUnsupported        Code = "not_supported"          // the directory has no such thing
	CodeTooManyRequests    Code = "too_many_requests"      // throttled; RetryAfter says when to come back
	CodeKeyReused          Code = "idempotency_key_reused" // the Idempotency-Key came before with another request
	CodeInProgress         Code = "request_in_progress"    // the same request is being worked on; RetryAfter says when to ask again
	CodeUnavailable        Code = "unavailable"            // a system behind us is down; RetryAfter says when to come back
)

// Error is the one error of the domain. Message and Fields are for the caller and
// never hold a secret; Err is for the log.
type Error struct {
	Code       Code
	Message    string        // one sentence for the caller
	Fields     []Field       // for CodeInvalid: every field that breaks a rule; for CodeWrongPassword the one
	RetryAfter time.Duration // when to try again; zero if that is unknown or pointless
	Quota      *Quota        // for CodeTooManyRequests: the budget that is used up; nil where it is not ours
	Challenge  *Challenge    // for CodeChallenge: the step; nil where it is not one that RespondToChallenge takes
	Err        error         // the cause; may be nil
}

// Field is one field that breaks a rule. Name is the name the API gives it.
type Field struct {
	Name    string
	Message string
}

// Quota is a budget that has nothing left.
type Quota struct {
	Policy Policy
	Tier   Tier
}

// Error gives the code, the message and the cause, for logs.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(string(e.Code))
	if e.Message != "" {
		b.WriteString(": " + e.Message)
	}
	for _, f := range e.Fields {
		fmt.Fprintf(&b, "; %s %s", f.Name, f.Message)
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// CodeOf gives the code of the first [Error] in err's chain, CodeInternal for any
// other error, and "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return CodeInternal
}

// Errorf makes an [Error] of the given code and public message around a cause,
// which may be nil.
func Errorf(code Code, cause error, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), Err: cause}
}

// The messages that more than one adapter or use case gives. Where two failures
// must not be told apart they share one of these.
var (
	errCredentials = Error{Code: CodeInvalidCredentials, Message: "The username or the password is wrong."}
	errPassword    = Error{Code: CodeWrongPassword, Message: "The password is wrong."}
	errToken       = Error{Code: CodeInvalidToken, Message: "The token is not valid, or no longer is."}
	errNotConf     = Error{Code: CodeNotConfirmed, Message: "The account waits for its confirmation code."}
	errMismatch    = Error{Code: CodeMismatch, Message: "The code is wrong, or is not the newest one."}
	errExpired     = Error{Code: CodeExpired, Message: "The code has expired or was tried too often; ask for a new one."}
	errTaken       = Error{Code: CodeUsernameTaken, Message: "The username is taken."}
	errGone        = Error{Code: CodeNotFound, Message: "The account is gone."}
	errThrottled   = Error{Code: CodeTooManyRequests, Message: "Too many requests; try again later.", RetryAfter: 5 * time.Second}
	errUnavailable = Error{Code: CodeUnavailable, Message: "The service is not available at the moment; try again later.", RetryAfter: 5 * time.Second}
)

// ErrCredentials is the one answer to a wrong password and to an unknown user.
func ErrCredentials(cause error) error { return because(errCredentials, cause) }

// ErrWrongPassword is the answer to a wrong password of somebody whose token is good, in a field.
// It is none that a client would take for a token that has expired, and sign them out for.
func ErrWrongPassword(field string, cause error) error {
	e := because(errPassword, cause)
	e.Fields = []Field{{Name: field, Message: "is wrong"}}
	return e
}

// ErrToken is the answer to any access or refresh token that is not good.
func ErrToken(cause error) error { return because(errToken, cause) }

// ErrNotConfirmed is the answer to a sign-in to an account that waits for its code.
func ErrNotConfirmed(cause error) error { return because(errNotConf, cause) }

// ErrCodeMismatch is the answer to a wrong code, and to a code whose registration
// token is not the account's.
func ErrCodeMismatch(cause error) error { return because(errMismatch, cause) }

// ErrCodeExpired is the answer to a code past its time or its tries.
func ErrCodeExpired(cause error) error { return because(errExpired, cause) }

// ErrUsernameTaken says that a name is somebody else's; retryAfter is what is left
// of a lease on it, zero where the name is confirmed.
func ErrUsernameTaken(retryAfter time.Duration) error {
	e := errTaken
	e.RetryAfter = retryAfter
	return &e
}

// ErrGone is the answer to somebody whose token is good and whose account is there no more.
func ErrGone(cause error) error { return because(errGone, cause) }

// orGone has what was not found of somebody's own account be the answer that it is gone.
func orGone(err error) error {
	if CodeOf(err) == CodeNotFound {
		return ErrGone(err)
	}
	return err
}

// ErrThrottled says that a system behind us, or we, ask the caller to slow down.
func ErrThrottled(cause error) error { return because(errThrottled, cause) }

// ErrUnavailable says that a system behind us is down or too slow.
func ErrUnavailable(cause error) error { return because(errUnavailable, cause) }

func because(e Error, cause error) *Error {
	e.Err = cause
	return &e
}
