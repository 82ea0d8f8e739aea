// Package frontdoortest helps to test programs that run as Lambda functions, on frontdoor
// or on another adapter.
//
//   - [Event] makes the event that a door makes of a request, and [Response] reads the
//     answer as the door does. [Recorded] gives whole events in the doors' own shapes.
//   - [RuntimeAPI] is Lambda's Runtime API on a loopback port, for a real binary to poll;
//     [Binary] builds one, and [Start] runs it.
//   - [Check] and [CheckAnswer] hold an adapter to the conformance table, [Requests] and
//     [Answers]: what passes through a door must come out as it does over net/http.
package frontdoortest
