package breach_test

import (
	"crypto/sha1"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"spillway.example/services/internal/breach"
)

const breached, padded, fresh = "correct horse battery staple", "only in the padding", "in no breach at all"

// server is a range search with three passwords, as the real one answers: lines with CRLF,
// in no order to rely on, and padding with the count 0 for whoever asks for it.
type server struct {
	mu       sync.Mutex
	requests []string // all that was sent, body and headers included
}

func digits(password string) string { return fmt.Sprintf("%X", sha1.Sum([]byte(password))) }

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, fmt.Sprint(r.Method, r.URL, r.Header))
	asked, ok := strings.CutPrefix(r.URL.Path, "/api/range/")
	if !ok || len(asked) != 5 || r.Header.Get("Add-Padding") != "true" {
		http.Error(w, "The hash prefix was not in a valid format", http.StatusBadRequest)
		return
	}
	fmt.Fprint(w, "0018A45C4D1DEF81644B54AB7F969B88D65:0\r\n")
	for password, count := range map[string]int{breached: 384, padded: 0} {
		if d := digits(password); d[:5] == asked {
			fmt.Fprintf(w, "%s:%d\r\n", d[5:], count)
		}
	}
	fmt.Fprint(w, "FFA9B05F9D3BC1F3F0E2B1B6D2C0C5A7C11:12")
}

func ranges(t *testing.T, h http.Handler) *breach.Ranges {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	base, err := url.Parse(s.URL + "/api")
	if err != nil {
		t.Fatal(err)
	}
	return breach.New(base)
}

func TestHas(t *testing.T) {
	t.Parallel()
	s := &server{}
	r := ranges(t, s)
	for password, want := range map[string]bool{breached: true, padded: false, fresh: false, "": false} {
		if got, err := r.Has(t.Context(), password); err != nil || got != want {
			t.Errorf("%q: got %v, %v; want %v", password, got, err, want)
		}
	}
	for _, sent := range s.requests {
		for _, password := range []string{breached, padded, fresh} {
			if d := digits(password); strings.Contains(sent, password) || strings.Contains(strings.ToUpper(sent), d[5:]) || strings.Contains(sent, d[:6]) {
				t.Errorf("more than five digits left: %s", sent)
			}
		}
	}
}

func TestHasNot(t *testing.T) {
	t.Parallel()
	elsewhere := false
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere = true }))
	defer other.Close()
	for what, h := range map[string]http.HandlerFunc{
		"an error":    func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
		"a hang-up":   func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"a redirect":  func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, http.StatusFound) },
		"a long line": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, strings.Repeat("A", 1<<20)) },
	} {
		_, err := ranges(t, h).Has(t.Context(), breached)
		if err == nil {
			t.Errorf("%s: no error", what)
		} else if strings.Contains(err.Error(), digits(breached)[:5]) {
			t.Errorf("%s: the error has the prefix: %v", what, err)
		}
	}
	if elsewhere {
		t.Error("a redirect was followed")
	}
}
