package frontdoor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
)

// invokeAndGoOn serves one event, and has AfterAnswer called when the answer is sent. An
// invocation is over only when the runtime asks for the next one (AWS Lambda, "Using the
// Lambda runtime API"), and before it does so aws-lambda-go closes what it has sent.
func (i *Invoker) invokeAndGoOn(ctx context.Context, raw json.RawMessage) (io.Reader, error) {
	after := goingOn{after: func() { i.options.AfterAnswer(ctx) }}
	var err error
	if i.options.Streaming {
		after.Reader, err = i.Stream(ctx, raw)
	} else {
		var out []byte
		out, err = i.Invoke(ctx, raw)
		after.Reader = bytes.NewReader(out)
	}
	if err != nil {
		i.options.AfterAnswer(ctx) // an error is not closed: what is left to do is done first
		return nil, err
	}
	if s, ok := after.Reader.(streamed); ok {
		return streamedGoingOn{s, after}, nil
	}
	return after, nil
}

// goingOn is an answer after which the invocation goes on.
type goingOn struct {
	io.Reader
	after func()
}

// Close implements [io.Closer].
func (g goingOn) Close() error {
	g.after()
	return nil
}

// ContentType tells aws-lambda-go the media type.
func (goingOn) ContentType() string { return "application/json" }

// MarshalJSON keeps aws-lambda-go from sending the reader as a JSON object: it tries that
// first.
func (goingOn) MarshalJSON() ([]byte, error) { return nil, errReader }

var errReader = errors.New("to be read")

// streamedGoingOn is a streamed answer after which the invocation goes on.
type streamedGoingOn struct {
	streamed
	after goingOn
}

// Close implements [io.Closer].
func (s streamedGoingOn) Close() error {
	s.close() // for the handler it is over
	return s.after.Close()
}
