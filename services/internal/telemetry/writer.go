package telemetry

import "net/http"

// Writer is a ResponseWriter that knows what was written to it.
type Writer struct {
	http.ResponseWriter
	status int
	bytes  int64
}

var _ http.Flusher = (*Writer)(nil)

// Started says whether the answer has begun, so that its status can be no other.
func (w *Writer) Started() bool { return w.status != 0 }

// Status gives the answer's status; 200 where nothing was written, as net/http has it.
func (w *Writer) Status() int {
	if w.status == 0 {
		return http.StatusOK
	}
	return w.status
}

// WriteHeader implements http.ResponseWriter.
func (w *Writer) WriteHeader(status int) {
	if w.status == 0 && (status >= http.StatusOK || status == http.StatusSwitchingProtocols) {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *Writer) Write(b []byte) (int, error) {
	w.status = w.Status()
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Flush implements http.Flusher; where the door keeps answers until they are whole it
// does nothing.
func (w *Writer) Flush() {
	w.status = w.Status()
	_ = http.NewResponseController(w.ResponseWriter).Flush() // as it says
}

// Unwrap lets http.ResponseController find what else the writer can do.
func (w *Writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }
