package frontdoor

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"testing"
	"time"
)

// sweptPair is a connection of a sweptListener, and the client's end of it.
func sweptPair(t *testing.T, every time.Duration) (l *sweptListener, server, client net.Conn) {
	t.Helper()
	tcp, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l = newSweptListener(tcp, every)
	if client, err = new(net.Dialer).DialContext(t.Context(), "tcp", tcp.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if server, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, c := range []io.Closer{client, server, l} {
			_ = c.Close() // some were closed by the test
		}
	})
	return l, server, client
}

// A deadline takes effect, near or far, for what waits already and for what comes, and
// another one takes its place.
func TestSweptDeadlines(t *testing.T) {
	t.Parallel()
	const every = 5 * time.Millisecond
	for name, d := range map[string]time.Duration{"over": -time.Hour, "near": every, "far": 10 * every} {
		_, server, _ := sweptPair(t, every)
		big := make([]byte, 64<<20) // more than the sockets hold
		for what, do := range map[string]func() error{
			"reading": func() error { _, err := server.Read(make([]byte, 1)); return err },
			"writing": func() error { _, err := server.Write(big); return err },
		} {
			if err := server.SetDeadline(time.Now().Add(d)); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if err := do(); !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("%s with a deadline %s: got %v", what, name, err)
				}
			}
		}
		// From here on it may read again, and then for a while.
		_, server, client := sweptPair(t, every)
		for _, next := range []time.Time{{}, time.Now().Add(time.Hour)} {
			_ = server.SetReadDeadline(time.Now().Add(d))
			time.Sleep(2 * every)
			if err := server.SetReadDeadline(next); err != nil {
				t.Fatal(err)
			}
			go func() {
				time.Sleep(15 * every) // the deadline before would be over
				_, _ = client.Write([]byte{1})
			}()
			if _, err := server.Read(make([]byte, 1)); err != nil {
				t.Errorf("reading after a deadline %s that was put off until %v: %v", name, next, err)
			}
		}
	}
}

// The sweep ends with the last connection, and begins again.
func TestSweptListenerForgets(t *testing.T) {
	t.Parallel()
	l, server, _ := sweptPair(t, time.Millisecond)
	_ = server.Close()
	for {
		l.mu.Lock()
		idle := !l.sweeping && len(l.conns) == 0
		l.mu.Unlock()
		if idle {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if _, err := new(net.Dialer).DialContext(t.Context(), "tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	again, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	_ = again.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	if _, err := again.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v, want that the deadline is over", err)
	}
}

// Each timeout of net/http's server takes effect on such a connection.
func TestSweptTimeouts(t *testing.T) {
	t.Parallel()
	const every = 5 * time.Millisecond
	for name, tt := range map[string]struct {
		server *http.Server
		send   string
	}{
		"idle":   {&http.Server{IdleTimeout: 10 * every}, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"},
		"header": {&http.Server{ReadHeaderTimeout: 10 * every}, "GET / HTTP/1.1\r\nHost:"},
		"read":   {&http.Server{ReadTimeout: 10 * every}, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf"},
		"write":  {&http.Server{WriteTimeout: 10 * every}, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tcp, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			ended := make(chan struct{})
			tt.server.ConnState = func(_ net.Conn, s http.ConnState) {
				if s == http.StateClosed {
					close(ended)
				}
			}
			tt.server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				if r.URL.Path == "/large" {
					_, _ = w.Write(make([]byte, 64<<20))
				}
			})
			go func() { _ = tt.server.Serve(newSweptListener(tcp, every)) }()
			t.Cleanup(func() { _ = tt.server.Shutdown(context.Background()) })
			client, err := new(net.Dialer).DialContext(t.Context(), "tcp", tcp.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			if _, err := io.WriteString(client, tt.send); err != nil {
				t.Fatal(err)
			}
			<-ended // or the test's own timeout
		})
	}
}
