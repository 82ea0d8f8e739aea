package gateway

import (
	"errors"
	"net/http"
)

// fate is what is known of an attempt that brought no answer.
type fate int

const (
	unsent  fate = iota // there was no connection to be had: the target is down
	busy                // it has not run, and may the next time
	unknown             // it may have run
	final               // it has run, or no target could do better
)

// failure is an attempt that brought no answer, and what the client is told where no
// other attempt does. The statuses are those of Elastic Load Balancing, "Troubleshoot
// your Application Load Balancers".
type failure struct {
	fate   fate
	status int
	err    error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

func failed(fate fate, status int, err error) *failure { return &failure{fate, status, err} }

var (
	errTimeout  = errors.New("the target did not begin its answer in time")
	errTooLarge = errors.New("the body is over 1 MB, which a Lambda target cannot take")
	errUpgrade  = errors.New("a Lambda target takes no upgrade requests")
)

// repeatable says whether a request may be sent again although it may have run: its
// method is idempotent (RFC 9110 section 9.2.2).
func repeatable(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPut, http.MethodDelete:
		return true
	}
	return false
}
