package frontdoor

import "time"

// What [http.ResponseController] asks of a door that needs none of it: a request's body is
// here, whole, and nobody waits for a write to a buffer. A handler that sets deadlines
// need not know.

// SetReadDeadline accepts any deadline.
func (w *writer) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline accepts any deadline.
func (w *writer) SetWriteDeadline(time.Time) error { return nil }

// EnableFullDuplex changes nothing: the body can be read after the answer has begun.
func (w *writer) EnableFullDuplex() error { return nil }
