package gateway

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
)

// maxAnswer is the largest answer that a function may give, as JSON.
const maxAnswer = 1 << 20

// answer is what a function gives an Application Load Balancer (Elastic Load Balancing,
// "Use Lambda functions as targets").
type answer struct {
	StatusCode   *int                `json:"statusCode"`
	Headers      map[string]string   `json:"headers"`
	MultiHeaders map[string][]string `json:"multiValueHeaders"`
	Body         string              `json:"body"`
	IsBase64     bool                `json:"isBase64Encoded"`
}

var errAnswerTooLarge = errors.New("the function's answer is over 1 MB")

// parseAnswer makes the response of a function's answer. A target group with
// multi-value headers takes multiValueHeaders alone, any other headers alone.
func parseAnswer(r *http.Request, raw []byte, multi bool) (*http.Response, error) {
	if len(raw) > maxAnswer {
		return nil, errAnswerTooLarge
	}
	var a answer
	if err := json.Unmarshal(raw, &a); err != nil {
		return nil, fmt.Errorf("reading the function's answer: %w", err)
	}
	switch {
	case a.StatusCode == nil:
		return nil, errors.New("the function's answer has no statusCode")
	case *a.StatusCode < 200 || *a.StatusCode > 599:
		return nil, fmt.Errorf("the function's answer has the statusCode %d", *a.StatusCode)
	}
	payload := []byte(a.Body)
	if a.IsBase64 {
		var err error
		if payload, err = base64.StdEncoding.DecodeString(a.Body); err != nil {
			return nil, fmt.Errorf("decoding the function's answer: %w", err)
		}
	}
	h := a.header(multi)
	if r.Method != http.MethodHead {
		h.Set("Content-Length", strconv.Itoa(len(payload)))
		if len(payload) > 0 && h.Get("Content-Type") == "" {
			h.Set("Content-Type", "application/octet-stream")
		}
	}
	if !bodyAllowed(*a.StatusCode) {
		h.Del("Content-Length")
		payload = nil
	}
	return &http.Response{
		StatusCode: *a.StatusCode, Status: strconv.Itoa(*a.StatusCode) + " " + http.StatusText(*a.StatusCode),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: h, Body: io.NopCloser(bytes.NewReader(payload)), ContentLength: int64(len(payload)), Request: r,
	}, nil
}

// header gives the headers in an order of names that is always the same, so that
// cookies under names that differ in case are, too.
func (a answer) header(multi bool) http.Header {
	h := http.Header{}
	if multi {
		for _, name := range slices.Sorted(maps.Keys(a.MultiHeaders)) {
			for _, v := range a.MultiHeaders[name] {
				h.Add(name, v)
			}
		}
		return h
	}
	for _, name := range slices.Sorted(maps.Keys(a.Headers)) {
		h.Add(name, a.Headers[name])
	}
	return h
}

// bodyAllowed says whether an answer of that status may have a body (RFC 9110 section
// 6.4.1).
func bodyAllowed(status int) bool {
	return status != http.StatusNoContent && status != http.StatusNotModified
}
