package gateway

import "net/http"

// Event gives the event that a load balancer makes of a request for a function, with
// multi-value headers, as the target groups of deploy/ have them. The error is of a request
// that no event can carry.
func Event(r *http.Request, body []byte) ([]byte, error) { return newEvent(r, body, "fn", true) }

// Answer gives the response that a load balancer makes of a function's answer to [Event].
func Answer(r *http.Request, raw []byte) (*http.Response, error) { return parseAnswer(r, raw, true) }
