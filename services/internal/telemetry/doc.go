// Package telemetry is what the services say of themselves: JSON lines on standard
// output, each with the ids of the request, trace and invocation that it belongs to;
// metrics in CloudWatch's embedded metric format; and OpenTelemetry traces and metrics
// over OTLP. docs/telemetry.md has the names and units.
//
// One middleware, [Telemetry.Handler], makes one record of each request, and the log
// line, the metrics and the span all come from that. What they are broken down by is
// from closed lists: operations, methods, statuses and doors. No path, query, header,
// body, user or client's address is in any of them.
package telemetry
