package local_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"spillway.example/services/internal/httpapi"
)

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
	type response struct {
		Headers map[string]struct{ Example any }
		Content map[string]struct {
			Examples map[string]struct{ Value httpapi.Problem }
		}
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
			Security    []map[string]any
			RequestBody struct {
				Content map[string]struct{ Schema schema }
			}
			Responses map[string]response
		}
		Components struct {
			Schemas   map[string]*schema
			Responses map[string]response
		}
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
	if e, _ := doc.Paths["/token/introspect"]["post"].Responses["401"].Headers["WWW-Authenticate"].Example.(string); !strings.HasPrefix(e, "Basic ") {
		t.Errorf("the challenge of /token/introspect is shown as %q", e)
	}
	// What answers where no operation does is in the document as it comes.
	for code, c := range map[string]call{
		"not_found":          {method: http.MethodGet, path: "/nothing"},
		"method_not_allowed": {method: http.MethodPut, path: "/register"},
	} {
		req, err := http.NewRequestWithContext(t.Context(), c.method, s.URL+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		var got httpapi.Problem
		if err := json.Unmarshal([]byte(answer(t, res, err).body), &got); err != nil {
			t.Fatal(err)
		}
		r := doc.Components.Responses[code]
		shown := r.Content["application/problem+json"].Examples[code].Value
		if got.Code != code || shown.Code != code || shown.Status != got.Status || shown.Detail != got.Detail {
			t.Errorf("%s %s is %+v, and shown as %+v", c.method, c.path, got, shown)
		}
		for name := range r.Headers {
			if res.Header.Get(name) == "" {
				t.Errorf("%s %s has no %s", c.method, c.path, name)
			}
		}
		if allow := res.Header.Get("Allow"); allow != "" && r.Headers["Allow"].Example == nil {
			t.Errorf("%s has Allow: %s, which is not shown", code, allow)
		}
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
			for media, body := range op.RequestBody.Content {
				for field, s := range body.Schema.Properties {
					if s.Ref == "" && len(s.Examples) == 0 {
						t.Errorf("%s has no example of %s in %s", what, field, media)
					}
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
