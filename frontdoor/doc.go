// Package frontdoor runs one http.Handler behind whatever door the request comes
// through: as an AWS Lambda function (Application Load Balancer, API Gateway REST and
// HTTP APIs, Function URL, direct invocation) or as a plain HTTP service. The handler
// sees what net/http would show it and cannot tell the doors apart unless it asks
// [DoorOf].
//
//	func main() {
//		if err := frontdoor.Serve(context.Background(), handler, frontdoor.Options{}); err != nil {
//			log.Fatal(err)
//		}
//	}
package frontdoor
