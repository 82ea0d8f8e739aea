package frontdoortest

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Answer is one row of the table for answers: what the handler writes must reach the
// client through a door as it does through net/http.
type Answer struct {
	Name    string
	Handler http.HandlerFunc
}

// Answers gives the table for answers.
func Answers() []Answer {
	write := func(s string, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			for pair := range slices.Chunk(header, 2) {
				w.Header().Add(pair[0], pair[1])
			}
			_, _ = io.WriteString(w, s)
		}
	}
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	return []Answer{
		{"nothing written", func(http.ResponseWriter, *http.Request) {}},
		{"a status alone", status(http.StatusTeapot)},
		{"204", status(http.StatusNoContent)},
		{"304", status(http.StatusNotModified)},
		{"two WriteHeaders and a late header", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusCreated)
			w.Header().Set("X-Late", "1")
		}},
		{"103, then 200", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusOK)
		}},
		{"text", write("plain text, λ")},
		{"HTML by its beginning", write("<!DOCTYPE html><p>hello")},
		{"JSON", write(`{"a":"<&>\u2028 \" \\ "}`, "Content-Type", "application/json")},
		{"text with control characters", write("\x00\x01\x1f\u2028\u2029", "Content-Type", "text/plain")},
		{"PNG", write("\x89PNG\xff\xfe\x00", "Content-Type", "image/png")},
		{"text that is no UTF-8", write("caf\xe9", "Content-Type", "text/plain; charset=iso-8859-1")},
		{"binary that calls itself JSON", write("\xff\xfe", "Content-Type", "application/json")},
		{"a content encoding", write("as it is", "Content-Encoding", "identity", "Content-Type", "text/plain")},
		{"a cookie", write("x", "Set-Cookie", "a=1; Path=/; Expires=Tue, 10 Nov 2026 12:00:00 GMT")},
		{"two cookies", write("x", "Set-Cookie", "a=1; Path=/", "Set-Cookie", `b="2, or so"`)},
		{"a repeated header", write("x", "X-List", "a", "X-List", "b, c")},
		{"a redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere?a=b&c=%20", http.StatusFound)
		}},
		{"flushed halfway", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "a")
			_ = http.NewResponseController(w).Flush()
			_, _ = io.WriteString(w, "b")
		}},
		{"a length of its own", write("abc", "Content-Length", "3")},
		{"a write beyond the length", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "3")
			_, _ = io.WriteString(w, "abc")
			_, _ = io.WriteString(w, "def")
		}},
		{"a length that is none", notHEAD(write("abc", "Content-Length", "many"))},
		{"a status, then text", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusCreated)
			_, _ = io.WriteString(w, "made")
		}},
		{"HTML in pieces", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "<")
			_, _ = io.WriteString(w, "!DOCTYPE html><p>hello")
		}},
		{"a type that is nil", func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"], w.Header()["X-List"] = nil, nil
			_, _ = io.WriteString(w, "<!DOCTYPE html><p>hello")
		}},
		{"304 with what a 200 would say", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			w.Header().Set("Content-Length", "3")
			w.Header().Set("Etag", `"abc"`)
			w.WriteHeader(http.StatusNotModified)
			_, _ = io.WriteString(w, "abc")
		}},
		{"204 with a type", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			w.WriteHeader(http.StatusNoContent)
		}},
		{"a line break in a value", write("x", "X-List", " a\r\nX-Injected: 1\n")},
		{"names that are none", func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["X-Injected: 1\r\nX-List"] = []string{"a"}
			w.Header()["X List"], w.Header()[""] = []string{"a"}, []string{"a"}
			w.Header()["x-lower"] = []string{"a"}
			w.WriteHeader(http.StatusOK)
		}},
		{"a trailer", notHEAD(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Trailer", "X-Late")
			w.Header().Set(http.TrailerPrefix+"X-List", "a")
			_, _ = io.WriteString(w, "x")
			w.Header().Set("X-Late", "1")
		})},
		{"flushed before its type shows", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "<")
			_ = http.NewResponseController(w).Flush()
			_, _ = io.WriteString(w, "!DOCTYPE html><p>hello")
		}},
		{"flushed before its body", func(w http.ResponseWriter, _ *http.Request) {
			_ = http.NewResponseController(w).Flush()
			_, _ = io.WriteString(w, "<!DOCTYPE html><p>hello")
		}},
		{"a controller's deadlines", func(w http.ResponseWriter, _ *http.Request) {
			c := http.NewResponseController(w)
			soon := time.Now().Add(time.Minute)
			fmt.Fprint(w, c.SetReadDeadline(soon), c.SetWriteDeadline(soon), c.SetWriteDeadline(time.Time{}), c.EnableFullDuplex())
		}},
		{"copied from a reader", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.Copy(w, io.LimitReader(strings.NewReader(strings.Repeat("copied ", 2000)), 13000))
		}},
		{"a file", func(w http.ResponseWriter, r *http.Request) {
			http.ServeContent(w, r, "a.html", time.Unix(1<<30, 0), strings.NewReader("<p>a file</p>"))
		}},
		{"an error", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "99")
			w.Header().Set("Etag", "1")
			http.Error(w, "no such thing", http.StatusNotFound)
		}},
		{"a transfer coding of its own", write("x", "Transfer-Encoding", "chunked")},
		{"200 KB", write(strings.Repeat("0123456789", 20<<10))},
	}
}

// notHEAD keeps from HEAD what net/http itself sends a client of it unchecked.
func notHEAD(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodHead {
			h(w, r)
		}
	}
}
