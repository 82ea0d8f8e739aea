package gateway

import (
	"context"
	"net/http"
)

// State is how a target stands with its group (Elastic Load Balancing, "Target health
// status").
type State string

// The states of a target.
const (
	Initial   State = "initial"   // registered, not yet checked; gets no requests
	Healthy   State = "healthy"   // gets requests
	Unhealthy State = "unhealthy" // fails its checks, or refused a connection
	Draining  State = "draining"  // deregistered, with requests still in flight
)

// backend is what a target is made of: it carries one request, or one health check.
type backend interface {
	// send carries one attempt. It calls done once, when the target is through with
	// it, which may be later than the answer or than send's return.
	send(r *http.Request, b *body, done func()) (*http.Response, *failure)
	// check asks for the health; nil means healthy. It calls done as send does.
	check(ctx context.Context, done func()) *failure
	// drop closes the connections that lie idle.
	drop()
}

// target is one member of a group. What changes is guarded by the group's mutex.
type target struct {
	id      string
	backend backend
	slots   int // how many may be in flight; 0 for any number
	stop    context.CancelFunc
	checked chan struct{} // closed after the first health check

	state        State
	reason       string // why it is not healthy
	passes       int    // checks passed in a row
	fails        int    // and failed
	inFlight     int
	drained      chan struct{} // closed when a draining target has nothing in flight
	firstChecked bool
}

func (t *target) free() bool { return t.slots == 0 || t.inFlight < t.slots }
