package deploy

import "strings"

// Code is how a verb ended: the exit code of `spillway deploy`. 1 is any other failure, and
// 2 a command that was wrong.
type Code int

// The codes. They are documented in docs/deploy.md, and do not change.
const (
	CodeFindings    Code = 3   // verify found something wrong, or diff -exit-code a change
	CodeRolledBack  Code = 4   // it failed, and what served before serves again
	CodeNeedsHand   Code = 5   // a stack is in a state that somebody must end
	CodeGoesOn      Code = 6   // the time to wait is over; AWS goes on
	CodeInterrupted Code = 130 // by a signal; AWS goes on with what it has begun
)

// Verdict is an error that says how a verb ended and what to do next.
type Verdict struct {
	Code  Code
	What  string   // what happened, in a line
	Hints []string // what was seen, and what to do, a line each
	Err   error    // the cause; may be nil
}

// Error gives what happened, then the hints, a line each.
func (v *Verdict) Error() string {
	what := v.What
	if v.Err != nil {
		what += ": " + v.Err.Error()
	}
	return strings.Join(append([]string{what}, v.Hints...), "\n")
}

// Unwrap gives the cause.
func (v *Verdict) Unwrap() error { return v.Err }

// ExitCode gives the code as a process's.
func (v *Verdict) ExitCode() int { return int(v.Code) }
