package frontdoor

import (
	"context"
	"encoding/json"
	"errors"
	"sync/atomic"
)

// Door is the way a request came in.
type Door int

// The doors.
const (
	DoorHTTP        Door = iota // a listener of this process
	DoorALB                     // Application Load Balancer
	DoorREST                    // API Gateway REST API, payload format 1.0
	DoorHTTPAPI                 // API Gateway HTTP API, payload format 2.0
	DoorFunctionURL             // Lambda Function URL
	DoorDirect                  // an invocation by event, with no HTTP before it
)

var doorNames = [...]string{"http", "alb", "rest", "httpapi", "functionurl", "direct"}

// String gives a short name for logs.
func (d Door) String() string { return doorNames[d] }

type (
	drainingKey struct{}
	eventKey    struct{}
)

// Draining says, of a request's context, whether the process has been told to end:
// readiness probes answer 503 from then on.
func Draining(ctx context.Context) bool {
	d, ok := ctx.Value(drainingKey{}).(*atomic.Bool)
	return ok && d.Load()
}

// ErrDrainTimeout is the cause ([context.Cause]) that the context of a request has ended for
// where it was still in flight after [Options.DrainTimeout]: it was not the caller who left.
var ErrDrainTimeout = errors.New("the process ended before the request did")

// DoorOf says, of a request's context, which door it came through.
func DoorOf(ctx context.Context) Door {
	if e, ok := ctx.Value(eventKey{}).(*event); ok {
		return e.door
	}
	return DoorHTTP
}

// RawEvent gives, of a request's context, a copy of the event that the request was made
// from; false in HTTP mode.
func RawEvent(ctx context.Context) (json.RawMessage, bool) {
	e, ok := ctx.Value(eventKey{}).(*event)
	if !ok {
		return nil, false
	}
	return json.RawMessage(e.text), true
}
