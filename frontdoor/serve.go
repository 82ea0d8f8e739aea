package frontdoor

import (
	"context"
	"net/http"
	"os"
	"os/signal"
	"syscall"
)

// RuntimeAPI is the environment variable whose presence says that the process is a
// Lambda function (AWS Lambda, "Defined runtime environment variables"). Nothing else
// decides the mode.
const RuntimeAPI = "AWS_LAMBDA_RUNTIME_API"

// IsLambda says whether an environment, read through getenv, is a Lambda function's.
func IsLambda(getenv func(string) string) bool { return getenv(RuntimeAPI) != "" }

// Serve runs h until ctx is done or the process gets SIGTERM or SIGINT: as a Lambda
// function where the environment is one's, else on HTTP listeners. It gives nil after
// a clean end. A second signal ends the process at once.
func Serve(ctx context.Context, h http.Handler, o Options) error {
	o = o.withDefaults()
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	context.AfterFunc(ctx, stop) // from the first signal on, the next has its default effect
	if IsLambda(os.Getenv) {     //nolint:forbidigo // aws-lambda-go reads the same variable, from the same place
		return serveLambda(ctx, h, o)
	}
	return serveHTTP(ctx, h, o)
}
