package telemetry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

const (
	// emfInterval is how often a task writes its metrics: CloudWatch keeps them by the
	// minute, and an alarm should not wait for a whole one.
	emfInterval = 30 * time.Second
	// flushTime bounds how long an invocation goes on for a collector.
	flushTime = time.Second
	// shutdownTime bounds the last delivery of a process that ends; what is left of the
	// task's stop timeout or of Lambda's 500 ms may be less.
	shutdownTime = 2 * time.Second
)

// Config is what telemetry is started with.
type Config struct {
	Service     string
	Version     string
	Environment string // the name of the deployment, as metrics are broken down by it; may be empty without EMF
	EMF         bool   // write metrics to Out
	Lambda      bool   // the process is a function
	Out         io.Writer
	Logger      *slog.Logger
	Getenv      func(string) string // the standard OTEL_… variables, and Lambda's own
}

// SettingsError says what is wrong with OpenTelemetry's variables, a line for each.
type SettingsError struct{ Err error }

// Error names the variables, and no value of theirs.
func (e *SettingsError) Error() string { return e.Err.Error() }

// Telemetry records the requests of a process. Its methods are safe for concurrent use.
type Telemetry struct {
	log    *slog.Logger
	emf    *emf
	otlp   *meters
	traces *sdktrace.TracerProvider // nil where none are sent
	tracer trace.Tracer
	lambda bool

	cold        atomic.Bool // until the first request of a function's environment
	load        load
	invocations sync.Map // those under way, by id, each a *call
	stop        chan struct{}
	stopped     sync.WaitGroup
}

// New makes telemetry that is log lines alone: what a program has before, and tests.
func New(log *slog.Logger) *Telemetry {
	return &Telemetry{log: log, tracer: noop.NewTracerProvider().Tracer(scope), stop: make(chan struct{})}
}

// Start begins to record as the configuration says; a [SettingsError] where it is wrong.
func Start(c Config) (*Telemetry, error) {
	t := New(c.Logger)
	t.lambda = c.Lambda
	if c.Getenv == nil {
		c.Getenv = func(string) string { return "" }
	}
	// Of an environment that was started ahead of need no client waited for the start.
	t.cold.Store(c.Lambda && c.Getenv("AWS_LAMBDA_INITIALIZATION_TYPE") != "provisioned-concurrency")
	if err := t.startOTLP(c); err != nil {
		return nil, err
	}
	if c.EMF {
		t.emf = newEMF(c.Out, c.Environment, c.Service, c.Lambda)
		if !c.Lambda {
			t.stopped.Go(t.writeEMF)
		}
	}
	return t, nil
}

func (t *Telemetry) startOTLP(c Config) error {
	traces, err1 := otlpEndpointOf(c.Getenv, "traces")
	metrics, err2 := otlpEndpointOf(c.Getenv, "metrics")
	if err1 != nil && err2 != nil && err1.Error() == err2.Error() {
		err2 = nil // of the variable that both share
	}
	temporality, err3 := temporalitySelector(c.Getenv)
	if err := errors.Join(err1, err2, err3); err != nil {
		return &SettingsError{err}
	}
	if traces == nil && metrics == nil {
		return nil
	}
	r, err := describe(c)
	if err != nil {
		return err
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { c.Logger.Warn("OpenTelemetry", "err", err) }))
	if traces != nil {
		t.traces = newTracing(newSender("traces", *traces, c.Logger), r)
		t.tracer = t.traces.Tracer(scope)
	}
	if metrics != nil {
		t.otlp, err = newMeters(newSender("metrics", *metrics, c.Logger), r, temporality)
	}
	return err
}

// describe says what the process is (OpenTelemetry, "Resource semantic conventions");
// OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES come before what we know.
func describe(c Config) (*resource.Resource, error) {
	known := []attribute.KeyValue{
		attribute.String("service.namespace", "spillway"), attribute.String("service.name", c.Service),
		attribute.String("service.version", c.Version), attribute.String("service.instance.id", uuid.NewString()),
	}
	if c.Environment != "" {
		known = append(known, attribute.String("deployment.environment.name", c.Environment))
	}
	if name := c.Getenv("AWS_LAMBDA_FUNCTION_NAME"); c.Lambda && name != "" {
		known = append(known, attribute.String("cloud.provider", "aws"), attribute.String("cloud.platform", "aws_lambda"),
			attribute.String("faas.name", name), attribute.String("faas.version", c.Getenv("AWS_LAMBDA_FUNCTION_VERSION")))
	}
	r, err := resource.New(context.Background(), resource.WithAttributes(known...), resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil {
		return nil, &SettingsError{errors.New("OTEL_RESOURCE_ATTRIBUTES: must be name=value pairs with commas between them")}
	}
	return r, nil
}

// temporalitySelector is what OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE asks for.
func temporalitySelector(getenv func(string) string) (sdkmetric.TemporalitySelector, error) {
	const name = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"
	switch strings.ToLower(getenv(name)) {
	case "", "cumulative":
		return sdkmetric.DefaultTemporalitySelector, nil
	case "delta":
		return sdkmetric.DeltaTemporalitySelector, nil
	case "lowmemory":
		return sdkmetric.LowMemoryTemporalitySelector, nil
	}
	return nil, fmt.Errorf("%s: must be cumulative, delta or lowmemory", name)
}

// tracing gives the tracer; of nil telemetry one that traces nothing.
func (t *Telemetry) tracing() trace.Tracer {
	if t == nil {
		return noop.NewTracerProvider().Tracer(scope)
	}
	return t.tracer
}

// Count counts an event of the service itself, by a name from the program's text such as
// Drains: a metric of that name, and one point of spillway.events.
func (t *Telemetry) Count(ctx context.Context, event string) {
	if t != nil {
		t.emf.count(event)
		t.otlp.count(ctx, event)
	}
}

func (t *Telemetry) writeEMF() {
	ticker := time.NewTicker(emfInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			t.flushEMF()
		case <-t.stop:
			return
		}
	}
}

func (t *Telemetry) flushEMF() {
	if t.lambda { // one request at a time: what is at work says nothing
		t.emf.flush(nil)
		return
	}
	peak := t.load.peak()
	t.emf.flush(&peak)
}

// Flush delivers what a function's invocation left: after its answer, before the
// environment may be frozen or be no more.
func (t *Telemetry) Flush(ctx context.Context) {
	t.emf.flush(nil) // what was counted in the background
	if t.traces == nil && t.otlp == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, flushTime)
	defer cancel()
	// What cannot be delivered in time stays in the queue; the sender tells of failures.
	var both sync.WaitGroup
	if t.traces != nil {
		both.Go(func() { _ = t.traces.ForceFlush(ctx) })
	}
	if t.otlp != nil {
		both.Go(func() { _ = t.otlp.provider.ForceFlush(ctx) })
	}
	both.Wait()
}

// Shutdown counts the end of the process, once what was in flight is answered, and
// delivers what is left: a hook for frontdoor.Options.OnShutdown.
func (t *Telemetry) Shutdown(ctx context.Context) {
	close(t.stop)
	t.stopped.Wait()
	t.Count(ctx, "Drains")
	t.log.InfoContext(ctx, "drained", "in_flight", t.load.now.Load())
	t.flushEMF()
	ctx, cancel := context.WithTimeout(ctx, shutdownTime)
	defer cancel()
	var both sync.WaitGroup
	if t.traces != nil {
		both.Go(func() { _ = t.traces.Shutdown(ctx) })
	}
	if t.otlp != nil {
		both.Go(func() { _ = t.otlp.provider.Shutdown(ctx) })
	}
	both.Wait()
}
