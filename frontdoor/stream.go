package frontdoor

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
)

// streamType says that what follows is a prelude and a body (AWS Lambda, "Response
// streaming for Lambda functions").
const streamType = "application/vnd.awslambda.http-integration-response"

// streamed is an answer on its way. aws-lambda-go sends it on as it is read, and tells
// Lambda of an error that reading ends in.
type streamed struct{ io.Reader }

// ContentType tells aws-lambda-go the media type.
func (streamed) ContentType() string { return streamType }

// Stream serves one event as [Invoker.Invoke] does, but for a Function URL and a REST API
// gives the answer as soon as the handler begins it.
func (i *Invoker) Stream(ctx context.Context, raw json.RawMessage) (io.Reader, error) {
	x := new(exchange)
	if err := x.event.parse(raw); err != nil {
		return nil, err
	}
	if x.event.door != DoorFunctionURL && x.event.door != DoorREST {
		out, err := i.Invoke(ctx, raw)
		return bytes.NewReader(out), err
	}
	x.begin(ctx)
	body, pipe := io.Pipe()
	w := &streamWriter{event: &x.event, pipe: pipe, begun: make(chan []byte, 1)}
	r, err := x.request(i.options)
	if err != nil {
		i.options.Logger.WarnContext(&x.ctx, "malformed request", "err", err)
		r = blank.WithContext(&x.ctx)
	}
	w.bodiless = r.Method == http.MethodHead
	go func() {
		defer x.cancel()
		if err != nil {
			problem(w, http.StatusBadRequest)
		} else if status := i.call(w, r); status != 0 {
			w.fail(status)
		}
		w.end()
	}()
	return streamed{io.MultiReader(bytes.NewReader(<-w.begun), body)}, nil
}

// streamWriter is the http.ResponseWriter of a streamed answer.
type streamWriter struct {
	event    *event
	pipe     *io.PipeWriter
	begun    chan []byte // gets the prelude
	bodiless bool        // the answer to a HEAD

	mu     sync.Mutex
	header http.Header
	status int
}

// Header implements http.ResponseWriter.
func (w *streamWriter) Header() http.Header {
	if w.header == nil {
		w.header = http.Header{}
	}
	return w.header
}

// WriteHeader implements http.ResponseWriter: with it the answer begins.
func (w *streamWriter) WriteHeader(status int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writeHeader(status)
}

func (w *streamWriter) writeHeader(status int) {
	if w.status != 0 || status >= 100 && status < 200 && status != http.StatusSwitchingProtocols {
		return
	}
	w.status = status
	prelude := struct {
		StatusCode int                 `json:"statusCode"`
		Headers    map[string]string   `json:"headers,omitempty"`
		Multi      map[string][]string `json:"multiValueHeaders,omitempty"`
		Cookies    []string            `json:"cookies,omitempty"`
	}{StatusCode: status}
	h := maps.Clone(w.header)
	if w.event.door == DoorREST {
		prelude.Multi = h
	} else {
		prelude.Cookies = h["Set-Cookie"]
		delete(h, "Set-Cookie")
		prelude.Headers = make(map[string]string, len(h))
		for name, values := range h {
			prelude.Headers[name] = strings.Join(values, ", ")
		}
	}
	p, err := json.Marshal(prelude)
	if err != nil {
		panic(err) // strings and numbers
	}
	w.begun <- append(p, 0, 0, 0, 0, 0, 0, 0, 0)
}

// Write implements http.ResponseWriter: it waits until Lambda has taken what is written.
func (w *streamWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.status == 0 {
		if h := w.Header(); h["Content-Type"] == nil && len(h["Content-Encoding"]) == 0 && len(b) > 0 {
			h["Content-Type"] = []string{http.DetectContentType(b)}
		}
		w.writeHeader(http.StatusOK)
	}
	switch {
	case !bodyAllowed(w.status):
		return 0, http.ErrBodyNotAllowed
	case w.bodiless:
		return len(b), nil
	}
	return w.pipe.Write(b)
}

// Flush implements http.Flusher: nothing is held back, but the beginning may be.
func (w *streamWriter) Flush() { w.WriteHeader(http.StatusOK) }

// fail ends an answer that the handler did not: with the status, where nothing was
// written yet, else with an error in mid-stream.
func (w *streamWriter) fail(status int) {
	w.mu.Lock()
	begun := w.status != 0
	w.mu.Unlock()
	if begun {
		_ = w.pipe.CloseWithError(fmt.Errorf("frontdoor: the handler ended with %d in mid-stream", status)) // always nil
		return
	}
	clear(w.Header())
	problem(w, status)
}

// end ends the answer.
func (w *streamWriter) end() {
	w.WriteHeader(http.StatusOK) // nothing written means 200
	_ = w.pipe.Close()           // always nil; an earlier error stays
}
