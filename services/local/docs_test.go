package local_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// The page of operations loads nothing from anybody else: neither it nor a script or
// style that it names, and a policy in its headers holds browsers to that.
func TestDocsAreOurs(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(newWorld(change{}).handler)
	defer s.Close()
	load := func(path string) (*http.Response, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		return res, answer(t, res, nil).body
	}
	res, page := load("/docs")
	if res.StatusCode != http.StatusOK || !strings.Contains(res.Header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Fatalf("/docs: %d, policy %q", res.StatusCode, res.Header.Get("Content-Security-Policy"))
	}
	assets := regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllStringSubmatch(page, -1)
	if len(assets) < 3 {
		t.Fatalf("the page names %d assets: %s", len(assets), page)
	}
	for _, a := range assets {
		if !strings.HasPrefix(a[1], "/docs/") {
			t.Errorf("the page loads %s", a[1])
			continue
		}
		if res, body := load(a[1]); res.StatusCode != http.StatusOK || body == "" {
			t.Errorf("%s: %d", a[1], res.StatusCode)
		}
	}
}

func TestOpenAPI(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(newWorld(change{}).handler)
	defer s.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/openapi.json", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	g := answer(t, res, err)
	var doc struct {
		OpenAPI string                    `json:"openapi"`
		Paths   map[string]map[string]any `json:"paths"`
	}
	if err := json.Unmarshal([]byte(g.body), &doc); err != nil || !strings.HasPrefix(doc.OpenAPI, "3.1") {
		t.Fatalf("/openapi.json: version %q, %v", doc.OpenAPI, err)
	}
	for path, method := range map[string]string{
		"/register": "post", "/register/confirm": "post", "/register/resend": "post",
		"/login": "post", "/token/refresh": "post", "/logout": "post", "/me": "get", "/healthz": "get", "/readyz": "get",
	} {
		if doc.Paths[path][method] == nil {
			t.Errorf("%s %s is not described", method, path)
		}
	}
	if strings.Contains(g.body, "$schema") {
		t.Error("answers are described with a $schema that they do not have")
	}
}
