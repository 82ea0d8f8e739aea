package telemetry

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// otlpEndpoint is where and how one signal is sent, as the standard variables say
// (OpenTelemetry, "OTLP Exporter Configuration").
type otlpEndpoint struct {
	url     string
	headers http.Header
	timeout time.Duration
	gzip    bool
	tls     *tls.Config
}

// otlpEndpointOf reads the variables for a signal, "traces" or "metrics"; nil where they
// ask for none of it. The error names the variable and never its value, which may hold a
// key.
func otlpEndpointOf(getenv func(string) string, signal string) (*otlpEndpoint, error) {
	upper := strings.ToUpper(signal)
	// A signal's own variable comes before that of all signals.
	lookup := func(name string) (variable, value string) {
		variable = "OTEL_EXPORTER_OTLP_" + upper + "_" + name
		if v := getenv(variable); v != "" {
			return variable, v
		}
		variable = "OTEL_EXPORTER_OTLP_" + name
		return variable, getenv(variable)
	}
	variable, raw := lookup("ENDPOINT")
	exporter := getenv("OTEL_" + upper + "_EXPORTER")
	switch {
	case strings.EqualFold(getenv("OTEL_SDK_DISABLED"), "true"), exporter == "none", exporter == "" && raw == "":
		return nil, nil
	case exporter != "" && exporter != "otlp":
		return nil, fmt.Errorf("OTEL_%s_EXPORTER: must be otlp or none", upper)
	case raw == "":
		raw = "http://localhost:4318"
	}
	if name, v := lookup("PROTOCOL"); v != "" && v != "http/protobuf" {
		return nil, fmt.Errorf("%s: must be http/protobuf, which collectors take on port 4318", name)
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%s: must be a URL with http or https", variable)
	}
	if variable == "OTEL_EXPORTER_OTLP_ENDPOINT" {
		u = u.JoinPath("v1", signal)
	}
	e := &otlpEndpoint{url: u.String(), headers: http.Header{}, timeout: 10 * time.Second}
	if err := e.options(lookup); err != nil {
		return nil, err
	}
	return e, nil
}

// options reads what else the variables say of a signal.
func (e *otlpEndpoint) options(lookup func(string) (string, string)) error {
	if name, v := lookup("TIMEOUT"); v != "" {
		ms, err := strconv.ParseUint(v, 10, 31)
		if err != nil || ms == 0 {
			return fmt.Errorf("%s: must be a number of milliseconds", name)
		}
		e.timeout = time.Duration(ms) * time.Millisecond
	}
	if name, v := lookup("COMPRESSION"); v != "" && v != "none" {
		if v != "gzip" {
			return fmt.Errorf("%s: must be gzip or none", name)
		}
		e.gzip = true
	}
	name, v := lookup("HEADERS")
	for pair := range strings.SplitSeq(v, ",") {
		if strings.TrimSpace(pair) == "" {
			continue
		}
		key, value, ok := strings.Cut(pair, "=")
		value, err := url.PathUnescape(strings.TrimSpace(value))
		if !ok || err != nil {
			return fmt.Errorf("%s: must be name=value pairs with commas between them", name)
		}
		e.headers.Set(strings.TrimSpace(key), value)
	}
	if name, v := lookup("CERTIFICATE"); v != "" {
		pem, err := os.ReadFile(v)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return fmt.Errorf("%s: the file holds no certificate in PEM", name)
		}
		e.tls = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	for _, unsupported := range []string{"CLIENT_KEY", "CLIENT_CERTIFICATE"} {
		if name, v := lookup(unsupported); v != "" {
			return fmt.Errorf("%s: %w", name, errors.ErrUnsupported)
		}
	}
	return nil
}
