// Command telemetry measures what it costs a service to tell of itself: one request, over
// HTTP, to copies of login that differ in their settings alone, in turns, in one run. It
// ends in ratios, which are what counts: absolute times are the machine's.
//
//	go run ./bench/telemetry
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"

	"spillway.example/bench/started"
)

// rounds is how often each copy gets its turn, and turn how many requests that is.
const rounds, turn = 25, 400

// service is one copy.
type service struct {
	name string
	env  []string

	started *started.Service
	times   []float64 // of a request, in µs: the median of each turn
	cpu     float64   // of a request, in µs, over the whole run
}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "telemetry bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) (err error) {
	dir, err := os.MkdirTemp("", "telemetry-bench")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	file := filepath.Join(dir, "login")
	if err := started.Build(ctx, file, "./services/login/cmd/login"); err != nil {
		return err
	}
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // it is the sender that is measured
	}))
	defer collector.Close()
	emf := []string{"METRICS=emf", "ENVIRONMENT=bench"}
	otlp := "OTEL_EXPORTER_OTLP_ENDPOINT=" + collector.URL
	services := []*service{
		{name: "METRICS=off"},
		{name: "METRICS=off, again"}, // what a ratio is worth
		{name: "METRICS=emf", env: emf},
		{name: "METRICS=emf, OTLP of one trace in a hundred", env: append(slices.Clone(emf), otlp, "OTEL_TRACES_SAMPLER=traceidratio", "OTEL_TRACES_SAMPLER_ARG=0.01")},
		{name: "METRICS=emf, OTLP of every trace", env: append(slices.Clone(emf), otlp)},
	}
	for i, s := range services {
		settings := append([]string{"STORE=embedded", "DATA_DIR=" + filepath.Join(dir, fmt.Sprint(i)), "DRAIN_TIMEOUT=1s"}, s.env...)
		if s.started, err = started.Start(ctx, settings, file); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	for r := range rounds + 1 {
		for _, s := range services {
			t, err := s.turn(ctx)
			if err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			if r > 0 { // the first warms up
				s.times = append(s.times, t)
			}
		}
	}
	tw := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "login's GET /me without a token\tµs\tratio\tCPU µs\tratio")
	for _, s := range services {
		if err := s.stop(); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		fmt.Fprintf(tw, "%s\t%.0f\t%.3f\t%.0f\t%.3f\n", s.name, s.median(), s.median()/services[0].median(), s.cpu, s.cpu/services[0].cpu)
	}
	return tw.Flush()
}

// turn sends the requests of a turn and gives the median of their times, in µs.
func (s *service) turn(ctx context.Context) (float64, error) {
	times := make([]float64, turn)
	for i := range times {
		t, err := s.ask(ctx)
		if err != nil {
			return 0, err
		}
		times[i] = float64(t.Nanoseconds()) / 1000
	}
	slices.Sort(times)
	return times[turn/2], nil
}

// ask asks who is signed in, with no token: an answer that no directory is asked for, and
// so the dearest place to tell of it.
func (s *service) ask(ctx context.Context) (time.Duration, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.started.Addr+"/me", nil)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, res.Body)
	took := time.Since(began)
	if err := errors.Join(err, res.Body.Close()); err != nil || res.StatusCode != http.StatusUnauthorized {
		return 0, fmt.Errorf("status %d, %w", res.StatusCode, err)
	}
	return took, nil
}

// stop ends a copy and takes its bill.
func (s *service) stop() error {
	err := s.started.Stop()
	s.cpu = float64(s.started.CPU().Microseconds()) / ((rounds + 1) * turn)
	return err
}

func (s *service) median() float64 {
	slices.Sort(s.times)
	return s.times[len(s.times)/2]
}
