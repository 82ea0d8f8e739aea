package account

import (
	"context"
	"time"
)

// Record is one request that may come again, and the answer that it got.
type Record struct {
	Key         string // a keyed hash of the operation, the caller and their key
	Fingerprint []byte // a keyed hash of the request
	Owner       string // a keyed hash of the account that it is about
	Attempt     string // random; names whoever works on it
	// LeaseUntil is when another may take over a request that has no answer yet.
	LeaseUntil time.Time
	Answer     []byte    // sealed; empty until there is one
	ExpiresAt  time.Time // at most a day away; from then on it counts as gone
}

// Records holds requests that may come again, shared by all copies of a service. Each
// method is one atomic step. Every method fails with an [*Error]; any may fail with
// CodeTooManyRequests, CodeUnavailable or CodeInternal.
type Records interface {
	// Begin stores r if nothing stands under its key, or what stands there has no
	// answer, the same fingerprint and a lease that is over. Otherwise it stores
	// nothing and gives what stands there, with begun false.
	Begin(ctx context.Context, r Record, now time.Time) (standing Record, begun bool, err error)
	// Finish stores r's answer and expiry if r's attempt still works on it.
	// CodeConflict otherwise.
	Finish(ctx context.Context, r Record) error
	// Abandon removes a record without an answer if the attempt still works on it, so
	// that the next request begins at once. It is idempotent.
	Abandon(ctx context.Context, r Record) error
	// Forget removes all records of an owner. It is idempotent.
	Forget(ctx context.Context, owner string, now time.Time) error
}
