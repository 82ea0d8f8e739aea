package gateway

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// maxBody is the largest request body that a Lambda target gets, and the largest that
// is kept so that it can be sent again (Elastic Load Balancing, "Use Lambda functions
// as targets").
const maxBody = 1 << 20

// body is a request's body. Up to maxBody it is read before a target is chosen: it can
// be sent again, and a slow client takes up no target's slot. The rest of a larger one
// goes straight through, once.
type body struct {
	start []byte
	rest  io.Reader // nil where start is all of it
	begun bool      // the rest, or some of it, is gone
}

// errBadBody is a body that could not be read: the client broke off, or broke the
// rules.
var errBadBody = errors.New("reading the request body")

func readBody(r *http.Request) (*body, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return &body{}, nil
	}
	var start bytes.Buffer
	if r.ContentLength > 0 {
		start.Grow(int(min(r.ContentLength, maxBody)) + bytes.MinRead)
	}
	n, err := io.Copy(&start, io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errBadBody, err)
	}
	b := &body{start: start.Bytes()}
	if n > maxBody {
		b.rest = r.Body
	}
	return b, nil
}

// again says whether the body can be sent, for the first time or once more.
func (b *body) again() bool { return b.rest == nil || !b.begun }

// attach gives r the body.
func (b *body) attach(r *http.Request) {
	switch {
	case b.rest != nil:
		r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(b.start), begins{b}))
	case len(b.start) > 0:
		r.ContentLength = int64(len(b.start))
		r.TransferEncoding = nil
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.start)), nil }
		r.Body, _ = r.GetBody()
	default:
		r.Body, r.ContentLength, r.TransferEncoding = http.NoBody, 0, nil
	}
}

// begins reads the rest of a body and remembers that it did.
type begins struct{ *body }

func (b begins) Read(p []byte) (int, error) {
	b.begun = true
	return b.rest.Read(p)
}
