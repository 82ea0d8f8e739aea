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
	Workers int           // how many things are done at once, and how many mails sent; 4 where it is 0
	Size    int           // how much may wait that requests ask for; 1,024 where it is 0
	Pause   time.Duration // before each of them begins, see [Queue.Do]; 10 ms where it is 0
	Timeout time.Duration // of each of them; 30 s where it is 0
	Count   account.Count // of MailsFailed
	Logger  *slog.Logger  // nil is silence
}

// Queue is a bounded queue of work. It implements [account.Background]. Mails wait on their
// own and have workers of their own, so that a mail server which does not answer holds up
// nothing else. What work itself asks for, mails for one, finds room where requests do not
// any more: an answer has promised it.
type Queue struct {
	Config
	work, mails lane

	mu   sync.Mutex
	idle chan struct{} // closed while nothing is pending
}

// lane is what waits for its own workers.
type lane struct {
	jobs    chan job
	pending int
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
	q := &Queue{Config: c, idle: make(chan struct{})}
	// A mail is scheduled again before the worker that tried it is done with it.
	q.work.jobs, q.mails.jobs = make(chan job, q.most()), make(chan job, q.most()+c.Workers)
	close(q.idle)
	for range c.Workers {
		go q.serve(&q.work)
		go q.serve(&q.mails)
	}
	return q
}

// promised is how many mails, or how much other work, what one request asks for may make.
const promised = 2

// ofRequests is how much may be pending of what requests ask for.
func (q *Queue) ofRequests() int { return q.Size + q.Workers }

// most is how much may be pending of work, and of mails, at all.
func (q *Queue) most() int { return (1 + promised) * q.ofRequests() }

var errFull = errors.New("too much work is waiting")

type workKey struct{}

// Do implements [account.Background]: work is done soon, with the values of ctx but not
// its end. It begins when the answer that asked for it has surely left, or it would take
// the processor from it, and tell by that what it finds. CodeUnavailable where too much is
// waiting already.
func (q *Queue) Do(ctx context.Context, work func(context.Context)) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	full := q.work.pending >= q.most()
	if ctx.Value(workKey{}) == nil {
		// What it promises must find room for its mails.
		full = q.work.pending >= q.ofRequests() || q.mails.pending > q.most()-q.ofRequests()
	}
	if full {
		return account.ErrUnavailable(errFull)
	}
	q.schedule(ctx, &q.work, q.Pause, work)
	return nil
}

// mail has a mail sent, if there is room for it.
func (q *Queue) mail(ctx context.Context, send func(context.Context)) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.mails.pending >= q.most() {
		return account.ErrUnavailable(errFull)
	}
	q.schedule(ctx, &q.mails, q.Pause, send)
	return nil
}

// schedule has work done after a pause. The caller holds mu.
func (q *Queue) schedule(ctx context.Context, to *lane, pause time.Duration, work func(context.Context)) {
	if q.pending() == 0 {
		q.idle = make(chan struct{})
	}
	to.pending++
	j := job{context.WithValue(context.WithoutCancel(ctx), workKey{}, true), work}
	time.AfterFunc(pause, func() { to.jobs <- j }) // there is room for all that is pending
}

// pending is how much is. The caller holds mu.
func (q *Queue) pending() int { return q.work.pending + q.mails.pending }

func (q *Queue) serve(from *lane) {
	for j := range from.jobs {
		q.run(j, from)
	}
}

func (q *Queue) run(j job, from *lane) {
	ctx, cancel := context.WithTimeout(j.ctx, q.Timeout)
	defer func() {
		cancel()
		if v := recover(); v != nil {
			q.Logger.ErrorContext(j.ctx, "panic in the background", "value", v, "stack", string(debug.Stack()))
		}
		q.mu.Lock()
		defer q.mu.Unlock()
		if from.pending--; q.pending() == 0 {
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
		q.Logger.WarnContext(ctx, "work in the background was left", "pending", q.pending())
		return ctx.Err()
	}
}

// Drain is Wait for a process that ends after it: a mail that is pending then is lost, and
// counted. One that is on its way at that moment may arrive all the same.
func (q *Queue) Drain(ctx context.Context) error {
	err := q.Wait(ctx)
	if err == nil {
		return nil
	}
	q.mu.Lock()
	lost := q.mails.pending
	q.mu.Unlock()
	for range lost {
		q.Count.Add(ctx, "MailsFailed")
	}
	if lost > 0 {
		q.Logger.ErrorContext(ctx, "mails lost: the process ends", "mails", lost)
	}
	return err
}
