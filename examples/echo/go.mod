module spillway.example/examples/echo

go 1.26.0

replace spillway.example/frontdoor => ../../frontdoor

require spillway.example/frontdoor v0.0.0

require github.com/aws/aws-lambda-go v1.55.1 // indirect
