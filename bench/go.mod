module spillway.example/bench

go 1.26.0

replace spillway.example/frontdoor => ../frontdoor

require (
	github.com/aws/aws-lambda-go v1.55.1
	github.com/awslabs/aws-lambda-go-api-proxy v0.16.2
	spillway.example/frontdoor v0.0.0
)
