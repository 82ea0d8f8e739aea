package frontdoor

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"github.com/aws/aws-lambda-go/lambda/messages"
)

// streamType says that what follows is a prelude and a body (AWS Lambda, "Response
// streaming for Lambda functions").
const streamType = "application/vnd.awslambda.http-integration-response"

// held is how much of a body is held back until there is more of it, a flush, or the end:
// about what net/http holds back, in bytes.
const held = 4 << 10

// streamed is an answer on its way. aws-lambda-go sends it on as it is read, tells Lambda
// of an error that reading ends in, and closes it. It has no exported fields, for
// aws-lambda-go sends whatever encodes to more JSON than "{}" as that JSON.
type streamed struct {
	from  io.Reader
	close func()
}

// Read implements io.Reader.
func (s streamed) Read(p []byte) (int, error) { return s.from.Read(p) }

// Close implements io.Closer: nobody reads on.
func (s streamed) Close() error {
	s.close()
	return nil
}

// ContentType tells aws-lambda-go the media type.
func (streamed) ContentType() string { return streamType }

// MarshalJSON keeps aws-lambda-go from sending the reader as a JSON object: it tries that
// first.
func (streamed) MarshalJSON() ([]byte, error) { return nil, errReader }

// Stream serves one event as [Invoker.Invoke] does, but for a Function URL and a REST API
// gives the answer as soon as the handler begins it. It is a handler function as
// aws-lambda-go takes it.
func (i *Invoker) Stream(ctx context.Context, raw json.RawMessage) (io.Reader, error) {
	x := new(exchange)
	if err := x.event.parse(raw); err != nil {
		return nil, err
	}
	if x.event.door != DoorFunctionURL && x.event.door != DoorREST {
		out, err := i.buffered(ctx, x)
		return bytes.NewReader(out), err
	}
	ctx, hangUp := context.WithCancel(ctx)
	x.begin(ctx)
	x.cancel = hangUp // and with it what begin has made
	r, err := x.request(i.options)
	if err != nil {
		defer x.cancel()
		i.options.Logger.WarnContext(&x.ctx, "malformed request", "err", err)
		return x.event.plainStream(http.StatusBadRequest), nil
	}
	w := newStreamWriter(x, r.Method == http.MethodHead)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		w.end(i, x, i.call(w, r))
	}()
	go i.watch(x, w, ended)
	return <-w.begun, nil
}

// watch waits for the handler to end, or ends its answer: with a 504 where it has not
// begun when the invocation is about to end, with an error where it has.
func (i *Invoker) watch(x *exchange, w *streamWriter, ended <-chan struct{}) {
	defer x.cancel()
	select {
	case <-ended:
		return
	case <-x.ctx.Done():
	}
	select {
	case <-ended: // it heeded its context
	case <-time.After(deadlineMargin / 2):
		i.timedOut(x)
		w.abandon(http.StatusGatewayTimeout, "Timeout", "the handler did not end in time")
	}
}

// plainStream is an answer that no handler gave.
func (e *event) plainStream(status int) streamed {
	w := &writer{event: e}
	problem(w, status)
	out := append(w.prelude(), w.buffers.body.Bytes()...)
	w.release()
	return streamed{bytes.NewReader(out), func() {}}
}

// prelude is what a streamed answer begins with: status and headers, and eight zeros.
func (w *writer) prelude() []byte {
	o := append(w.appendHeaders(w.appendStatus(nil)), '}')
	return append(o, 0, 0, 0, 0, 0, 0, 0, 0)
}

// streamWriter is the http.ResponseWriter of a streamed answer.
type streamWriter struct {
	writer // the headers, and whatever else is alike
	begun  chan streamed
	state  atomic.Int32
	buffer *bufio.Writer
	body   *io.PipeWriter
	read   streamed // what is read of body
	noBody bool     // the answer to a HEAD
	cutter *time.Timer
}

// The states of an answer: nothing of it is sent; it has begun; or it was ended in the
// handler's place, which may take no more part.
const (
	waiting = iota
	begun
	over
)

func newStreamWriter(x *exchange, noBody bool) *streamWriter {
	from, body := io.Pipe()
	w := &streamWriter{
		writer: writer{event: &x.event}, begun: make(chan streamed, 1), body: body, noBody: noBody,
		read: streamed{from, func() {
			_ = from.Close() // always nil
			x.cancel()
		}},
	}
	w.buffer = bufio.NewWriterSize(chunks{w}, held)
	return w
}

// Write implements http.ResponseWriter: it waits until Lambda has taken what it cannot
// hold.
func (w *streamWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.ready(len(b)); err != nil || len(b) == 0 {
		return 0, err
	}
	return w.buffer.Write(b)
}

// WriteString implements io.StringWriter.
func (w *streamWriter) WriteString(s string) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.ready(len(s)); err != nil || s == "" {
		return 0, err
	}
	return w.buffer.WriteString(s)
}

// Flush implements http.Flusher.
func (w *streamWriter) Flush() { _ = w.FlushError() } // FlushError is for those who want to know

// FlushError sends what there is; [http.ResponseController] calls it.
func (w *streamWriter) FlushError() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.flush()
}

func (w *streamWriter) flush() error {
	if w.done {
		return http.ErrHandlerTimeout
	}
	w.writeHeader(http.StatusOK)
	if err := w.buffer.Flush(); err != nil {
		return err
	}
	_, err := chunks{w}.Write(nil)
	return err
}

// SetWriteDeadline has the answer break off at a time; [http.ResponseController] calls it.
func (w *streamWriter) SetWriteDeadline(t time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cutter != nil {
		w.cutter.Stop()
	}
	if !t.IsZero() {
		w.cutter = time.AfterFunc(time.Until(t), func() { _ = w.body.CloseWithError(os.ErrDeadlineExceeded) }) // always nil
	}
	return nil
}

// chunks are what leaves a streamWriter's buffer. The answer begins with the first, which
// tells the body's type.
type chunks struct{ w *streamWriter }

// Write implements io.Writer.
func (c chunks) Write(p []byte) (int, error) {
	w := c.w
	if w.state.CompareAndSwap(waiting, begun) {
		w.sniff(p)
		w.begun <- streamed{io.MultiReader(bytes.NewReader(w.prelude()), w.read), w.read.close}
	}
	switch {
	case w.state.Load() == over:
		return 0, http.ErrHandlerTimeout
	case w.noBody || len(p) == 0:
		return len(p), nil
	}
	return w.body.Write(p)
}

// end ends the answer of a handler that has ended: with a status of its own where that
// is not 0.
func (w *streamWriter) end(i *Invoker, x *exchange, status int) {
	switch {
	case status != 0:
		w.abandon(status, "Panic", "the handler panicked")
	case !w.noBody && w.short():
		i.options.Logger.ErrorContext(&x.ctx, tooShort)
		w.abandon(http.StatusInternalServerError, "ShortBody", tooShort)
	default:
		w.mu.Lock()
		defer w.mu.Unlock()
		_ = w.flush()      // whoever does not read on knows
		_ = w.body.Close() // always nil
		w.stop()
		w.release()
	}
}

// abandon ends the answer in the handler's place: as a whole one where nothing of it is
// sent, else with an error in mid-stream.
func (w *streamWriter) abandon(status int, kind, message string) {
	if w.state.CompareAndSwap(waiting, over) {
		w.begun <- w.event.plainStream(status)
	}
	// This also wakes a handler that waits for Lambda to take what it writes.
	_ = w.body.CloseWithError(messages.InvokeResponse_Error{Type: "Frontdoor." + kind, Message: message}) // always nil
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stop()
	w.release()
}

func (w *streamWriter) stop() {
	if w.cutter != nil {
		w.cutter.Stop()
	}
}
