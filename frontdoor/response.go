package frontdoor

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The largest answers that the doors carry, in bytes of the encoded answer (Elastic
// Load Balancing, "Lambda functions as targets"; AWS Lambda quotas).
const (
	maxALB    = 1 << 20
	maxLambda = 6 << 20
)

// writer is the http.ResponseWriter of a buffered answer.
type writer struct {
	header http.Header
	frozen http.Header // the headers as they were at the first WriteHeader
	status int
	body   bytes.Buffer
}

func newWriter() *writer { return &writer{header: http.Header{}} }

// Header implements http.ResponseWriter.
func (w *writer) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter: the first call counts, and informational
// statuses are not for this door.
func (w *writer) WriteHeader(status int) {
	if w.status != 0 || status >= 100 && status < 200 && status != http.StatusSwitchingProtocols {
		return
	}
	w.status, w.frozen = status, w.header.Clone()
}

// Write implements http.ResponseWriter.
func (w *writer) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.sniff(b)
		w.WriteHeader(http.StatusOK)
	}
	if !bodyAllowed(w.status) {
		return 0, http.ErrBodyNotAllowed
	}
	return w.body.Write(b)
}

// Flush implements http.Flusher; the answer goes when it is whole.
func (w *writer) Flush() {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
}

func (w *writer) sniff(b []byte) {
	if _, set := w.header["Content-Type"]; !set && w.header.Get("Content-Encoding") == "" && len(b) > 0 {
		w.header.Set("Content-Type", http.DetectContentType(b))
	}
}

func bodyAllowed(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}

// answer is the response in the form that the doors share; each takes the fields that
// are its own.
type answer struct {
	StatusCode        int                 `json:"statusCode"`
	StatusDescription string              `json:"statusDescription,omitempty"`
	Headers           map[string]string   `json:"headers,omitempty"`
	MultiValueHeaders map[string][]string `json:"multiValueHeaders,omitempty"`
	Cookies           []string            `json:"cookies,omitempty"`
	Body              string              `json:"body"`
	IsBase64Encoded   bool                `json:"isBase64Encoded,omitempty"`
}

// encode gives the answer to e, in the form of e, or false where it is too large for
// the door.
func (w *writer) encode(e *event, head bool) (out []byte, ok bool) {
	w.Flush() // nothing written means 200
	a := answer{StatusCode: w.status}
	body := w.body.Bytes()
	if w.frozen.Get("Content-Length") == "" && bodyAllowed(w.status) && !head && e.door != DoorDirect {
		w.frozen.Set("Content-Length", strconv.Itoa(len(body)))
	}
	if head {
		body = nil
	}
	if utf8.Valid(body) && w.frozen.Get("Content-Encoding") == "" {
		a.Body = string(body)
	} else {
		a.Body, a.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
	}
	limit := maxLambda
	switch e.door {
	case DoorDirect:
	case DoorALB:
		limit = maxALB
		a.StatusDescription = strconv.Itoa(w.status) + " " + http.StatusText(w.status)
		if e.multi {
			a.MultiValueHeaders = w.frozen
		} else {
			a.Headers = joined(w.frozen)
		}
	case DoorREST:
		a.MultiValueHeaders = w.frozen
	default:
		a.Cookies = w.frozen["Set-Cookie"]
		delete(w.frozen, "Set-Cookie")
		a.Headers = joined(w.frozen)
	}
	out, err := json.Marshal(a)
	if err != nil {
		panic(err) // strings and numbers
	}
	return out, len(out) <= limit
}

// joined gives one value for each header, several with commas between them. Set-Cookie
// may not be joined (RFC 9110 section 5.3): a single-value load balancer takes one
// cookie, and more under names that differ in case, which mean the same to HTTP.
func joined(h http.Header) map[string]string {
	m := make(map[string]string, len(h))
	for name, values := range h {
		if name == "Set-Cookie" {
			for i, v := range values {
				m[caseVariant(name, i)] = v
			}
			continue
		}
		m[name] = strings.Join(values, ", ")
	}
	return m
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
