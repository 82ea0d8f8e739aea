package gateway_test

import (
	"bytes"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	"spillway.example/spillway/gateway"
)

// logLines keeps what a gateway logs.
type logLines struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (l *logLines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(b)
}

func (l *logLines) use(o *gateway.Options) { o.Logger = slog.New(slog.NewTextHandler(l, nil)) }

func (l *logLines) containing(s string) (lines []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.all.String()) {
		if strings.Contains(line, s) {
			lines = append(lines, line)
		}
	}
	return lines
}

// field gives the value of a field of a line of slog's text.
func field(line, name string) string {
	_, rest, _ := strings.Cut(line, " "+name+"=")
	value, _, _ := strings.Cut(rest, " ")
	return strings.TrimSpace(value)
}

// countIdle counts the connections that fall idle after a request that was no health
// check, told by their coming back for more: health checks close theirs at once.
func countIdle(idle, closed *atomic.Int64) func(net.Conn, http.ConnState) {
	var mu sync.Mutex
	kept := map[net.Conn]bool{}
	return func(c net.Conn, state http.ConnState) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case state == http.StateIdle:
			kept[c] = true
			idle.Add(1)
		case state == http.StateClosed && kept[c]:
			closed.Add(1)
		}
	}
}
