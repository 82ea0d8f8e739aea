package telemetrytest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// Line is one line in embedded metric format.
type Line struct {
	Service, Operation, Environment string
	Dimensions                      [][]string
	Values                          map[string]Value
}

// Value is a metric's value: of one measurement, or of many.
type Value struct {
	Count int64 // of measurements
	Sum   float64
	Max   float64
}

// Lines finds the lines in embedded metric format among a program's output, and fails the
// test where one is not as CloudWatch wants it (Amazon CloudWatch User Guide, "Embedded
// metric format specification").
func Lines(t testing.TB, output string) (lines []Line) {
	t.Helper()
	for text := range strings.Lines(output) {
		if !strings.Contains(text, `"_aws"`) {
			continue
		}
		line, err := parse(text)
		if err != nil {
			t.Errorf("%v in %s", err, text)
			continue
		}
		lines = append(lines, line)
	}
	return lines
}

// Total adds up a metric over the lines of an operation, or, where operation is "", over
// all lines, as CloudWatch does for the service.
func Total(lines []Line, operation, metric string) (sum float64, count int64) {
	for _, l := range lines {
		if v, ok := l.Values[metric]; ok && (operation == "" || operation == l.Operation) {
			sum, count = sum+v.Sum, count+v.Count
		}
	}
	return sum, count
}

// The limits of the specification.
const (
	maxMetrics       = 100
	maxDimensions    = 30
	maxValues        = 100
	maxDimension     = 250
	maxDimensionText = 1024
	maxLine          = 256 << 10
)

var units = []string{"Seconds", "Microseconds", "Milliseconds", "Bytes", "Kilobytes", "Megabytes", "Percent", "Count", "Count/Second", "None"}

func parse(text string) (Line, error) {
	var document struct {
		AWS struct {
			Timestamp         *int64
			CloudWatchMetrics []struct {
				Namespace  string
				Dimensions [][]string
				Metrics    []struct {
					Name, Unit        string
					StorageResolution int
				}
			}
		} `json:"_aws"`
	}
	var root map[string]json.RawMessage
	l := Line{Values: map[string]Value{}}
	if len(text) > maxLine {
		return l, fmt.Errorf("%d bytes", len(text))
	}
	if err := json.Unmarshal([]byte(text), &root); err != nil {
		return l, err
	}
	inner := json.NewDecoder(bytes.NewReader(root["_aws"]))
	inner.DisallowUnknownFields() // the specification allows no other members
	if err := inner.Decode(&document.AWS); err != nil {
		return l, err
	}
	if ts := document.AWS.Timestamp; ts == nil || time.Since(time.UnixMilli(*ts)).Abs() > time.Hour {
		return l, fmt.Errorf("no time stamp of about now, in milliseconds")
	}
	if len(document.AWS.CloudWatchMetrics) != 1 {
		return l, fmt.Errorf("%d directives", len(document.AWS.CloudWatchMetrics))
	}
	d := document.AWS.CloudWatchMetrics[0]
	if d.Namespace != "Spillway" || len(d.Dimensions) == 0 || len(d.Metrics) == 0 || len(d.Metrics) > maxMetrics {
		return l, fmt.Errorf("namespace %q with %d sets of dimensions and %d metrics", d.Namespace, len(d.Dimensions), len(d.Metrics))
	}
	l.Dimensions = d.Dimensions
	for _, set := range d.Dimensions {
		if len(set) > maxDimensions {
			return l, fmt.Errorf("%d dimensions", len(set))
		}
		for _, name := range set {
			var v string
			if err := json.Unmarshal(root[name], &v); err != nil || v == "" || len(name) > maxDimension || len(v) > maxDimensionText {
				return l, fmt.Errorf("dimension %s is %q: %w", name, v, err)
			}
			switch name {
			case "Service":
				l.Service = v
			case "Environment":
				l.Environment = v
			case "Operation":
				l.Operation = v
			}
		}
	}
	for _, m := range d.Metrics {
		if m.Name == "" || !slices.Contains(units, m.Unit) {
			return l, fmt.Errorf("metric %q has the unit %q", m.Name, m.Unit)
		}
		v, err := value(root[m.Name])
		if err != nil {
			return l, fmt.Errorf("metric %s: %w", m.Name, err)
		}
		l.Values[m.Name] = v
	}
	return l, nil
}

// value reads a number, or the form for many that AWS's collectors write.
func value(raw json.RawMessage) (Value, error) {
	var n float64
	if json.Unmarshal(raw, &n) == nil {
		return Value{Count: 1, Sum: n, Max: n}, nil
	}
	var many struct {
		Values        []float64
		Counts        []int64
		Max, Min, Sum float64
		Count         int64
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&many); err != nil {
		return Value{}, err
	}
	if len(many.Values) == 0 || len(many.Values) > maxValues || len(many.Values) != len(many.Counts) {
		return Value{}, fmt.Errorf("%d values with %d counts", len(many.Values), len(many.Counts))
	}
	var count int64
	var sum float64
	for i, v := range many.Values {
		if many.Counts[i] <= 0 || v < many.Min-0.001 || v > many.Max+0.001 {
			return Value{}, fmt.Errorf("value %v, %d times, of %v to %v", v, many.Counts[i], many.Min, many.Max)
		}
		count += many.Counts[i]
		sum += v * float64(many.Counts[i])
	}
	if count != many.Count || sum < many.Sum*0.99-1 || sum > many.Sum*1.01+1 {
		return Value{}, fmt.Errorf("says %d and %v, and holds %d and %v", many.Count, many.Sum, count, sum)
	}
	return Value{Count: count, Sum: many.Sum, Max: many.Max}, nil
}
