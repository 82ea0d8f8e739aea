package smoke_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"spillway.example/frontdoor"
	"spillway.example/services/local/awstest"
	"spillway.example/spillway/smoke"
)

// TestWalkByFunctions walks the services behind frontdoor's Lambda door.
func TestWalkByFunctions(t *testing.T) {
	t.Parallel()
	base := services(t)
	counted := func(n *atomic.Int64) smoke.Invoke {
		invoker := frontdoor.NewInvoker(httputil.NewSingleHostReverseProxy(base), frontdoor.Options{})
		return func(ctx context.Context, event []byte) ([]byte, error) {
			n.Add(1)
			return invoker.Invoke(ctx, event)
		}
	}
	var register, login atomic.Int64
	var out bytes.Buffer
	err := smoke.Walk{Base: "https://accounts.example.com", Out: &out, Client: &http.Client{
		Transport: smoke.Functions{Register: counted(&register), Login: counted(&login)},
	}}.Run(t.Context())
	if err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	if register.Load() != 3 || login.Load() < 8 {
		t.Errorf("register got %d events and login %d, want 3 and 8 or more", register.Load(), login.Load())
	}
}

// TestNamed asks a Lambda API for what a function says.
func TestNamed(t *testing.T) {
	t.Parallel()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		event, err := io.ReadAll(r.Body)
		switch {
		case err != nil:
			w.WriteHeader(http.StatusInternalServerError)
		case strings.Contains(r.URL.Path, "crashes"):
			w.Header().Set("X-Amz-Function-Error", "Unhandled")
			w.Header().Set("X-Amz-Executed-Version", "7")
			_, _ = io.WriteString(w, `{"errorMessage":"the password was hunter2","errorType":"exit"}`)
		case strings.Contains(r.URL.Path, "silent"):
		case strings.Contains(r.URL.Path, "absent"):
			w.Header().Set("X-Amzn-Errortype", "ResourceNotFoundException")
			w.WriteHeader(http.StatusNotFound)
		default:
			_, _ = w.Write(event)
		}
	}))
	t.Cleanup(api.Close)
	client := lambda.NewFromConfig(awstest.Config(api.URL))
	for name, want := range map[string]string{
		"crashes": "crashes failed (Unhandled, version 7): see its log",
		"silent":  "silent gave no answer",
		"absent":  "ResourceNotFoundException",
	} {
		_, err := smoke.Named(client, name)(t.Context(), []byte(`{}`))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got %v, want %q", name, err, want)
		}
	}
	got, err := smoke.Named(client, "echo:live")(t.Context(), []byte(`{"a":1}`))
	if err != nil || string(got) != `{"a":1}` {
		t.Errorf("got %s, %v", got, err)
	}

	var out bytes.Buffer
	err = smoke.Walk{Base: "https://accounts.example.com", Out: &out, Pause: time.Millisecond, Client: &http.Client{
		Transport: smoke.Functions{Register: smoke.Named(client, "crashes"), Login: smoke.Named(client, "crashes")},
	}}.Run(t.Context())
	if step, ok := errors.AsType[*smoke.StepError](err); !ok || step.Step != "register" || strings.Contains(err.Error()+out.String(), "hunter2") {
		t.Errorf("a walk by functions that crash: got %v", err)
	}
}
