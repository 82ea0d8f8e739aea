package frontdoor_test

import (
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"spillway.example/frontdoor"
	"spillway.example/frontdoor/frontdoortest"
)

var quiet = slog.New(slog.DiscardHandler)

// ours is frontdoor as an adapter.
func ours(h http.Handler) frontdoortest.Invoke {
	return frontdoor.NewInvoker(h, frontdoor.Options{Logger: quiet}).Invoke
}

func TestRequests(t *testing.T) {
	t.Parallel()
	for _, form := range frontdoortest.Forms() {
		t.Run(string(form), func(t *testing.T) {
			t.Parallel()
			for _, q := range frontdoortest.Requests() {
				if q.Not[form] != "" {
					continue
				}
				differences, err := frontdoortest.Check(form, q, ours)
				if err != nil || len(differences) > 0 {
					t.Errorf("%s: %v %s", q.Name, err, strings.Join(differences, "\n\t"))
				}
			}
		})
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	for _, form := range frontdoortest.Forms() {
		for _, a := range frontdoortest.Answers() {
			for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
				differences, err := frontdoortest.CheckAnswer(form, method, a, ours)
				if err != nil || len(differences) > 0 {
					t.Errorf("%s %s through %s: %v %s", method, a.Name, form, err, strings.Join(differences, "\n\t"))
				}
			}
		}
	}
}

func TestTheTableIsLarge(t *testing.T) {
	t.Parallel()
	if n := len(frontdoortest.Requests()); n < 120 {
		t.Errorf("%d requests, want 120", n)
	}
}

func TestRequestsGenerated(t *testing.T) {
	t.Parallel()
	segment := rapid.StringMatching(`([A-Za-z0-9._~!$'()*+,;=:@-]|%[0-9A-F]{2}){0,8}`)
	value := rapid.StringMatching(`([A-Za-z0-9._~!$'()*+,:@/?-]|%[2-6][0-9A-F]){0,8}`) // ASCII: JSON carries no other bytes decoded
	name := rapid.StringMatching(`[A-Za-z0-9._~-]{1,6}`)
	word := rapid.StringMatching(`[!-~]([ -~]{0,20}[!-~])?`)
	rapid.Check(t, func(t *rapid.T) {
		q := frontdoortest.Request{
			Method: rapid.SampledFrom([]string{"GET", "POST", "PUT", "DELETE"}).Draw(t, "method"),
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
		if q.Method != "GET" {
			q.Body = string(rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "body"))
		}
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
