package telemetry

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"
)

// restAfterFailure is how long nothing is sent after a failure: a collector that is away
// costs one request in that time, which matters where an invocation waits for it.
const restAfterFailure = 30 * time.Second

// sender sends one signal to a collector (OpenTelemetry Protocol 1.10, "OTLP/HTTP"). It
// is our own because OpenTelemetry's brings all of gRPC and a gateway for it, which a
// function would load at every cold start: docs/telemetry.md has the figures.
//
// What cannot be delivered is lost: the service goes on, and the log has one line when it
// begins and one when it is over.
type sender struct {
	signal   string
	endpoint otlpEndpoint
	client   *http.Client
	log      *slog.Logger

	mu    sync.Mutex
	until time.Time // when to try again
	lost  int       // batches, since deliveries began to fail
}

func newSender(signal string, e otlpEndpoint, log *slog.Logger) *sender {
	return &sender{signal: signal, endpoint: e, log: log, client: &http.Client{
		Timeout: e.timeout,
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, TLSClientConfig: e.tls, ForceAttemptHTTP2: true,
			MaxIdleConnsPerHost: 2, IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: 5 * time.Second,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // keys go where they were meant to
	}}
}

// send sends a batch, once. It gives no error: what went wrong is told here.
func (s *sender) send(ctx context.Context, batch proto.Message) {
	s.mu.Lock()
	resting := time.Now().Before(s.until)
	if resting {
		s.lost++
	}
	s.mu.Unlock()
	if resting {
		return
	}
	err := s.post(ctx, batch)

	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err != nil:
		s.until = time.Now().Add(restAfterFailure)
		if s.lost++; s.lost == 1 {
			s.log.Warn("telemetry is not delivered; the service goes on without", "signal", s.signal, "err", err)
		}
	case s.lost > 0:
		s.log.Info("telemetry is delivered again", "signal", s.signal, "lost_batches", s.lost)
		s.lost = 0
	}
}

func (s *sender) post(ctx context.Context, batch proto.Message) error {
	body, err := proto.Marshal(batch)
	if err != nil {
		return err
	}
	if s.endpoint.gzip {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, err := z.Write(body)
		if err := errors.Join(err, z.Close()); err != nil {
			return err
		}
		body = b.Bytes()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.endpoint.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header = s.endpoint.headers.Clone()
	req.Header.Set("Content-Type", "application/x-protobuf")
	req.Header.Set("User-Agent", "OTel-OTLP-Exporter-Spillway")
	if s.endpoint.gzip {
		req.Header.Set("Content-Encoding", "gzip")
	}
	res, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(res.Body, 512)) // it only explains
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("the collector answers %s %q", res.Status, strings.ToValidUTF8(string(text), "?"))
	}
	return nil
}
