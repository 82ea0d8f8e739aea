package gateway

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

// event is what a function gets from an Application Load Balancer (Elastic Load
// Balancing, "Use Lambda functions as targets"). A target group has either the fields
// with one value for each name or, with multi-value headers, those with lists.
type event struct {
	RequestContext requestContext `json:"requestContext"`
	HTTPMethod     string         `json:"httpMethod"`
	Path           string         `json:"path"`
	Query          fields         `json:"queryStringParameters,omitzero"`
	MultiQuery     fields         `json:"multiValueQueryStringParameters,omitzero"`
	Headers        fields         `json:"headers,omitzero"`
	MultiHeaders   fields         `json:"multiValueHeaders,omitzero"`
	Body           string         `json:"body"`
	IsBase64       bool           `json:"isBase64Encoded"`
}

type requestContext struct {
	ELB struct {
		TargetGroupARN string `json:"targetGroupArn"`
	} `json:"elb"`
}

// errNotUTF8 is a request line or header that JSON cannot carry.
var errNotUTF8 = errors.New("request line and headers must be UTF-8 to go to a function")

// newEvent makes the event of a request whose body is all here.
func newEvent(r *http.Request, payload []byte, group string, multi bool) ([]byte, error) {
	path, query := requestTarget(r)
	e := event{HTTPMethod: r.Method, Path: path}
	e.RequestContext.ELB.TargetGroupARN = targetGroupARN(group)
	q, h := queryFields(query, multi), headerFields(r, len(payload), multi)
	if multi {
		e.MultiQuery, e.MultiHeaders = q, h
	} else {
		e.Query, e.Headers = q, h
	}
	if !utf8.ValidString(path) || !q.valid() || !h.valid() {
		return nil, errNotUTF8
	}
	if textual(r.Header) && utf8.Valid(payload) || len(payload) == 0 {
		e.Body = string(payload)
	} else {
		e.Body, e.IsBase64 = base64.StdEncoding.EncodeToString(payload), true
	}
	return encode(e)
}

// healthEvent is the event of a health check, as the same page shows it.
func healthEvent(path, group string, multi bool) ([]byte, error) {
	path, query, _ := strings.Cut(path, "?")
	e := event{HTTPMethod: http.MethodGet, Path: path}
	e.RequestContext.ELB.TargetGroupARN = targetGroupARN(group)
	agent := newFields(multi)
	agent.add("user-agent", healthChecker)
	if multi {
		e.MultiQuery, e.MultiHeaders = queryFields(query, multi), agent
	} else {
		e.Query, e.Headers = queryFields(query, multi), agent
	}
	return encode(e)
}

func encode(e event) ([]byte, error) {
	var b bytes.Buffer
	j := json.NewEncoder(&b)
	j.SetEscapeHTML(false)
	if err := j.Encode(e); err != nil {
		return nil, fmt.Errorf("encoding the event: %w", err)
	}
	return b.Bytes(), nil
}

// textual says whether a body goes as text: it is not encoded and of one of the types
// that the load balancer takes for text.
func textual(h http.Header) bool {
	if h.Get("Content-Encoding") != "" {
		return false
	}
	media, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) {
		return false
	}
	switch media {
	case "application/json", "application/javascript", "application/xml":
		return true
	}
	return strings.HasPrefix(media, "text/")
}

// queryFields takes a query apart and leaves its names and values encoded as they are.
func queryFields(query string, multi bool) fields {
	f := newFields(multi)
	for parameter := range strings.SplitSeq(query, "&") {
		if name, value, _ := strings.Cut(parameter, "="); parameter != "" {
			f.add(name, value)
		}
	}
	return f
}

// headerFields gives the headers with names in lower case, host among them.
func headerFields(r *http.Request, length int, multi bool) fields {
	f := newFields(multi)
	h := r.Header.Clone()
	if r.Host != "" {
		h.Set("Host", r.Host)
	}
	if length > 0 {
		h.Set("Content-Length", fmt.Sprint(length)) // the body is whole, even if it came in chunks
	}
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, value := range h[name] {
			f.add(strings.ToLower(name), value)
		}
	}
	return f
}

// fields are names and values in the order of the names' first appearance.
type fields struct {
	names  []string
	values map[string][]string
	multi  bool
}

func newFields(multi bool) fields { return fields{values: map[string][]string{}, multi: multi} }

func (f *fields) add(name, value string) {
	if _, known := f.values[name]; !known {
		f.names = append(f.names, name)
	}
	f.values[name] = append(f.values[name], value)
}

func (f fields) valid() bool {
	for name, values := range f.values {
		if !utf8.ValidString(name) || slices.ContainsFunc(values, func(v string) bool { return !utf8.ValidString(v) }) {
			return false
		}
	}
	return true
}

// IsZero says that the event is of the other form.
func (f fields) IsZero() bool { return f.values == nil }

// MarshalJSON gives an object of lists or, in the form with one value for each name, of
// the last values.
func (f fields) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	j := json.NewEncoder(&b)
	j.SetEscapeHTML(false)
	b.WriteByte('{')
	for i, name := range f.names {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := j.Encode(name); err != nil {
			return nil, err
		}
		b.WriteByte(':')
		var value any = f.values[name]
		if !f.multi {
			value = f.values[name][len(f.values[name])-1]
		}
		if err := j.Encode(value); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// targetGroupARN gives a target group a name of the shape that AWS gives it, always
// the same for the same group.
func targetGroupARN(group string) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(group)) // never fails
	return fmt.Sprintf("arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/%s/%016x", group, h.Sum64())
}
