// Package accounttest holds the behaviour that every adapter of package account's
// ports must show, as suites that each adapter's tests run: [RunDirectory],
// [RunStore], [RunDenials], [RunCounters], [RunRecords], [RunSaga] and [RunLife]. [Memory],
// with [Counters] and [Records], is a working adapter of all ports, and the first to pass
// them.
package accounttest
