package smoke

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"spillway.example/spillway/gateway"
)

// Invoke has a function handle an event and gives its answer.
type Invoke func(ctx context.Context, event []byte) ([]byte, error)

// Functions takes a walk to the services' functions, whatever share of the load balancer's
// requests they get: as a transport it makes of each request the event that the load
// balancer would make, and has the function of the service it is for invoked with that.
type Functions struct{ Register, Login Invoke }

// RoundTrip implements [http.RoundTripper].
func (f Functions) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		defer r.Body.Close()
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	invoke := f.Login
	if strings.HasPrefix(r.URL.Path, "/register") || strings.HasPrefix(r.URL.Path, "/account") {
		invoke = f.Register
	}
	r = r.Clone(r.Context())
	r.Host = r.URL.Host
	r.RequestURI = r.URL.RequestURI()
	for name, value := range map[string]string{
		"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https", "X-Forwarded-Port": "443", // RFC 5737: nobody's address
	} {
		r.Header.Set(name, value)
	}
	event, err := gateway.Event(r, body)
	if err != nil {
		return nil, err
	}
	answer, err := invoke(r.Context(), event)
	if err != nil {
		return nil, err
	}
	return gateway.Answer(r, answer)
}

// Named invokes a function of AWS Lambda by name, such as spillway-staging-login:live.
func Named(client *lambda.Client, name string) Invoke {
	return func(ctx context.Context, event []byte) ([]byte, error) {
		out, err := client.Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String(name), Payload: event})
		switch {
		case err != nil:
			return nil, fmt.Errorf("invoking %s: %w", name, err)
		case out.FunctionError != nil:
			// What it says may be anything; its log has it.
			return nil, fmt.Errorf("%s failed (%s, version %s): see its log", name, *out.FunctionError, aws.ToString(out.ExecutedVersion))
		case len(out.Payload) == 0:
			return nil, errors.New(name + " gave no answer")
		}
		return out.Payload, nil
	}
}
