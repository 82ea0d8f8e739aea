package frontdoor_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"spillway.example/frontdoor/frontdoortest"
)

// Any request that net/http accepts and a door can carry comes out equal.
func TestRequestsGenerated(t *testing.T) {
	t.Parallel()
	segment := rapid.StringMatching(`([A-Za-z0-9._~!$'()*+,;=:@-]|%[0-9A-F]{2}){0,8}`)
	value := rapid.StringMatching(`([A-Za-z0-9._~!$'()*+,:@/?-]|%[2-6][0-9A-F]){0,8}`) // ASCII: JSON carries no other bytes decoded
	name := rapid.StringMatching(`[A-Za-z0-9._~-]{1,6}`)
	word := rapid.StringMatching(`[!-~]([ -~]{0,20}[!-~])?`)
	cookie := rapid.StringMatching(`[a-z]{1,4}=[!#-+--:<-\[\]-~]{0,6}`)
	types := []string{"", "text/plain", "application/json", "application/x-www-form-urlencoded", "image/png", "nonsense"}
	rapid.Check(t, func(t *rapid.T) {
		q := frontdoortest.Request{
			Method: rapid.SampledFrom([]string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}).Draw(t, "method"),
			Host:   "service.example.com", Header: http.Header{},
		}
		for range rapid.IntRange(1, 4).Draw(t, "segments") {
			q.Target += "/" + segment.Draw(t, "segment")
		}
		var parameters []string
		for _, n := range rapid.SliceOfNDistinct(name, 0, 4, rapid.ID).Draw(t, "query") {
			parameters = append(parameters, n+"="+value.Draw(t, "value"))
		}
		if len(parameters) > 0 {
			q.Target += "?" + strings.Join(parameters, "&")
		}
		for i, v := range rapid.SliceOfN(word, 0, 4).Draw(t, "headers") {
			q.Header.Set("X-Test-"+string(rune('A'+i)), v)
		}
		if c := rapid.SliceOfN(cookie, 0, 3).Draw(t, "cookies"); len(c) > 0 {
			q.Header.Set("Cookie", strings.Join(c, "; "))
		}
		if v := rapid.SampledFrom(types).Draw(t, "type"); v != "" {
			q.Header.Set("Content-Type", v)
		}
		q.Body = string(rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "body"))
		q.Body = strings.Repeat(q.Body, rapid.SampledFrom([]int{1, 1, 1, 100}).Draw(t, "times"))
		for _, form := range frontdoortest.Forms() {
			if form == frontdoortest.HTTPAPI && !survivesDecoding(q.Target) {
				continue
			}
			differences, err := frontdoortest.Check(form, q, ours)
			if err != nil || len(differences) > 0 {
				t.Fatalf("%s %q through %s: %v %s", q.Method, q.Target, form, err, strings.Join(differences, "\n\t"))
			}
		}
	})
}

// survivesDecoding says whether a target's path is the one that its decoded form is
// escaped to: an HTTP API decodes it, and other spellings are lost.
func survivesDecoding(target string) bool {
	path, _, _ := strings.Cut(target, "?")
	decoded, err := url.PathUnescape(path)
	return err == nil && utf8.ValidString(decoded) && (&url.URL{Path: decoded}).EscapedPath() == path
}

// Whatever a handler does to its http.ResponseWriter, the client gets the same.
func TestAnswersGenerated(t *testing.T) {
	t.Parallel()
	names := []string{"X-List", "Vary", "Set-Cookie", "Content-Type", "Content-Encoding", "Etag", "x-lower", "X Injected", "X-Late"}
	value := rapid.StringMatching(`[ -~\r\n\t]{0,20}`)
	text := rapid.OneOf(value, rapid.SampledFrom([]string{"<!DOCTYPE html>", "\x89PNG\r\n\x1a\n", "%PDF-", "{}", "é", ""}))
	type step struct {
		kind, name, value, text string
		count                   int
	}
	steps := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
		return step{
			rapid.SampledFrom([]string{"add", "add", "set", "write", "write", "status", "flush"}).Draw(t, "kind"),
			rapid.SampledFrom(names).Draw(t, "name"), value.Draw(t, "value"), text.Draw(t, "text"), rapid.IntRange(1, 700).Draw(t, "count"),
		}
	}), 0, 8)
	rapid.Check(t, func(t *rapid.T) {
		todo := steps.Draw(t, "steps")
		row := frontdoortest.Answer{Name: "generated", Handler: func(w http.ResponseWriter, _ *http.Request) {
			for _, s := range todo {
				switch s.kind {
				case "add":
					w.Header()[s.name] = append(w.Header()[s.name], s.value)
				case "set":
					w.Header().Set(s.name, s.value)
				case "write":
					_, _ = w.Write([]byte(strings.Repeat(s.text, 1+s.count%20)))
				case "status":
					w.WriteHeader(100 + s.count)
				case "flush":
					w.(http.Flusher).Flush()
				}
			}
		}}
		for _, s := range todo {
			if s.kind == "status" && s.count == 1 {
				t.Skip("101 is for no door")
			}
		}
		method := rapid.SampledFrom([]string{"GET", "HEAD", "POST"}).Draw(t, "method")
		for _, form := range frontdoortest.Forms() {
			differences, err := frontdoortest.CheckAnswer(form, method, row, ours)
			if err != nil || len(differences) > 0 {
				t.Fatalf("%s through %s: %v %s", method, form, err, strings.Join(differences, "\n\t"))
			}
		}
		for _, form := range []frontdoortest.Form{frontdoortest.FunctionURL, frontdoortest.REST} {
			differences, err := frontdoortest.CheckAnswer(form, method, row, oursStreaming)
			if err != nil || len(differences) > 0 {
				t.Fatalf("%s through %s, streaming: %v %s", method, form, err, strings.Join(differences, "\n\t"))
			}
		}
	})
}
