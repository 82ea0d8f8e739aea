package frontdoortest

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// Form is the form in which a door hands a request to a function.
type Form string

// The forms. What each does to a request was captured from AWS on 2026-07-10 (one
// request through the four doors; docs/doors.md) and is documented in "Lambda functions
// as targets" (Elastic Load Balancing), "Input format of a Lambda function for proxy
// integration" and "Working with AWS Lambda proxy integrations for HTTP APIs" (API
// Gateway), and "Invoking Lambda function URLs" (AWS Lambda).
const (
	ALB         Form = "alb"       // Application Load Balancer
	ALBMulti    Form = "alb-multi" // the same with multi-value headers
	REST        Form = "rest"      // API Gateway REST API, payload format 1.0
	HTTPAPI     Form = "httpapi"   // API Gateway HTTP API, payload format 2.0
	FunctionURL Form = "furl"
	Direct      Form = "direct" // an invocation by event, with no HTTP before it
)

// functionURLHost is the host of a Function URL, which has no other.
const functionURLHost = "2cxn22odiwguak4feg4jtt7cwm0ziblr.lambda-url.us-west-2.on.aws"

// Forms gives every form.
func Forms() []Form { return []Form{ALB, ALBMulti, REST, HTTPAPI, FunctionURL, Direct} }

// Event makes the event that a door would make of a request as it stands on the wire:
// method, request target, Host, headers and body. The client's address is 203.0.113.18. A
// direct invocation's event is the body.
func Event(form Form, method, target, host string, header http.Header, body []byte) ([]byte, error) {
	if form == Direct {
		return body, nil
	}
	path, query, _ := strings.Cut(target, "?")
	h := http.Header{"Host": {host}}
	maps.Copy(h, header)
	h.Set("X-Forwarded-For", "203.0.113.18")
	h.Set("X-Forwarded-Proto", "https")
	h.Set("X-Forwarded-Port", "443")
	e := map[string]any{}
	text := utf8.Valid(body) && header.Get("Content-Encoding") == ""
	e["isBase64Encoded"] = !text
	e["body"] = string(body)
	if !text {
		e["body"] = base64.StdEncoding.EncodeToString(body)
	}
	switch form {
	case ALB, ALBMulti:
		e["requestContext"] = map[string]any{"elb": map[string]any{
			"targetGroupArn": "arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/test/0123456789abcdef",
		}}
		e["httpMethod"], e["path"] = method, path
		if form == ALB {
			e["headers"], e["queryStringParameters"] = lastOf(lower(h)), lastOf(rawQuery(query))
		} else {
			e["multiValueHeaders"], e["multiValueQueryStringParameters"] = lower(h), rawQuery(query)
		}
	case REST:
		decoded, err := url.ParseQuery(query)
		if err != nil {
			return nil, fmt.Errorf("a REST API answers such a query itself: %w", err)
		}
		if len(body) == 0 {
			e["body"] = nil
		}
		e["resource"], e["httpMethod"], e["path"] = "/{proxy+}", method, path
		e["headers"], e["multiValueHeaders"] = lastOf(h), h
		e["queryStringParameters"], e["multiValueQueryStringParameters"] = lastOf(decoded), decoded
		e["requestContext"] = map[string]any{
			"httpMethod": method, "stage": "live", "path": "/live" + path, "domainName": host,
			"identity": map[string]any{"sourceIp": "203.0.113.18"},
		}
	case HTTPAPI, FunctionURL:
		decoded, err := url.PathUnescape(path)
		if err != nil {
			return nil, fmt.Errorf("an HTTP API answers such a path itself: %w", err)
		}
		raw, domain := decoded, host
		if form == FunctionURL {
			raw = path
			if !strings.Contains(host, ".lambda-url.") {
				domain = functionURLHost
			}
		}
		if len(body) == 0 {
			delete(e, "body")
		}
		if c := h.Values("Cookie"); len(c) > 0 {
			e["cookies"] = strings.Split(strings.Join(c, "; "), "; ")
			if form == HTTPAPI {
				h.Del("Cookie")
			}
		}
		joined := map[string]string{}
		for name, values := range lower(h) {
			joined[name] = strings.Join(values, ",")
		}
		e["version"], e["routeKey"], e["rawPath"], e["rawQueryString"], e["headers"] = "2.0", "$default", raw, query, joined
		e["requestContext"] = map[string]any{
			"domainName": domain, "stage": "$default",
			"http": map[string]any{"method": method, "path": raw, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.18"},
		}
	default:
		return nil, fmt.Errorf("unknown form %q", form)
	}
	return json.Marshal(e)
}

// rawQuery splits a query without decoding it.
func rawQuery(query string) map[string][]string {
	m := map[string][]string{}
	for p := range strings.SplitSeq(query, "&") {
		if p == "" {
			continue
		}
		name, value, _ := strings.Cut(p, "=")
		m[name] = append(m[name], value)
	}
	return m
}

func lower(h http.Header) map[string][]string {
	m := make(map[string][]string, len(h))
	for name, values := range h {
		if len(values) > 0 { // net/http sends no such field
			m[strings.ToLower(name)] = values
		}
	}
	return m
}

func lastOf[M ~map[string][]string](m M) map[string]string {
	last := make(map[string]string, len(m))
	for name, values := range m {
		last[name] = values[len(values)-1]
	}
	return last
}

// Response reads a function's answer as the door would hand it to the client.
func Response(form Form, out []byte) (*http.Response, error) {
	var a answer
	if err := json.Unmarshal(out, &a); err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	h, err := a.header(form)
	if err != nil {
		return nil, err
	}
	body := []byte(a.Body)
	if a.IsBase64Encoded {
		if body, err = base64.StdEncoding.DecodeString(a.Body); err != nil {
			return nil, fmt.Errorf("decoding the answer's body: %w", err)
		}
	}
	return &http.Response{
		StatusCode: a.StatusCode, Header: h, ContentLength: int64(len(body)),
		Body: io.NopCloser(strings.NewReader(string(body))),
	}, nil
}

// StreamedResponse reads an answer that streams as the door would hand it to the client: a
// prelude, eight zeros, and the body (AWS Lambda, "Response streaming for Lambda functions").
func StreamedResponse(form Form, stream io.Reader) (*http.Response, error) {
	in := bufio.NewReader(stream)
	var prelude []byte
	for !bytes.HasSuffix(prelude, make([]byte, 8)) {
		c, err := in.ReadByte()
		if err != nil {
			return nil, fmt.Errorf("the stream has no prelude but %q: %w", prelude, err)
		}
		prelude = append(prelude, c)
	}
	var a answer
	if err := json.Unmarshal(bytes.TrimRight(prelude, "\x00"), &a); err != nil {
		return nil, fmt.Errorf("reading the prelude %q: %w", prelude, err)
	}
	h, err := a.header(form)
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: a.StatusCode, Header: h, ContentLength: -1, Body: io.NopCloser(in)}, nil
}

// Buffered makes of a whole stream the answer that says the same: for what is read by
// [Response].
func Buffered(stream []byte) ([]byte, error) {
	prelude, body, ok := bytes.Cut(stream, make([]byte, 8))
	if !ok {
		return nil, fmt.Errorf("the stream has no prelude but %.200q", stream)
	}
	var a map[string]any
	if err := json.Unmarshal(prelude, &a); err != nil {
		return nil, fmt.Errorf("reading the prelude %q: %w", prelude, err)
	}
	a["body"], a["isBase64Encoded"] = body, true
	return json.Marshal(a)
}

// answer is a function's answer.
type answer struct {
	StatusCode        int                 `json:"statusCode"`
	Headers           map[string]string   `json:"headers"`
	MultiValueHeaders map[string][]string `json:"multiValueHeaders"`
	Cookies           []string            `json:"cookies"`
	Body              string              `json:"body"`
	IsBase64Encoded   bool                `json:"isBase64Encoded"`
}

// header gives the headers that a door takes of an answer.
func (a answer) header(form Form) (http.Header, error) {
	h := http.Header{}
	if form != ALBMulti {
		for _, name := range slices.Sorted(maps.Keys(a.Headers)) {
			h.Add(name, a.Headers[name])
		}
	}
	if form == ALBMulti || form == REST {
		for name := range a.MultiValueHeaders { // they win over single ones
			h.Del(name)
		}
		for _, name := range slices.Sorted(maps.Keys(a.MultiValueHeaders)) {
			for _, v := range a.MultiValueHeaders[name] {
				h.Add(name, v)
			}
		}
	}
	if form == HTTPAPI || form == FunctionURL {
		for _, c := range a.Cookies {
			h.Add("Set-Cookie", c)
		}
	}
	return h, checkHeader(h)
}

// checkHeader refuses what a door answers with its own 502, or would be led astray by.
func checkHeader(h http.Header) error {
	for name, values := range h {
		if name == "" || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r) }) {
			return fmt.Errorf("the answer has a header of the name %q", name)
		}
		if v := strings.Join(values, ""); strings.ContainsAny(v, "\r\n\x00") {
			return fmt.Errorf("the answer's header %s is %q", name, v)
		}
	}
	return nil
}
