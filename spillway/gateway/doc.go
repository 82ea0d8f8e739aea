// Package gateway is a local Application Load Balancer: one listener whose rules send
// requests, by weight, to target groups of HTTP servers or of Lambda functions, the
// latter being runtime interface emulators that are invoked with the load balancer's
// own event. What targets and clients see is what Elastic Load Balancing documents;
// each place names the page it follows.
//
// It differs from a real load balancer where local work needs it to:
//
//   - A request that cannot have run (no connection, an emulator without an idle
//     runtime) goes to another target, of another group of the rule if need be. A real
//     one neither repeats requests nor leaves a group.
//   - With no healthy target it answers 503 at once, where a real one would try the
//     unhealthy ones.
//   - A Lambda target group has as many targets as there are emulators, and never
//     more calls in flight on one than it can take; Lambda itself scales.
//   - [Client.Deregister] answers once the target is drained.
package gateway
