// Command apiproxy serves the sign-in by aws-lambda-go-api-proxy.
package main

import (
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"

	"spillway.example/bench/signin"
)

func main() { lambda.Start(httpadapter.NewV2(signin.Handler).ProxyWithContext) }
