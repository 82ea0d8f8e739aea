package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
)

// Client talks to a gateway's admin listener.
type Client struct {
	// Address is the admin listener's host and port.
	Address string
}

// Targets gives every target of every group.
func (c Client) Targets(ctx context.Context) (all []TargetStatus, err error) {
	err = c.call(ctx, http.MethodGet, "/targets", nil, &all)
	return all, err
}

// Register adds a target to its group and gives its status after the first health check.
func (c Client) Register(ctx context.Context, t TargetRef) (s TargetStatus, err error) {
	err = c.call(ctx, http.MethodPost, "/targets/register", t, &s)
	return s, err
}

// Deregister takes a target out of its group. It returns when nothing is in flight on
// the target any more, or when the group's deregistration delay is over.
func (c Client) Deregister(ctx context.Context, t TargetRef) (d Deregistered, err error) {
	err = c.call(ctx, http.MethodPost, "/targets/deregister", t, &d)
	return d, err
}

// Ready says whether the gateway can serve every rule.
func (c Client) Ready(ctx context.Context) (r Readiness, err error) {
	err = c.call(ctx, http.MethodGet, "/readyz", nil, &r)
	return r, err
}

func (c Client) call(ctx context.Context, method, path string, in, out any) error {
	var body bytes.Buffer
	if in != nil {
		if err := json.NewEncoder(&body).Encode(in); err != nil {
			return fmt.Errorf("encoding the request: %w", err)
		}
	}
	u := url.URL{Scheme: "http", Host: c.Address, Path: path}
	r, err := http.NewRequestWithContext(ctx, method, u.String(), &body)
	if err != nil {
		return fmt.Errorf("making the request: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return fmt.Errorf("asking the gateway: %w", err)
	}
	defer func() { _ = res.Body.Close() }() // what matters of it was read
	switch res.StatusCode {
	case http.StatusOK, http.StatusServiceUnavailable: // the latter is an answer of /readyz
		if err := json.NewDecoder(res.Body).Decode(out); err != nil {
			return fmt.Errorf("reading the gateway's answer: %w", err)
		}
		return nil
	}
	var e adminError
	if json.NewDecoder(res.Body).Decode(&e) != nil || e.Error == "" {
		return fmt.Errorf("the gateway answered %s", res.Status)
	}
	return errors.New(e.Error)
}
