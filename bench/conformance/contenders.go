package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"runtime/debug"
	"slices"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdaurl"
	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"

	"spillway.example/frontdoor"
	"spillway.example/frontdoor/frontdoortest"
)

// contender is an adapter under test, and the module it is of.
type contender struct {
	name, module string
	adapter      func(frontdoortest.Form) frontdoortest.Adapter // nil where it does not take the form
}

// streamingMode is the environment variable that has a process under test stream.
const streamingMode = "CONFORMANCE_STREAMING"

// contenders gives frontdoor, in each way that it can be run, and its peers. The stop
// function ends the processes among them.
func contenders() (all []contender, stop func(), err error) {
	var ends []func()
	stop = func() {
		for _, end := range slices.Backward(ends) {
			end()
		}
	}
	process := func(env ...string) frontdoortest.Invoke {
		api, end, startErr := start(env...)
		if startErr != nil {
			err = startErr
			return nil
		}
		ends = append(ends, end)
		return api.Invoke
	}
	whole, streams := process(), process(streamingMode+"=1")
	if err != nil {
		stop()
		return nil, nil, err
	}
	return []contender{
		{"frontdoor", "", func(frontdoortest.Form) frontdoortest.Adapter { return inProcess }},
		{"frontdoor, streaming", "", streaming(func(h http.Handler) frontdoortest.Invoke { return stream(frontdoor.NewInvoker(h, frontdoor.Options{})) }, frontdoortest.REST, frontdoortest.FunctionURL)},
		{"frontdoor, a process under a Runtime API", "", func(frontdoortest.Form) frontdoortest.Adapter {
			return func(http.Handler) frontdoortest.Invoke { return whole }
		}},
		{"frontdoor, such a process, streaming", "", streaming(func(http.Handler) frontdoortest.Invoke { return streams }, frontdoortest.REST, frontdoortest.FunctionURL)},
		{"aws-lambda-go-api-proxy", "github.com/awslabs/aws-lambda-go-api-proxy", apiProxy},
		{"lambdaurl", "github.com/aws/aws-lambda-go", streaming(func(h http.Handler) frontdoortest.Invoke { return lambda.NewHandler(lambdaurl.Wrap(h)).Invoke }, frontdoortest.FunctionURL)},
	}, stop, nil
}

func inProcess(h http.Handler) frontdoortest.Invoke {
	return frontdoor.NewInvoker(h, frontdoor.Options{DirectPath: frontdoortest.DirectPath}).Invoke
}

func stream(i *frontdoor.Invoker) frontdoortest.Invoke {
	return func(ctx context.Context, event []byte) ([]byte, error) {
		r, err := i.Stream(ctx, event)
		if err != nil {
			return nil, err
		}
		return io.ReadAll(r)
	}
}

// streaming is an adapter of some forms whose answers are streams: each is turned into
// the buffered form for the comparison.
func streaming(a frontdoortest.Adapter, forms ...frontdoortest.Form) func(frontdoortest.Form) frontdoortest.Adapter {
	return func(form frontdoortest.Form) frontdoortest.Adapter {
		if !slices.Contains(forms, form) {
			return nil
		}
		return func(h http.Handler) frontdoortest.Invoke {
			invoke := a(h)
			return func(ctx context.Context, event []byte) ([]byte, error) {
				out, err := invoke(ctx, event)
				if err != nil {
					return nil, err
				}
				return frontdoortest.Buffered(out)
			}
		}
	}
}

func apiProxy(form frontdoortest.Form) frontdoortest.Adapter {
	if form == frontdoortest.Direct {
		return nil
	}
	return func(h http.Handler) frontdoortest.Invoke {
		switch form {
		case frontdoortest.ALB, frontdoortest.ALBMulti:
			return lambda.NewHandler(httpadapter.NewALB(h).ProxyWithContext).Invoke
		case frontdoortest.REST:
			return lambda.NewHandler(httpadapter.New(h).ProxyWithContext).Invoke
		default:
			return lambda.NewHandler(httpadapter.NewV2(h).ProxyWithContext).Invoke
		}
	}
}

// start runs this program as a function under a Runtime API of its own.
func start(env ...string) (api *frontdoortest.RuntimeAPI, end func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	if api, err = frontdoortest.NewRuntimeAPI(time.Minute); err != nil {
		return nil, nil, err
	}
	cmd := exec.Command(self) //nolint:gosec,noctx // this program; it is ended below
	cmd.Env = append(api.Env(), env...)
	if err := cmd.Start(); err != nil {
		return nil, nil, fmt.Errorf("starting a process under test: %w", err)
	}
	return api, func() {
		_ = cmd.Process.Kill() // it keeps nothing
		_ = cmd.Wait()
		_ = api.Close()
	}, nil
}

// title is a contender's name and version.
func (c contender) title() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || c.module == "" {
		return c.name
	}
	for _, d := range info.Deps {
		if d.Path == c.module {
			return c.name + " " + d.Version
		}
	}
	return c.name
}
