package frontdoor

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// sweepEvery is how late a deadline that was far off may take effect.
const sweepEvery = 500 * time.Millisecond

// sweptListener spares its connections timers. net/http sets a connection four deadlines a
// request, for its four timeouts, and hardly any is ever reached; but each is a timer that
// the runtime must start and stop, which costs a small request some 6 % of its time. A
// deadline that is far off is only noted here, and a sweep over all connections enforces it.
type sweptListener struct {
	net.Listener
	every time.Duration
	began time.Time
	clock atomic.Int64 // the time since it began, as of the last sweep, in ns

	mu       sync.Mutex
	conns    map[*sweptConn]struct{}
	sweeping bool
}

func newSweptListener(l net.Listener, every time.Duration) *sweptListener {
	return &sweptListener{Listener: l, every: every, began: time.Now(), conns: map[*sweptConn]struct{}{}}
}

// Accept implements net.Listener.
func (l *sweptListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	tcp, ok := c.(*net.TCPConn)
	if err != nil || !ok {
		return c, err
	}
	s := &sweptConn{TCPConn: tcp, listener: l}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns[s] = struct{}{}
	l.clock.Store(int64(time.Since(l.began)))
	if !l.sweeping {
		l.sweeping = true
		time.AfterFunc(l.every, l.sweep)
	}
	return s, nil
}

// sweep enforces what is over, and comes again while there are connections.
func (l *sweptListener) sweep() {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.clock.Store(int64(now.Sub(l.began)))
	for c := range l.conns {
		c.sweep(now)
	}
	if l.sweeping = len(l.conns) > 0; l.sweeping {
		time.AfterFunc(l.every, l.sweep)
	}
}

// sweptConn is a connection of a sweptListener. Embedding the type, not the interface,
// keeps what net/http finds in it: ReadFrom, for one, which sends files without a copy.
type sweptConn struct {
	*net.TCPConn
	listener *sweptListener

	mu          sync.Mutex
	read, write deadline
}

// deadline is one direction's.
type deadline struct {
	noted time.Time // far off, and a matter for the sweep
	armed bool      // the connection's own is set
}

// near says whether a deadline is over, or too soon to wait for the sweep. The time of day
// is not asked for: it costs as much as the rest.
func (l *sweptListener) near(t time.Time) bool {
	return t.Sub(l.began)-time.Duration(l.clock.Load()) < 4*l.every
}

// set sets a deadline: at once where it is near, or none.
func (d *deadline) set(t time.Time, l *sweptListener, arm func(time.Time) error) error {
	d.noted = time.Time{}
	if !t.IsZero() && l.near(t) {
		d.armed = true
		return arm(t)
	}
	d.noted = t
	if !d.armed {
		return nil
	}
	d.armed = false
	return arm(time.Time{})
}

func (d *deadline) sweep(now time.Time, arm func(time.Time) error) {
	if !d.noted.IsZero() && d.noted.Before(now) {
		d.armed = true
		_ = arm(d.noted) // it fails where the connection is closed
		d.noted = time.Time{}
	}
}

func (c *sweptConn) sweep(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.read.sweep(now, c.TCPConn.SetReadDeadline)
	c.write.sweep(now, c.TCPConn.SetWriteDeadline)
}

// SetReadDeadline implements net.Conn.
func (c *sweptConn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.read.set(t, c.listener, c.TCPConn.SetReadDeadline)
}

// SetWriteDeadline implements net.Conn.
func (c *sweptConn) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.write.set(t, c.listener, c.TCPConn.SetWriteDeadline)
}

// SetDeadline implements net.Conn.
func (c *sweptConn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// Close implements net.Conn.
func (c *sweptConn) Close() error {
	c.listener.mu.Lock()
	delete(c.listener.conns, c)
	c.listener.mu.Unlock()
	return c.TCPConn.Close()
}
