package httpapi_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"spillway.example/services/internal/httpapi"
)

// The page at /docs loads nothing from elsewhere, and everything that it loads is here.
func TestDocs(t *testing.T) {
	t.Parallel()
	api := httpapi.New(httpapi.Config{
		Title: "A <title>", Version: "test", Logger: slog.New(slog.DiscardHandler),
		Ready: func(context.Context) error { return nil },
	})
	s := httptest.NewServer(api.Handler())
	defer s.Close()
	get := func(path string) (*http.Response, string) {
		res, err := s.Client().Get(s.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != http.StatusOK || len(body) == 0 {
			t.Errorf("%s: %s with %d bytes, %v", path, res.Status, len(body), err)
		}
		return res, string(body)
	}
	for _, path := range []string{"/docs", "/docs/"} {
		res, page := get(path)
		if got := res.Header.Get("Content-Security-Policy"); !strings.Contains(got, "default-src 'none'") || !strings.Contains(got, "script-src 'self';") {
			t.Errorf("%s: policy %q", path, got)
		}
		if !strings.Contains(page, "<title>A &lt;title&gt;</title>") {
			t.Errorf("%s has not the title:\n%s", path, page)
		}
		links := regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(page, -1)
		if len(links) != 4 {
			t.Errorf("%s loads %v, want four files", path, links)
		}
		for _, link := range links {
			if !strings.HasPrefix(link[1], "/docs/") {
				t.Errorf("%s loads %s", path, link[1])
				continue
			}
			get(link[1])
		}
	}
	if _, start := get("/docs/start.js"); !strings.Contains(start, `"/openapi.json"`) {
		t.Errorf("the page shows %s", start)
	}
}
