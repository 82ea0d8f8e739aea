package frontdoor

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// The largest answers that the doors carry, in bytes of the encoded answer (Elastic
// Load Balancing, "Lambda functions as targets"; AWS Lambda quotas).
const (
	maxALB    = 1 << 20
	maxLambda = 6 << 20
)

// writer is the http.ResponseWriter of a buffered answer. Its headers are encoded at the
// first WriteHeader, which freezes them without a copy.
type writer struct {
	event *event

	mu      sync.Mutex // a handler's goroutine may outlive the handler
	done    bool       // its buffers are somebody else's now
	header  http.Header
	status  int
	buffers *buffers
	cookies []string
	length  int64 // how long the handler said that the body is, or -1
	written int64 // how much of it there is
	typed   bool  // the body's type is not to be told by its beginning
	encoded bool  // the body has a content encoding
}

// buffers are what an answer is put together in. They go from one answer to the next;
// a writer has them from its first write until it is encoded.
type buffers struct {
	head []byte // the members of the headers' object
	body bytes.Buffer
	out  []byte
}

var pool = sync.Pool{New: func() any { return new(buffers) }}

// keepable is the largest buffer that is kept for the next answer, in bytes.
const keepable = 64 << 10

func (w *writer) release() {
	b := w.buffers
	w.done, w.buffers = true, nil
	if b == nil || b.body.Cap() > keepable || cap(b.out) > keepable || cap(b.head) > keepable {
		return
	}
	b.head, b.out = b.head[:0], b.out[:0]
	b.body.Reset()
	pool.Put(b)
}

// abandon has the writer take no more of a handler that does not end.
func (w *writer) abandon() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.release()
}

// Header implements http.ResponseWriter.
func (w *writer) Header() http.Header {
	if w.header == nil {
		w.header = make(http.Header, 4)
	}
	return w.header
}

// WriteHeader implements http.ResponseWriter: the first call counts, and informational
// statuses are not for this door.
func (w *writer) WriteHeader(status int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writeHeader(status)
}

func (w *writer) writeHeader(status int) {
	if w.done || w.status != 0 {
		return
	}
	if mustBeStatus(status); informational(status) {
		return
	}
	w.status = status
	w.buffers = pool.Get().(*buffers) //nolint:forcetypeassert // the pool holds nothing else
	w.freeze()
}

// Write implements http.ResponseWriter.
func (w *writer) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.ready(len(b)); err != nil || len(b) == 0 {
		return 0, err
	}
	return w.buffers.body.Write(b)
}

// WriteString implements io.StringWriter.
func (w *writer) WriteString(s string) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.ready(len(s)); err != nil || len(s) == 0 {
		return 0, err
	}
	return w.buffers.body.WriteString(s)
}

// ready has the headers written before n bytes of a body, and says what is against them.
func (w *writer) ready(n int) error {
	if w.done {
		return http.ErrHandlerTimeout // as net/http says of a handler that is over
	}
	w.writeHeader(http.StatusOK)
	switch {
	case n == 0:
		return nil
	case !bodyAllowed(w.status):
		return http.ErrBodyNotAllowed
	case w.length >= 0 && w.written+int64(n) > w.length:
		return http.ErrContentLength
	}
	w.written += int64(n)
	return nil
}

// Flush implements http.Flusher; the answer goes when it is whole.
func (w *writer) Flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.done {
		w.writeHeader(http.StatusOK)
		w.sniff(w.buffers.body.Bytes()) // all there is of it now
	}
}

// sniff adds the body's type, told by its beginning, where the handler said none.
func (w *writer) sniff(body []byte) {
	if w.typed || w.encoded || !bodyAllowed(w.status) {
		return
	}
	w.typed = true
	if t := typeOf(body); t != "" {
		w.buffers.head = appendHeader(w.buffers.head, w.event, "Content-Type", t)
	}
}

// short says whether there is less of the body than the handler said there would be:
// net/http would have cut the connection.
func (w *writer) short() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.status != 0 && bodyAllowed(w.status) && w.written < w.length
}

// listed says whether the answer's headers are lists: as in the event, for a load
// balancer, and always for a REST API.
func (e *event) listed() bool { return e.door == DoorREST || e.door == DoorALB && e.multi }

// freeze encodes the headers.
func (w *writer) freeze() {
	e, head := w.event, w.buffers.head
	w.length = -1
	for name, values := range w.header {
		switch name {
		case "Content-Length":
			if w.length = declared(values); w.length < 0 || !bodyAllowed(w.status) {
				continue
			}
		case "Content-Type":
			if w.typed = true; w.status == http.StatusNotModified {
				continue
			}
		case "Content-Encoding":
			w.encoded = len(values) > 0 && values[0] != ""
		case "Transfer-Encoding": // the door's affair; net/http tells no type beside it
			w.typed = true
			continue
		case "Trailer": // no door has any
			continue
		case "Set-Cookie":
			if !e.listed() && e.door != DoorALB {
				for _, v := range values {
					w.cookies = append(w.cookies, oneLine(v))
				}
				continue
			}
		}
		switch {
		case len(values) == 0 || !sendable(name):
		case e.listed():
			head = appendName(head, name)
			head = append(head, '[')
			for i, v := range values {
				if i > 0 {
					head = append(head, ',')
				}
				head = appendString(head, oneLine(v))
			}
			head = append(head, ']')
		case name == "Set-Cookie":
			// These may not be joined (RFC 9110 section 5.3): a single-value load
			// balancer takes one, and more under names that differ in case, which
			// mean the same to HTTP.
			for i, v := range values {
				head = appendString(appendName(head, caseVariant(name, i)), oneLine(v))
			}
		case len(values) == 1:
			head = appendString(appendName(head, name), oneLine(values[0]))
		default:
			head = appendString(appendName(head, name), oneLine(strings.Join(values, ", ")))
		}
	}
	w.buffers.head = head
}

// appendName begins a member of an object; a field name has nothing to escape.
func appendName(b []byte, name string) []byte {
	if len(b) > 0 {
		b = append(b, ',')
	}
	return append(append(append(b, '"'), name...), '"', ':')
}

// appendHeader appends a header of one value, in the event's form.
func appendHeader[S string | []byte](b []byte, e *event, name string, value S) []byte {
	b = appendName(b, name)
	if !e.listed() {
		return appendText(b, value)
	}
	return append(appendText(append(b, '['), value), ']')
}

// encode gives the answer to the event, in the event's form, or false where it is too
// large for the door. The writer is over then, whatever its handler still does.
func (w *writer) encode(head bool) (out []byte, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writeHeader(http.StatusOK) // nothing written means 200
	defer w.release()

	e, b := w.event, w.buffers
	body := b.body.Bytes()
	w.sniff(body)
	if w.length < 0 && bodyAllowed(w.status) && !head {
		var digits [20]byte
		b.head = appendHeader(b.head, e, "Content-Length", strconv.AppendInt(digits[:0], int64(len(body)), 10))
	}
	if head {
		body = nil
	}
	o := w.appendStatus(b.out)
	limit := maxLambda
	if e.door == DoorALB {
		limit = maxALB
		o = append(o, `,"statusDescription":"`...)
		o = strconv.AppendInt(o, int64(w.status), 10)
		o = append(append(append(o, ' '), http.StatusText(w.status)...), '"')
	}
	if e.door != DoorDirect {
		o = w.appendHeaders(o)
	}
	o = w.appendBody(o, body)
	o = append(o, '}')
	b.out = o
	return bytes.Clone(o), len(o) <= limit
}

func (w *writer) appendStatus(o []byte) []byte {
	return strconv.AppendInt(append(o, `{"statusCode":`...), int64(w.status), 10)
}

func (w *writer) appendHeaders(o []byte) []byte {
	if w.event.listed() {
		o = append(o, `,"multiValueHeaders":{`...)
	} else {
		o = append(o, `,"headers":{`...)
	}
	o = append(append(o, w.buffers.head...), '}')
	if len(w.cookies) == 0 {
		return o
	}
	o = append(o, `,"cookies":[`...)
	for i, c := range w.cookies {
		if i > 0 {
			o = append(o, ',')
		}
		o = appendString(o, c)
	}
	return append(o, ']')
}

// appendBody writes text as text and everything else in base64: what it is decides,
// not what its type says.
func (w *writer) appendBody(o, body []byte) []byte {
	o = append(o, `,"body":`...)
	if !w.encoded && utf8.Valid(body) {
		return appendText(o, body)
	}
	o = append(o, '"')
	o = appendBase64(o, body)
	return append(o, `","isBase64Encoded":true`...)
}

// caseVariant spells a name in the n-th of its ways.
func caseVariant(name string, n int) string {
	b := []byte(name)
	for i := range b {
		if b[i] == '-' {
			continue
		}
		if n&1 == 1 {
			b[i] ^= 0x20
		}
		n >>= 1
	}
	return string(b)
}
