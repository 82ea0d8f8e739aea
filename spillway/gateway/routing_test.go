package gateway_test

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"spillway.example/spillway/gateway"
)

// A pattern means what the regular expression with .* and . means.
func TestMatch(t *testing.T) {
	t.Parallel()
	letters := rapid.StringOfN(rapid.RuneFrom([]rune("ab/*?")), 0, 12, -1)
	rapid.Check(t, func(t *rapid.T) {
		pattern, s := letters.Draw(t, "pattern"), letters.Draw(t, "s")
		quoted := strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(regexp.QuoteMeta(pattern))
		want := regexp.MustCompile("^(?s:" + quoted + ")$").MatchString(s)
		if got := gateway.Match(pattern, s); got != want {
			t.Errorf("match(%q, %q) = %v, want %v", pattern, s, got, want)
		}
	})
}

func TestRules(t *testing.T) {
	t.Parallel()
	g := start(t, `
listener:
  address: 127.0.0.1:0
  default: {fixed_response: {status_code: 200, message_body: default}}
  rules:
    - {priority: 30, conditions: [{path_pattern: [/a/*]}], fixed_response: {status_code: 200, message_body: a}}
    - {priority: 20, conditions: [{path_pattern: [/a/b, /c?]}], fixed_response: {status_code: 200, message_body: b}}
    - priority: 10
      conditions: [{path_pattern: [/a/*]}, {http_header: {name: X-Door, values: [lamb*, fun]}}]
      fixed_response: {status_code: 418, content_type: application/json, message_body: '{}'}
admin: 127.0.0.1:0
`)
	tests := []struct {
		path, door, want string
	}{
		{"/a/b", "", "200 b"},
		{"/a/b?x=/z", "", "200 b"},
		{"/a/b/c", "", "200 a"},
		{"/a/", "", "200 a"},
		{"/a", "", "200 default"},
		{"/A/b", "", "200 default"},   // paths keep their case
		{"/a%2Fb", "", "200 default"}, // and their spelling
		{"/cd", "", "200 b"},
		{"/cde", "", "200 default"},
		{"/a/b", "LAMBDA", "418 {}"}, // header values do not
		{"/a/b", "funny", "200 b"},
		{"/x", "fun", "200 default"}, // all conditions must be met
	}
	for _, tt := range tests {
		status, body := do(t, http.MethodGet, g.url+tt.path, "", func(r *http.Request) { r.Header.Set("X-Door", tt.door) })
		if got := fmt.Sprint(status, " ", body); got != tt.want {
			t.Errorf("%s, door %q: got %s, want %s", tt.path, tt.door, got, tt.want)
		}
	}
}

// Every stretch of requests has each group's share, not only their sum.
func TestWeights(t *testing.T) {
	t.Parallel()
	say := func(what string) string {
		return server(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, what) })
	}
	g := start(t, fmt.Sprintf(`
listener:
  address: 127.0.0.1:0
  default: {forward: [{target_group: a, weight: 5}, {target_group: b, weight: 3}, {target_group: c, weight: 0}]}
admin: 127.0.0.1:0
target_groups:
  a: {%s}
  b: {%s}
  c: {%s}
`, httpGroup(once, say("a")), httpGroup(once, say("b")), httpGroup(once, say("c"))))
	for range 5 {
		got := map[string]int{}
		for range 8 {
			_, body := do(t, http.MethodGet, g.url, "")
			got[body]++
		}
		if got["a"] != 5 || got["b"] != 3 || got["c"] != 0 {
			t.Errorf("of 8 requests with weights 5, 3, 0: got %v", got)
		}
	}
}

// Within a group, targets take turns.
func TestTurns(t *testing.T) {
	t.Parallel()
	say := func(what string) string {
		return server(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, what) })
	}
	g := start(t, config(httpGroup(once, say("a"), say("b"), say("c"))))
	got := map[string]int{}
	for range 9 {
		_, body := do(t, http.MethodGet, g.url, "")
		got[body]++
	}
	if got["a"] != 3 || got["b"] != 3 || got["c"] != 3 {
		t.Errorf("of 9 requests to 3 targets: got %v", got)
	}
}
