package deploy_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"spillway.example/spillway/deploy"
	"spillway.example/spillway/deploy/awscloud"
	"spillway.example/spillway/deploy/deploytest"
)

// image makes up an image of a service.
func image(service, digit string) string {
	return deploytest.Account + ".dkr.ecr." + deploytest.Region + ".amazonaws.com/spillway-staging/" + service + "@sha256:" + strings.Repeat(digit, 64)
}

// world is an environment, and an AWS in memory.
type world struct {
	*deploytest.AWS
	said bytes.Buffer
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return &world{AWS: deploytest.Start(t)}
}

// deployment gives a deployment of testdata's environment.
func (w *world) deployment(t *testing.T, change func(*deploy.Deployment)) *deploy.Deployment {
	t.Helper()
	env, err := deploy.Load("testdata/stacks", "staging")
	if err != nil {
		t.Fatal(err)
	}
	d := &deploy.Deployment{
		Environment: env, Out: &deploy.Output{W: &w.said}, Images: map[string]string{},
		Cloud: awscloud.New(aws.Config{
			Region: deploytest.Region, BaseEndpoint: aws.String(w.URL),
			Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
			Retryer: func() aws.Retryer {
				return retry.NewStandard(func(o *retry.StandardOptions) {
					o.MaxAttempts, o.RateLimiter = 3, ratelimit.None
					o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return time.Millisecond, nil })
				})
			},
		}),
		Poll: time.Millisecond, Timeout: 10 * time.Minute,
	}
	if change != nil {
		change(d)
	}
	return d
}

// images has the deployment run images of a digit each, such as register=a.
func images(of ...string) func(*deploy.Deployment) {
	return func(d *deploy.Deployment) {
		for _, o := range of {
			service, digit, _ := strings.Cut(o, "=")
			d.Images[service] = image(service, digit)
		}
	}
}

// apply applies, which must go well.
func (w *world) apply(t *testing.T, of ...string) {
	t.Helper()
	if err := w.deployment(t, images(of...)).Apply(t.Context()); err != nil {
		t.Fatalf("applying: %v\n%s", err, w.said.String())
	}
}

// wants checks an error's code, and that it says all of these.
func (w *world) wants(t *testing.T, err error, code deploy.Code, says ...string) {
	t.Helper()
	v, ok := errors.AsType[*deploy.Verdict](err)
	if !ok && code != 0 || ok && v.Code != code || err == nil {
		t.Errorf("got %#v, want code %d\n%v\n%s", err, code, err, w.said.String())
		return
	}
	for _, s := range says {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("the error does not say %q:\n%v", s, err)
		}
	}
}

// says checks what was said so far, and forgets it.
func (w *world) says(t *testing.T, all ...string) {
	t.Helper()
	for _, s := range all {
		if !strings.Contains(w.said.String(), s) {
			t.Errorf("it does not say %q:\n%s", s, w.said.String())
		}
	}
	w.said.Reset()
}

// runs checks what image a service runs, by both doors.
func (w *world) runs(t *testing.T, service, digit string) {
	t.Helper()
	if got := w.Parameter("spillway-staging-"+service, "ImageUri"); got != image(service, digit) {
		t.Errorf("%s's stack has %s, want %s", service, got, digit)
	}
	c := w.deployment(t, nil).Cloud
	if got := w.Serves(service); got != image(service, digit) {
		t.Errorf("%s's tasks run %s, want %s", service, got, digit)
	}
	f, err := c.Workloads.Alias(context.WithoutCancel(t.Context()), "arn:aws:lambda:eu-west-1:123456789012:function:spillway-staging-"+service+":live")
	if err != nil || f.Image != image(service, digit) {
		t.Errorf("%s's function runs %s, %v; want %s", service, f.Image, err, digit)
	}
}
