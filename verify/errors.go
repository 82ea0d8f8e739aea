package verify

import "errors"

// What a check can end with, for errors.Is.
var (
	// ErrNoToken says that a request has no bearer token at all.
	ErrNoToken = errors.New("no bearer token")
	// ErrInvalidRequest says that a request's Authorization header is malformed.
	ErrInvalidRequest = errors.New("malformed authorization")
	// ErrInvalidToken says that a token is not, or no longer, good.
	ErrInvalidToken = errors.New("invalid token")
	// ErrInsufficientScope says that a good token lacks a scope.
	ErrInsufficientScope = errors.New("insufficient scope")
	// ErrUnavailable says that it cannot be known now whether a token is good: the
	// keys, or the list of what is revoked, cannot be had.
	ErrUnavailable = errors.New("tokens cannot be checked at the moment")
)

// Error is why a check failed. It matches one of the errors above.
type Error struct {
	Kind   error    // one of the errors above
	Reason string   // for the caller: says nothing of the token's content
	Err    error    // for the log; may be nil
	Scopes []string // of ErrInsufficientScope: those that are needed
}

// Error gives all of it, for logs.
func (e *Error) Error() string {
	s := e.Kind.Error() + ": " + e.Reason
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap gives the kind and the cause.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}

func invalid(reason string, cause error) error {
	return &Error{Kind: ErrInvalidToken, Reason: reason, Err: cause}
}

func unavailable(reason string, cause error) error {
	return &Error{Kind: ErrUnavailable, Reason: reason, Err: cause}
}
