package frontdoor

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
)

const (
	// deadlineMargin is how long before Lambda would end the invocation the
	// request's context is done, so that an answer can still be given.
	deadlineMargin = 200 * time.Millisecond
	// hooksTime is what the shutdown hooks have: Lambda kills the process about
	// 500 ms after SIGTERM.
	hooksTime = 400 * time.Millisecond
)

// serveLambda runs aws-lambda-go's loop until ctx is done. Lambda sends SIGTERM only
// to a function that has registered an extension, which WithEnableSIGTERM does.
func serveLambda(ctx context.Context, h http.Handler, o Options) error {
	go lambda.StartWithOptions(NewInvoker(h, o),
		lambda.WithContext(context.WithoutCancel(ctx)), lambda.WithEnableSIGTERM())
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

// Invoke serves one event. The error is the invocation's: whatever a client can cause
// is an answer instead.
func (i *Invoker) Invoke(ctx context.Context, raw []byte) ([]byte, error) {
	x := new(exchange)
	e := &x.event
	if err := e.parse(raw); err != nil {
		return nil, err
	}
	switch {
	case e.door == DoorDirect && i.options.DirectPath != "":
	case e.door >= 0 && e.door != DoorDirect:
	case i.options.Events != nil:
		return i.options.Events(ctx, json.RawMessage(raw))
	case e.door == DoorDirect:
		return nil, errNoDirect
	default:
		return nil, errNotHTTP
	}
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-deadlineMargin))
		defer cancel()
	}
	x.ctx = eventContext{ctx, e}
	x.writer.event = e
	r, err := x.request(i.options)
	if err != nil {
		i.options.Logger.WarnContext(&x.ctx, "malformed request", "err", err)
		return e.plainAnswer(http.StatusBadRequest), nil
	}
	if i.serve(&x.writer, r) {
		return e.plainAnswer(http.StatusInternalServerError), nil
	}
	out, ok := x.writer.encode(r.Method == http.MethodHead)
	if !ok {
		i.options.Logger.ErrorContext(&x.ctx, "answer too large for its door", "bytes", len(out), "door", e.door.String())
		return e.plainAnswer(http.StatusInternalServerError), nil
	}
	return out, nil
}

// plainAnswer is an answer that no handler gave, as net/http gives its own.
func (e *event) plainAnswer(status int) []byte {
	w := &writer{event: e}
	http.Error(w, strconv.Itoa(status)+" "+http.StatusText(status), status)
	out, _ := w.encode(false) // a line fits through every door
	return out
}

// serve calls the handler and says whether it panicked; the process lives on.
func (i *Invoker) serve(w http.ResponseWriter, r *http.Request) (panicked bool) {
	defer func() {
		switch v := recover(); v {
		case nil:
		case http.ErrAbortHandler: // meant, and not worth a line
			panicked = true
		default:
			panicked = true
			i.options.Logger.ErrorContext(r.Context(), "panic", "value", fmt.Sprint(v), "stack", string(debug.Stack()))
		}
	}()
	i.handler.ServeHTTP(w, r)
	return false
}
