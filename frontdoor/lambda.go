package frontdoor

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
)

const (
	// deadlineMargin is how long before Lambda would end the invocation the
	// request's context is done, so that an answer can still be given.
	deadlineMargin = 200 * time.Millisecond
	// hooksTime is what the shutdown hooks have: Lambda kills the process about
	// 500 ms after SIGTERM.
	hooksTime = 400 * time.Millisecond
)

// serveLambda runs aws-lambda-go's loop until ctx is done. Lambda sends SIGTERM only to a
// function that has registered an extension, which WithEnableSIGTERM does; it costs a call
// before the first invocation, so it is for those who have hooks.
func serveLambda(ctx context.Context, h http.Handler, o Options) error {
	i := NewInvoker(h, o)
	var handler any = i
	switch {
	case o.AfterAnswer != nil:
		handler = i.invokeAndGoOn
	case o.Streaming:
		handler = i.Stream
	}
	options := []lambda.Option{lambda.WithContext(context.WithoutCancel(ctx))}
	if len(o.OnShutdown) > 0 {
		options = append(options, lambda.WithEnableSIGTERM())
	}
	go lambda.StartWithOptions(handler, options...)
	<-ctx.Done()
	hooks, cancel := context.WithTimeout(context.WithoutCancel(ctx), hooksTime)
	defer cancel()
	for _, hook := range o.OnShutdown {
		hook(hooks)
	}
	return nil
}

// Invoker is a handler as Lambda calls it: event in, answer out. It implements
// aws-lambda-go's Handler, and is safe for concurrent use.
type Invoker struct {
	handler http.Handler
	options Options
}

var _ lambda.Handler = (*Invoker)(nil)

// NewInvoker makes an Invoker. Serve does so by itself; others who have a loop of
// their own, or a test, may call it.
func NewInvoker(h http.Handler, o Options) *Invoker { return &Invoker{h, o.withDefaults()} }

// tooShort says of an answer what net/http would cut the connection for.
const tooShort = "the handler wrote less than the Content-Length that it gave"

// Invoke serves one event. The error is the invocation's: whatever a client can cause
// is an answer instead.
func (i *Invoker) Invoke(ctx context.Context, raw []byte) ([]byte, error) {
	x := new(exchange)
	if err := x.event.parse(raw); err != nil {
		return nil, err
	}
	return i.buffered(ctx, x)
}

// buffered has an event served, and gives the answer when it is whole.
func (i *Invoker) buffered(ctx context.Context, x *exchange) ([]byte, error) {
	e := &x.event
	switch {
	case e.door == DoorDirect && i.options.DirectPath != "":
	case e.door >= 0 && e.door != DoorDirect:
	case i.options.Events != nil:
		return i.events(ctx, json.RawMessage(e.text))
	case e.door == DoorDirect:
		return nil, errNoDirect
	default:
		return nil, errNotHTTP
	}
	x.begin(ctx)
	defer x.cancel()
	r, err := x.request(i.options)
	if err != nil {
		i.options.Logger.WarnContext(&x.ctx, "malformed request", "err", err)
		return e.plainAnswer(http.StatusBadRequest), nil
	}
	if status := i.serve(x, r); status != 0 {
		return e.plainAnswer(status), nil
	}
	if r.Method != http.MethodHead && x.writer.short() {
		i.options.Logger.ErrorContext(&x.ctx, tooShort)
		x.writer.abandon()
		return e.plainAnswer(http.StatusInternalServerError), nil
	}
	out, ok := x.writer.encode(r.Method == http.MethodHead)
	if !ok {
		i.options.Logger.ErrorContext(&x.ctx, "answer too large for its door", "bytes", len(out), "door", e.door.String())
		return e.plainAnswer(http.StatusInternalServerError), nil
	}
	return out, nil
}

// events has Events take an invocation. A panic is the invocation's error; aws-lambda-go
// would end the process over it, and with it whatever else it serves.
func (i *Invoker) events(ctx context.Context, event json.RawMessage) (out []byte, err error) {
	defer func() {
		if v := recover(); v != nil {
			i.options.Logger.ErrorContext(ctx, "panic", "value", fmt.Sprint(v), "stack", string(debug.Stack()))
			err = messages.InvokeResponse_Error{Type: "Frontdoor.Panic", Message: "Options.Events panicked"}
		}
	}()
	return i.options.Events(ctx, event)
}

// begin gives the exchange its context, which is done a little before the invocation is.
func (x *exchange) begin(ctx context.Context) {
	x.cancel = func() {}
	if deadline, ok := ctx.Deadline(); ok {
		ctx, x.cancel = context.WithDeadline(ctx, deadline.Add(-deadlineMargin))
	}
	x.ctx = eventContext{ctx, &x.event}
	x.writer.event = &x.event
}

// plainAnswer is an answer that no handler gave.
func (e *event) plainAnswer(status int) []byte {
	w := &writer{event: e}
	problem(w, status)
	out, _ := w.encode(false) // a line fits through every door
	return out
}

// problem answers with a problem document (RFC 9457) of no type but its status.
func problem(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, `{"title":"`+http.StatusText(status)+`","status":`+strconv.Itoa(status)+"}\n") // a client that has gone is no concern of ours
}

// serve has the handler answer, and gives the status to answer with in its place, or 0:
// 500 where it panicked, 504 where it had not ended when the invocation was about to. The
// process lives on in both cases, and so does a handler that does not end.
func (i *Invoker) serve(x *exchange, r *http.Request) (status int) {
	if _, ok := x.ctx.Deadline(); !ok {
		return i.call(&x.writer, r)
	}
	ended := make(chan int, 1)
	go func() { ended <- i.call(&x.writer, r) }()
	select {
	case status = <-ended:
		return status
	case <-x.ctx.Done():
	}
	select {
	case status = <-ended: // it heeded its context
		return status
	case <-time.After(deadlineMargin / 2):
		x.writer.abandon()
		i.timedOut(x)
		return http.StatusGatewayTimeout
	}
}

// timedOut says of a request that its handler had not ended in time.
func (i *Invoker) timedOut(x *exchange) {
	i.options.Logger.ErrorContext(&x.ctx, "the handler did not end in time", "err", context.Cause(&x.ctx))
	if i.options.OnTimeout != nil {
		i.options.OnTimeout(&x.ctx)
	}
}

// call calls the handler, and gives 500 where it panicked.
func (i *Invoker) call(w http.ResponseWriter, r *http.Request) (status int) {
	defer func() {
		switch v := recover(); v {
		case nil:
		case http.ErrAbortHandler: // meant, and not worth a line
			status = http.StatusInternalServerError
		default:
			status = http.StatusInternalServerError
			i.options.Logger.ErrorContext(r.Context(), "panic", "value", fmt.Sprint(v), "stack", string(debug.Stack()))
		}
	}()
	i.handler.ServeHTTP(w, r)
	return 0
}
