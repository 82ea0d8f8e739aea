package program

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"spillway.example/services/internal/settings"
)

// emulatorURL is where the runtime interface emulator of Lambda's base images takes
// invocations, inside the container.
const emulatorURL = "http://127.0.0.1:8080/2015-03-31/functions/function/invocations"

// healthEvent is an Application Load Balancer's health check of a function (Elastic
// Load Balancing, "Lambda functions as targets"), for a path that asks neither the
// directory nor the table.
const healthEvent = `{"requestContext":{"elb":{"targetGroupArn":"arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/healthcheck/0123456789abcdef"}},` +
	`"httpMethod":"GET","path":"/healthz","queryStringParameters":{},"headers":{"user-agent":"ELB-HealthChecker/2.0"},"body":"","isBase64Encoded":false}`

// healthcheck asks a running copy of the program how it is: containers have no curl.
func (p Program) healthcheck(ctx context.Context, args, environ []string, stderr io.Writer) int {
	flags := flag.NewFlagSet("healthcheck", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	lambda := flags.Bool("lambda", false, "")
	if err := flags.Parse(args); err != nil || flags.NArg() > 0 {
		return p.fail(stderr, exitUsage, fmt.Errorf("usage: %s healthcheck [-lambda]", p.Service))
	}
	ctx, cancel := context.WithTimeout(ctx, 4*time.Second)
	defer cancel()
	check := func() error { return askFunction(ctx) }
	if !*lambda {
		// What else is wrong with the settings is the server's to say.
		s, _ := settings.Parse(p.Service, environ)
		check = func() error { return askListener(ctx, s) }
	}
	if err := check(); err != nil {
		return p.fail(stderr, exitFailed, err)
	}
	return exitOK
}

func askListener(ctx context.Context, s settings.Settings) error {
	if s.ListenHost == "" {
		s.ListenHost = "127.0.0.1"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.Address()+"/readyz", nil)
	if err != nil {
		return err
	}
	status, _, err := do(req)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("/readyz says %d", status)
	}
	return err
}

func askFunction(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, emulatorURL, strings.NewReader(healthEvent))
	if err != nil {
		return err
	}
	_, body, err := do(req)
	if err != nil {
		return err
	}
	var answer struct {
		StatusCode int    `json:"statusCode"`
		ErrorType  string `json:"errorType"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return fmt.Errorf("the emulator's answer: %w", err)
	}
	switch {
	case answer.ErrorType == "Runtime.Unavailable":
		return nil // every runtime is at work, which is health enough
	case answer.StatusCode != http.StatusOK:
		return fmt.Errorf("/healthz says %d %s", answer.StatusCode, answer.ErrorType)
	}
	return nil
}

func do(req *http.Request) (status int, body []byte, err error) {
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	body, err = io.ReadAll(io.LimitReader(res.Body, 64<<10))
	return res.StatusCode, body, errors.Join(err, res.Body.Close())
}
