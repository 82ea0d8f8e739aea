package frontdoor_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"spillway.example/frontdoor"
	"spillway.example/frontdoor/frontdoortest"
)

const (
	people  = `{"name":"Ångström","note":"quotes \" and a tab\t"}`
	query   = "tag=one&tag=two&next=https%3A%2F%2Fexample.com%2Fa&plus=a+b&escaped=a%2Bb&empty="
	restAPI = "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com"
	httpAPI = "f6g7h8i9j0.execute-api.eu-west-1.amazonaws.com"
	furl    = "2cxn22odiwguak4feg4jtt7cwm0ziblr.lambda-url.eu-west-1.on.aws"
)

// recorded are the events of frontdoortest/events, and the requests that they are.
var recorded = map[string]struct {
	door                         frontdoor.Door
	method, uri, host, client    string
	query, list, cookies, answer string
	body                         string
	headers                      int
}{
	"alb": {
		door: frontdoor.DoorALB, method: "POST", host: "accounts.example.com", client: "203.0.113.18:0",
		query: strings.Replace(query, "tag=one&", "", 1), list: "second", cookies: "session=k3y theme=dark", answer: "headers", body: people, headers: 11,
	},
	"alb-multi": {
		door: frontdoor.DoorALB, method: "POST", host: "accounts.example.com", client: "203.0.113.18:0",
		query: query, list: "first|second", cookies: "session=k3y theme=dark", answer: "multiValueHeaders", body: people, headers: 10,
	},
	"alb-health-check": {
		door: frontdoor.DoorALB, method: "GET", uri: "/healthz", client: "0.0.0.0:0", answer: "headers", headers: 1,
	},
	"rest": {
		door: frontdoor.DoorREST, method: "POST", host: restAPI, client: "203.0.113.18:0",
		query: query, list: "first|second", cookies: "session=k3y theme=dark", answer: "multiValueHeaders", body: people, headers: 10,
	},
	"rest-console-test": {
		door: frontdoor.DoorREST, method: "GET", uri: "/people", host: "testPrefix.testDomainName", client: "test-invoke-source-ip:0", answer: "multiValueHeaders",
	},
	"httpapi": {
		door: frontdoor.DoorHTTPAPI, method: "POST", uri: "/people/new%20one?" + query, host: httpAPI, client: "203.0.113.18:0",
		query: query, list: "first,second", cookies: "session=k3y theme=dark", answer: "headers cookies", body: people, headers: 10,
	},
	"httpapi-format-1": {
		door: frontdoor.DoorREST, method: "GET", uri: "/live/people/new%20one?tag=one&tag=two", host: httpAPI, client: "203.0.113.18:0",
		query: "tag=one&tag=two", answer: "multiValueHeaders", headers: 6,
	},
	"functionurl": {
		door: frontdoor.DoorFunctionURL, method: "POST", uri: "/people/new%20one?" + query, host: furl, client: "203.0.113.18:0",
		query: query, list: "first,second", cookies: "session=k3y theme=dark", answer: "headers cookies", body: people, headers: 12,
	},
	"functionurl-binary": {
		door: frontdoor.DoorFunctionURL, method: "POST", uri: "/pictures", host: furl, client: "[2001:db8::7]:0", answer: "headers cookies",
		body: "\x89PNG\r\n\x1a", headers: 7,
	},
	"direct": {
		door: frontdoor.DoorDirect, method: "POST", uri: "/direct", client: "0.0.0.0:0", answer: "", headers: 2,
		body: string(frontdoortest.Recorded("direct")),
	},
}

func TestRecordedEvents(t *testing.T) {
	t.Parallel()
	for name, want := range recorded {
		called := false
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			called = true
			check := func(what string, got, want any) {
				if got != want {
					t.Errorf("%s: %s: got %q, want %q", name, what, fmt.Sprint(got), fmt.Sprint(want))
				}
			}
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Errorf("%s: reading the body: %v", name, err)
			}
			check("door", frontdoor.DoorOf(r.Context()), want.door)
			check("method", r.Method, want.method)
			check("host", r.Host, want.host)
			check("client", r.RemoteAddr, want.client)
			check("body", string(body), want.body)
			check("length", r.ContentLength, int64(len(body)))
			check("headers", len(r.Header), want.headers)
			check("list", strings.Join(r.Header.Values("X-List"), "|"), want.list)
			check("path", r.URL.EscapedPath(), cutQuery(r.RequestURI))
			var cookies []string
			for _, c := range r.Cookies() {
				cookies = append(cookies, c.String())
			}
			check("cookies", strings.Join(cookies, " "), want.cookies)
			if want.uri != "" {
				check("request line", r.RequestURI, want.uri)
			} else {
				check("path", r.URL.EscapedPath(), "/people/new%20one")
			}
			check("query", r.URL.Query().Encode(), encoded(want.query))
			http.SetCookie(w, &http.Cookie{Name: "a", Value: "1"})
		})
		out, err := frontdoor.NewInvoker(h, frontdoor.Options{DirectPath: "/direct", Logger: quiet}).Invoke(context.Background(), frontdoortest.Recorded(name))
		if err != nil || !called {
			t.Errorf("%s: got %s, %v; called: %v", name, out, err, called)
			continue
		}
		var answer map[string]any
		if err := json.Unmarshal(out, &answer); err != nil {
			t.Errorf("%s: the answer %s: %v", name, out, err)
		}
		for _, member := range []string{"headers", "multiValueHeaders", "cookies"} {
			_, got := answer[member]
			if want := slices.Contains(strings.Fields(want.answer), member); got != want {
				t.Errorf("%s: the answer has %s: %v, want %v", name, member, got, want)
			}
		}
	}
}

// Each recorded event is held to something.
func TestAllRecordedEvents(t *testing.T) {
	t.Parallel()
	never := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the handler was called") })
	for _, name := range frontdoortest.RecordedNames() {
		if _, ok := recorded[name]; ok {
			continue
		}
		taken := false
		o := frontdoor.Options{DirectPath: "/direct", Logger: quiet, Events: func(_ context.Context, event json.RawMessage) ([]byte, error) {
			taken = string(event) == string(frontdoortest.Recorded(name))
			return nil, nil
		}}
		if _, err := frontdoor.NewInvoker(never, o).Invoke(context.Background(), frontdoortest.Recorded(name)); err != nil || !taken {
			t.Errorf("%s is no HTTP request: %v; taken by Events as it is: %v", name, err, taken)
		}
	}
}

func cutQuery(uri string) string {
	path, _, _ := strings.Cut(uri, "?")
	return path
}

func encoded(query string) string {
	r, err := http.NewRequest(http.MethodGet, "/?"+query, nil)
	if err != nil {
		panic(err)
	}
	return r.URL.Query().Encode()
}
