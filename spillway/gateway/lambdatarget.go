package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

const (
	// invokePath is where an emulator takes invocations.
	invokePath = "/2015-03-31/functions/function/invocations"
	// maxInvocation is the longest that a function may run.
	maxInvocation = 15 * time.Minute
)

// lambdaTarget is a function, under a runtime interface emulator.
type lambdaTarget struct {
	url       string
	group     string
	cfg       TargetGroup
	transport *http.Transport
}

func newLambdaTarget(base, group string, cfg TargetGroup) *lambdaTarget {
	return &lambdaTarget{strings.TrimRight(base, "/") + invokePath, group, cfg, newTransport()}
}

func (t *lambdaTarget) send(r *http.Request, b *body, done func()) (*http.Response, *failure) {
	event, f := t.event(r, b)
	if f != nil {
		done()
		return nil, f
	}
	return t.run(r, event, done)
}

// run has the function handle one event and gives its answer to r, until r's context
// is done. An emulator goes on with an invocation whose caller has gone, and takes no
// other meanwhile, so neither the call nor its slot ends before it does.
func (t *lambdaTarget) run(r *http.Request, event []byte, done func()) (*http.Response, *failure) {
	type outcome struct {
		answer []byte
		f      *failure
	}
	result := make(chan outcome, 1)
	ctx, cancel := context.WithTimeout(context.Background(), maxInvocation)
	go func() {
		defer cancel()
		answer, f := t.invoke(ctx, event)
		done()
		result <- outcome{answer, f}
	}()
	select {
	case o := <-result:
		if o.f != nil {
			return nil, o.f
		}
		res, err := parseAnswer(r, o.answer, t.cfg.MultiValueHeaders)
		if err != nil {
			return nil, failed(final, http.StatusBadGateway, err)
		}
		return res, nil
	case <-r.Context().Done():
		return nil, failed(final, http.StatusGatewayTimeout, context.Cause(r.Context()))
	}
}

func (t *lambdaTarget) event(r *http.Request, b *body) ([]byte, *failure) {
	if r.Header.Get("Upgrade") != "" {
		return nil, failed(final, http.StatusBadRequest, errUpgrade)
	}
	if b.rest != nil {
		return nil, failed(final, http.StatusRequestEntityTooLarge, errTooLarge)
	}
	event, err := newEvent(r, b.start, t.group, t.cfg.MultiValueHeaders)
	if err != nil {
		return nil, failed(final, http.StatusBadRequest, err)
	}
	return event, nil
}

// invoke has the function handle one event and gives its answer as it came.
func (t *lambdaTarget) invoke(ctx context.Context, event []byte) ([]byte, *failure) {
	var sent sending
	r, err := http.NewRequestWithContext(sent.trace(ctx), http.MethodPost, t.url, bytes.NewReader(event)) //nolint:gosec // the address is the operator's
	if err != nil {
		return nil, failed(final, http.StatusBadGateway, err)
	}
	r.Header.Set("Content-Type", "application/json")
	res, err := t.transport.RoundTrip(r)
	if err != nil {
		return nil, sent.failure(ctx, err)
	}
	defer func() { _ = res.Body.Close() }() // what matters of it was read
	// One byte more than is allowed shows that it is too much.
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return nil, sent.failure(ctx, err)
	}
	if f := refusal(res, raw); f != nil {
		return nil, f
	}
	return raw, nil
}

// refusal reads what an emulator says when it has no answer of the function's to give.
func refusal(res *http.Response, raw []byte) *failure {
	if res.StatusCode == http.StatusOK && len(raw) > 0 {
		return nil
	}
	var e struct {
		ErrorType string `json:"errorType"`
	}
	_ = json.Unmarshal(raw, &e) // what is no JSON has no type
	switch {
	case e.ErrorType == "Runtime.Unavailable": // no runtime was idle, so none has run it
		return failed(busy, http.StatusServiceUnavailable, errors.New("the emulator has no idle runtime"))
	case e.ErrorType == "Client.ExecutionEnvironmentShutDown":
		return failed(unknown, http.StatusBadGateway, errors.New("the emulator was shut down while it ran the function"))
	case res.StatusCode == http.StatusOK:
		return failed(unknown, http.StatusBadGateway, errors.New("the emulator gave an empty reply"))
	}
	return failed(final, http.StatusBadGateway, fmt.Errorf("the emulator answered %d %s", res.StatusCode, e.ErrorType))
}

func (t *lambdaTarget) check(ctx context.Context, done func()) *failure {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, t.cfg.HealthCheck.Path, nil)
	if err != nil {
		done()
		return failed(final, 0, err)
	}
	event, err := healthEvent(t.cfg.HealthCheck.Path, t.group, t.cfg.MultiValueHeaders)
	if err != nil {
		done()
		return failed(final, 0, err)
	}
	res, f := t.run(r, event, done)
	if f != nil {
		return f
	}
	defer func() { _ = res.Body.Close() }() // it is in memory
	return checkStatus(res.StatusCode)
}

func (t *lambdaTarget) drop() { t.transport.CloseIdleConnections() }
