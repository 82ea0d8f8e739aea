package cognito

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"

	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// explicitPolicy writes out that a password policy requires no composition. The SDK
// leaves false members out; Cognito takes that for false, ministack for true.
func explicitPolicy(o *idp.Options) {
	o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
		return stack.Serialize.Add(middleware.SerializeMiddlewareFunc("explicitPolicy", func(
			ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler,
		) (out middleware.SerializeOutput, meta middleware.Metadata, err error) {
			req, ok := in.Request.(*smithyhttp.Request)
			if !ok {
				return out, meta, fmt.Errorf("unexpected request %T", in.Request)
			}
			if in.Request, err = withPolicy(req); err != nil {
				return out, meta, fmt.Errorf("writing out the password policy: %w", err)
			}
			return next.HandleSerialize(ctx, in)
		}), middleware.After)
	})
}

func withPolicy(req *smithyhttp.Request) (*smithyhttp.Request, error) {
	body, err := io.ReadAll(req.GetStream())
	if err != nil {
		return nil, err
	}
	var pool map[string]any
	if err := json.Unmarshal(body, &pool); err != nil {
		return nil, err
	}
	policies, _ := pool["Policies"].(map[string]any)
	policy, ok := policies["PasswordPolicy"].(map[string]any)
	if !ok {
		return nil, fmt.Errorf("the request has no password policy")
	}
	for _, name := range []string{"RequireLowercase", "RequireUppercase", "RequireNumbers", "RequireSymbols"} {
		policy[name] = false
	}
	if body, err = json.Marshal(pool); err != nil {
		return nil, err
	}
	return req.SetStream(bytes.NewReader(body))
}
