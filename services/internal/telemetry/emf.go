package telemetry

import (
	"encoding/json"
	"io"
	"maps"
	"slices"
	"sync"
	"time"
)

// emfNamespace is the CloudWatch namespace of the metrics.
const emfNamespace = "Spillway"

// The metrics, their units and what they are broken down by are a contract with the
// alarms and the dashboard of deploy/.
var (
	byService   = []string{"Environment", "Service"}
	byOperation = []string{"Environment", "Service", "Operation"}
	units       = map[string]string{
		"Requests": "Count", "Errors": "Count", "Latency": "Milliseconds",
		"ColdStarts": "Count", "Drains": "Count", "InFlight": "Count",
	}
)

// emf writes metrics as log lines from which CloudWatch makes them (Amazon CloudWatch
// User Guide, "Embedded metric format specification"). A function writes a line at each
// invocation, since it may be frozen right after; a task adds up and writes a line for
// each operation at each interval. A nil *emf writes nothing.
type emf struct {
	out                  io.Writer
	environment, service string
	each                 bool // a function: a line at each invocation
	now                  func() time.Time

	mu         sync.Mutex
	operations map[string]*tally // their names are from a closed list
	events     map[string]int64
}

// tally is what is known of an operation since the last line.
type tally struct {
	requests, errors int64
	latency          histogram
}

func newEMF(out io.Writer, environment, service string, each bool) *emf {
	return &emf{
		out: out, environment: environment, service: service, each: each, now: time.Now,
		operations: map[string]*tally{}, events: map[string]int64{},
	}
}

// record takes a request.
func (e *emf) record(r Request) {
	if e == nil {
		return
	}
	if r.ColdStart {
		e.count("ColdStarts")
	}
	if r.Probe {
		return
	}
	e.mu.Lock()
	t, ok := e.operations[r.Operation]
	if !ok {
		t = &tally{}
		e.operations[r.Operation] = t
	}
	t.requests++
	if r.Failed() {
		t.errors++
	}
	t.latency.add(milliseconds(r.Duration))
	e.mu.Unlock()
	if e.each {
		e.flush(nil)
	}
}

// count takes an event of the service itself.
func (e *emf) count(event string) {
	if e == nil {
		return
	}
	e.mu.Lock()
	e.events[event]++
	e.mu.Unlock()
}

// flush writes what there is: a line for each operation that was asked for, and one for
// the service. peak, if there is one, is the most requests that were at work at once.
func (e *emf) flush(peak *int64) {
	if e == nil {
		return
	}
	e.mu.Lock()
	operations, events := e.operations, e.events
	e.operations, e.events = map[string]*tally{}, map[string]int64{}
	e.mu.Unlock()

	for _, name := range slices.Sorted(maps.Keys(operations)) {
		t := operations[name]
		e.write(name, [][]string{byService, byOperation}, map[string]any{
			"Requests": t.requests, "Errors": t.errors, "Latency": t.latency.value(),
		})
	}
	service := map[string]any{}
	for name, n := range events {
		service[name] = n
	}
	if peak != nil {
		service["InFlight"] = *peak
	}
	if len(service) > 0 {
		e.write("", [][]string{byService}, service)
	}
}

type emfMetadata struct {
	Timestamp         int64          // in milliseconds
	CloudWatchMetrics []emfDirective //nolint:tagliatelle // as the format names it
}

type emfDirective struct {
	Namespace  string
	Dimensions [][]string
	Metrics    []emfMetric
}

type emfMetric struct{ Name, Unit string }

// write writes one line, in one call.
func (e *emf) write(operation string, dimensions [][]string, values map[string]any) {
	d := emfDirective{Namespace: emfNamespace, Dimensions: dimensions}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		unit, ok := units[name]
		if !ok {
			unit = "Count" // an event
		}
		d.Metrics = append(d.Metrics, emfMetric{name, unit})
	}
	values["_aws"] = emfMetadata{e.now().UnixMilli(), []emfDirective{d}}
	values["Environment"], values["Service"] = e.environment, e.service
	if operation != "" {
		values["Operation"] = operation
	}
	line, err := json.Marshal(values)
	if err != nil {
		panic(err) // strings and finite numbers
	}
	_, _ = e.out.Write(append(line, '\n')) // where logs cannot be written nobody can be told
}
