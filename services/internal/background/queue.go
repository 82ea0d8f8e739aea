// Package background does what no answer waits for: mail, and whatever is asked for under
// a name that nobody may learn anything about. What an answer waited for would tell, by
// the time it took, whether the name has an account (docs/enumeration.md).
//
// The work is kept in memory only, since mails hold codes. An HTTP service waits for it
// when it drains, a function before it takes the next event: see [Queue.Wait].
package background

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"spillway.example/services/internal/account"
)

// Config is what a [Queue] is made of. The zero Config is a good default.
type Config struct {
	Workers int           // how many things are done at once; 4 where it is 0
	Size    int           // how many may wait; 1,024 where it is 0
	Pause   time.Duration // before each of them begins, see [Queue.Do]; 10 ms where it is 0
	Timeout time.Duration // of each of them; 30 s where it is 0
	Count   account.Count // of MailsFailed
	Logger  *slog.Logger  // nil is silence
}

// Queue is a bounded queue of work. It implements [account.Background].
type Queue struct {
	Config
	work chan job

	mu      sync.Mutex
	pending int
	idle    chan struct{} // closed while nothing is pending
}

type job struct {
	ctx context.Context //nolint:containedctx // the values of the request that asked for it
	do  func(context.Context)
}

var _ account.Background = (*Queue)(nil)

// New makes a Queue and starts its workers, which live as long as the process.
func New(c Config) *Queue {
	if c.Workers == 0 {
		c.Workers = 4
	}
	if c.Size == 0 {
		c.Size = 1024
	}
	if c.Pause == 0 {
		c.Pause = 10 * time.Millisecond
	}
	if c.Timeout == 0 {
		c.Timeout = 30 * time.Second
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	q := &Queue{Config: c, work: make(chan job, c.Size+c.Workers), idle: make(chan struct{})}
	close(q.idle)
	for range c.Workers {
		go q.serve()
	}
	return q
}

var errFull = errors.New("too much work is waiting")

// Do implements [account.Background]: work is done soon, with the values of ctx but not
// its end. It begins when the answer that asked for it has surely left, or it would take
// the processor from it, and tell by that what it finds. CodeUnavailable where too much is
// waiting already.
func (q *Queue) Do(ctx context.Context, work func(context.Context)) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.pending >= cap(q.work) {
		return account.ErrUnavailable(errFull)
	}
	if q.pending++; q.pending == 1 {
		q.idle = make(chan struct{})
	}
	j := job{context.WithoutCancel(ctx), work}
	time.AfterFunc(q.Pause, func() { q.work <- j }) // there is room for all that is pending
	return nil
}

func (q *Queue) serve() {
	for j := range q.work {
		q.run(j)
	}
}

func (q *Queue) run(j job) {
	ctx, cancel := context.WithTimeout(j.ctx, q.Timeout)
	defer func() {
		cancel()
		if v := recover(); v != nil {
			q.Logger.ErrorContext(j.ctx, "panic in the background", "value", v, "stack", string(debug.Stack()))
		}
		q.mu.Lock()
		defer q.mu.Unlock()
		if q.pending--; q.pending == 0 {
			close(q.idle)
		}
	}()
	j.do(ctx)
}

// Wait waits until nothing is pending. The error is the context's, and the log says how
// much was left.
func (q *Queue) Wait(ctx context.Context) error {
	q.mu.Lock()
	idle := q.idle
	q.mu.Unlock()
	select {
	case <-idle:
		return nil
	default:
	}
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		q.mu.Lock()
		defer q.mu.Unlock()
		q.Logger.WarnContext(ctx, "work in the background was left", "pending", q.pending)
		return ctx.Err()
	}
}
