package main

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// seen is a request as a handler sees it.
type seen struct {
	Method        string      `json:"method"`
	RequestURI    string      `json:"requestURI"`
	Path          string      `json:"path"`
	EscapedPath   string      `json:"escapedPath"`
	RawQuery      string      `json:"rawQuery"`
	Query         url.Values  `json:"query"`
	Host          string      `json:"host"`
	RemoteAddr    string      `json:"remoteAddr"`
	Header        http.Header `json:"header"`
	Cookies       []cookie    `json:"cookies"`
	ContentLength int64       `json:"contentLength"`
	Form          url.Values  `json:"form"`
	Body          []byte      `json:"body"`
}

type cookie struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// handler routes by hand: a mux would clean and redirect paths, and the point is to
// show them as they come.
func handler() http.Handler {
	fixed := map[string]http.HandlerFunc{
		"/set-cookies": setCookies, "/png": png, "/none": none, "/twice": twice, "/early": early, "/panic": panics,
	}
	counted := map[string]func(http.ResponseWriter, *http.Request, int){
		"status": status, "bytes": bytesOf, "stream": stream, "sleep": sleep,
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h, ok := fixed[r.URL.Path]; ok {
			h(w, r)
			return
		}
		name, number, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		if h, ok := counted[name]; ok {
			if n, err := strconv.ParseUint(number, 10, 31); err == nil {
				h(w, r, int(n))
				return
			}
		}
		echo(w, r)
	})
}

func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, "reading the body: "+err.Error(), http.StatusBadRequest)
		return
	}
	s := seen{
		Method: r.Method, RequestURI: r.RequestURI, Path: r.URL.Path, EscapedPath: r.URL.EscapedPath(),
		RawQuery: r.URL.RawQuery, Query: r.URL.Query(), Host: r.Host, RemoteAddr: r.RemoteAddr,
		Header: r.Header, Cookies: []cookie{}, ContentLength: r.ContentLength, Form: url.Values{}, Body: body,
	}
	for _, c := range r.Cookies() {
		s.Cookies = append(s.Cookies, cookie{c.Name, c.Value})
	}
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil && t == "application/x-www-form-urlencoded" {
		if form, err := url.ParseQuery(string(body)); err == nil {
			s.Form = form
		}
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(s); err != nil {
		panic(http.ErrAbortHandler) // the client has gone
	}
}

func setCookies(w http.ResponseWriter, _ *http.Request) {
	http.SetCookie(w, &http.Cookie{Name: "a", Value: "1"}) //nolint:gosec // the contract is two plain cookies
	http.SetCookie(w, &http.Cookie{Name: "b", Value: "2"}) //nolint:gosec // the contract is two plain cookies
}

func png(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "image/png")
	write(w, []byte{0x89, 0x50, 0x4e, 0x47, 0xff, 0xfe, 0x00})
}

func none(http.ResponseWriter, *http.Request) {}

func twice(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusCreated)
	w.WriteHeader(http.StatusInternalServerError)
	w.Header().Set("X-Late", "1")
}

func early(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusEarlyHints)
	w.WriteHeader(http.StatusOK)
}

func panics(http.ResponseWriter, *http.Request) { panic("as asked") }

func status(w http.ResponseWriter, _ *http.Request, code int) {
	if code < 200 || code > 999 {
		http.Error(w, "no such status", http.StatusBadRequest)
		return
	}
	w.WriteHeader(code)
}

func bytesOf(w http.ResponseWriter, _ *http.Request, n int) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	const line = "the quick brown fox jumps over the lazy dog, then over it again\n"
	for ; n > 0; n -= len(line) {
		write(w, []byte(line)[:min(n, len(line))])
	}
}

func stream(w http.ResponseWriter, r *http.Request, n int) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	flush := http.NewResponseController(w)
	for i := range n {
		if i > 0 && !wait(r, 50*time.Millisecond) {
			return
		}
		write(w, fmt.Appendf(nil, "line %d\n", i+1))
		_ = flush.Flush() // a door that buffers sends it all at the end
	}
}

func sleep(w http.ResponseWriter, r *http.Request, ms int) {
	if wait(r, time.Duration(ms)*time.Millisecond) {
		write(w, []byte("awake\n"))
	}
}

// wait waits, and says whether the client did too.
func wait(r *http.Request, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-r.Context().Done():
		return false
	}
}

func write(w http.ResponseWriter, b []byte) { _, _ = w.Write(b) } // a client that has gone is no concern here
