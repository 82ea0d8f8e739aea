// Package awssdk makes up for what the AWS SDK itself gets wrong.
package awssdk

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// PlainBodies has the SDK give net/http each request's body as an [io.Reader] that is no
// [io.WriterTo]. Otherwise the body's WriteTo fails with io.EOF once the SDK has closed it,
// which it does as soon as an answer begins. After the body net/http looks whether there is
// more of it than was announced. Where the answer is faster than that, it takes the io.EOF
// for a failed write and closes the connection under the answer: "use of closed network
// connection". AWS has done what it was asked, and is asked again.
//
// See https://github.com/aws/aws-sdk-go-v2/issues/2737. Once more for the same
// configuration changes nothing.
func PlainBodies(sdk *aws.Config) {
	sdk.APIOptions = append(slices.Clip(sdk.APIOptions), func(stack *middleware.Stack) error { // copies of it may share them
		if _, ok := stack.Build.Get(plain.ID()); ok {
			return nil
		}
		return stack.Build.Add(plain, middleware.After)
	})
}

// plain hides every method of a body but Read and Seek: signing and further tries go back
// to its beginning.
var plain = middleware.BuildMiddlewareFunc("SpillwayPlainBodies", func(ctx context.Context, in middleware.BuildInput, next middleware.BuildHandler) (
	out middleware.BuildOutput, metadata middleware.Metadata, err error,
) {
	req, ok := in.Request.(*smithyhttp.Request)
	if !ok {
		return next.HandleBuild(ctx, in)
	}
	if body, ok := req.GetStream().(io.ReadSeeker); ok {
		if in.Request, err = req.SetStream(struct{ io.ReadSeeker }{body}); err != nil {
			return out, metadata, fmt.Errorf("reading a request's body: %w", err)
		}
	}
	return next.HandleBuild(ctx, in)
})
