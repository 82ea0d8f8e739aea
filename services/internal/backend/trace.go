package backend

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"spillway.example/services/internal/telemetry"
)

// trace has every call of the SDK be a span of the trace that its context belongs to, and
// carry it on. OpenTelemetry's own instrumentation of the SDK is left alone: it puts the
// text of errors into spans, and Cognito and DynamoDB repeat in those what they were sent.
func trace(sdk *aws.Config, t *telemetry.Telemetry) {
	sdk.APIOptions = append(sdk.APIOptions, func(stack *middleware.Stack) error {
		return errors.Join(
			stack.Initialize.Add(spanOf(t), middleware.After),
			stack.Build.Add(carry, middleware.After),
		)
	})
}

// spanOf makes the span of a call, with all its tries.
func spanOf(t *telemetry.Telemetry) middleware.InitializeMiddleware {
	return middleware.InitializeMiddlewareFunc("SpillwaySpan", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (
		middleware.InitializeOutput, middleware.Metadata, error,
	) {
		ctx, call := t.StartCall(ctx, "aws-api", awsmiddleware.GetServiceID(ctx), awsmiddleware.GetOperationName(ctx))
		out, metadata, err := next.HandleInitialize(ctx, in)
		call.End(failure(err))
		return out, metadata, err
	})
}

// carry writes the trace's headers, before the request is signed.
var carry = middleware.BuildMiddlewareFunc("SpillwayTraceHeaders", func(ctx context.Context, in middleware.BuildInput, next middleware.BuildHandler) (
	middleware.BuildOutput, middleware.Metadata, error,
) {
	if req, ok := in.Request.(*smithyhttp.Request); ok {
		telemetry.Inject(ctx, req.Header)
	}
	return next.HandleBuild(ctx, in)
})

// failure gives the code of what a call failed with, "" for nothing.
func failure(err error) string {
	if err == nil {
		return ""
	}
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return "no_answer"
}
