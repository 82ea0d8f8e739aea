module spillway.example/frontdoor

go 1.26.0

require github.com/aws/aws-lambda-go v1.55.1

require pgregory.net/rapid v1.3.0
