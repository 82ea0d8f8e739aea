package local_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"spillway.example/services/internal/httpapi"
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

// Every operation tells all that a client's author asks: what each member looks like, and
// each code that it may fail with, as the answer would be.
func TestOpenAPIIsWhole(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(newWorld(change{}).handler)
	defer s.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/openapi.json", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	type schema struct {
		Ref        string `json:"$ref"`
		Type       any
		Enum       []string
		Examples   []any
		Items      *schema
		Properties map[string]*schema
	}
	var doc struct {
		Paths map[string]map[string]struct {
			OperationID, Summary string
			Tags                 []string
			Parameters           []struct {
				Name    string
				Example any
				Schema  schema
			}
			Security  []map[string]any
			Responses map[string]struct {
				Content map[string]struct {
					Examples map[string]struct{ Value httpapi.Problem }
				}
			}
		}
		Components struct{ Schemas map[string]*schema }
	}
	if err := json.Unmarshal([]byte(answer(t, res, err).body), &doc); err != nil {
		t.Fatal(err)
	}
	for name, s := range doc.Components.Schemas {
		for member, p := range s.Properties {
			if p.Ref == "" && p.Items == nil && p.Properties == nil && p.Type != "boolean" && len(p.Examples) == 0 {
				if types, ok := p.Type.([]any); ok && types[0] == "boolean" {
					continue
				}
				t.Errorf("%s has no example of %s", name, member)
			}
		}
	}
	codes := doc.Components.Schemas["Problem"].Properties["code"].Enum
	if s := doc.Paths["/logout"]["post"].Security; len(s) != 2 || len(s[0]) != 0 || s[1]["access_token"] == nil {
		t.Errorf("/logout takes an access token or none: %v", s)
	}
	for path, methods := range doc.Paths {
		for method, op := range methods {
			what := method + " " + path
			if op.OperationID == "" || op.Summary == "" || len(op.Tags) != 1 {
				t.Errorf("%s: id %q, summary %q, groups %v", what, op.OperationID, op.Summary, op.Tags)
			}
			for _, p := range op.Parameters {
				if p.Example == nil && len(p.Schema.Examples) == 0 {
					t.Errorf("%s has no example of the parameter %s", what, p.Name)
				}
			}
			for status, response := range op.Responses {
				if status < "400" {
					continue
				}
				examples := response.Content["application/problem+json"].Examples
				if len(examples) == 0 {
					t.Errorf("%s: no example of %s", what, status)
				}
				for code, e := range examples {
					if e.Value.Code != code || strconv.Itoa(e.Value.Status) != status || e.Value.Detail == "" || !slices.Contains(codes, code) {
						t.Errorf("%s, %s: the example of %s is %+v", what, status, code, e.Value)
					}
				}
			}
		}
	}
}
