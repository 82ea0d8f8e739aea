package frontdoor_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"spillway.example/frontdoor"
	"spillway.example/frontdoor/frontdoortest"
)

// A fuzz target for each door's events: what encoding/json refuses is an error, whatever
// it takes is an answer in JSON or an error, and never a panic. A handler sees a request
// with all that net/http promises of one.

func FuzzALB(f *testing.F) {
	fuzz(f, []frontdoortest.Form{frontdoortest.ALB, frontdoortest.ALBMulti}, "alb", "alb-multi", "alb-health-check")
}

func FuzzREST(f *testing.F) {
	fuzz(f, []frontdoortest.Form{frontdoortest.REST}, "rest", "rest-console-test", "httpapi-format-1")
}

func FuzzHTTPAPI(f *testing.F) { fuzz(f, []frontdoortest.Form{frontdoortest.HTTPAPI}, "httpapi") }

func FuzzFunctionURL(f *testing.F) {
	fuzz(f, []frontdoortest.Form{frontdoortest.FunctionURL}, "functionurl", "functionurl-binary")
}

func FuzzDirect(f *testing.F) { fuzz(f, nil, "direct", "sqs", "eventbridge", "websocket") }

// fuzz begins with a door's recorded events, and those that it makes of the table.
func fuzz(f *testing.F, forms []frontdoortest.Form, names ...string) {
	for _, name := range names {
		f.Add(frontdoortest.Recorded(name))
	}
	for _, form := range forms {
		for _, q := range frontdoortest.Requests() {
			if q.Not[form] == "" && len(q.Body) < 1000 {
				event, err := frontdoortest.Event(form, q.Method, q.Target, q.Host, q.Header, []byte(q.Body))
				if err != nil {
					f.Fatal(err)
				}
				f.Add(event)
			}
		}
	}
	f.Fuzz(func(t *testing.T, event []byte) {
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for _, broken := range promises(r) {
				t.Errorf("%s, in %+v", broken, r)
			}
			raw, ok := frontdoor.RawEvent(r.Context())
			if !ok || string(raw) != string(event) {
				t.Errorf("the raw event is %q, %v", raw, ok)
			}
			w.Header().Set("X-Path", r.URL.Path)
			_, _ = io.WriteString(w, r.RequestURI)
		})
		i := frontdoor.NewInvoker(h, frontdoor.Options{DirectPath: "/direct", Logger: quiet})
		out, err := i.Invoke(context.Background(), event)
		if !json.Valid(event) && err == nil {
			t.Errorf("no error, and %q is not JSON", event)
		}
		if err == nil && !json.Valid(out) {
			t.Errorf("the answer %q is not JSON", out)
		}
		stream, streamErr := i.Stream(context.Background(), event)
		if (streamErr == nil) != (err == nil) {
			t.Errorf("whole it ends in %v, streamed in %v", err, streamErr)
		}
		if streamErr == nil {
			if _, err := io.Copy(io.Discard, stream); err != nil {
				t.Errorf("the stream ends in %v", err)
			}
		}
	})
}

// promises gives what a request breaks of what net/http promises of one.
func promises(r *http.Request) (broken []string) {
	must := func(holds bool, what string) {
		if !holds {
			broken = append(broken, what)
		}
	}
	noBody := r.Body == http.NoBody
	body, err := io.ReadAll(r.Body)
	must(err == nil, "the body cannot be read")
	must(int64(len(body)) == r.ContentLength, "the length is not the body's")
	must((len(body) == 0) == noBody, "an empty body is not http.NoBody")
	if said := r.Header["Content-Length"]; len(said) > 0 || len(body) > 0 {
		must(len(said) == 1 && said[0] == strconv.Itoa(len(body)), "the header Content-Length is not the body's length")
	}
	_, _, err = net.SplitHostPort(r.RemoteAddr)
	must(err == nil, "the client's address is not host:port")
	must(r.Host == "" || len(r.Header["Host"]) == 0, "Host is among the headers")
	u, err := url.ParseRequestURI(r.RequestURI)
	must(err == nil, "the request line does not parse")
	if err == nil {
		must(u.EscapedPath() == r.URL.EscapedPath() && u.Path == r.URL.Path && u.RawQuery == r.URL.RawQuery, "the request line is not the URL")
	}
	must(!strings.HasSuffix(r.RequestURI, "?"), "there is a trailing ?")
	must(r.Method != "", "there is no method")
	for name, values := range r.Header {
		must(name == textproto.CanonicalMIMEHeaderKey(name), "the header "+name+" is not in net/http's spelling")
		must(len(values) > 0, "the header "+name+" has no value")
	}
	return broken
}

// FuzzRequest holds doors to net/http with whatever it makes of a request: where net/http
// takes it and a door can carry it, it comes out equal.
func FuzzRequest(f *testing.F) {
	for _, q := range frontdoortest.Requests() {
		f.Add(q.Method, q.Target, q.Header.Get("X-Value"), q.Header.Get("Cookie"), []byte(q.Body[:min(len(q.Body), 100)]))
	}
	f.Fuzz(func(t *testing.T, method, target, value, cookie string, body []byte) {
		if !utf8.ValidString(target+value+cookie) || strings.ContainsFunc(target+value+cookie, func(r rune) bool { return r < ' ' || r == 0x7f }) ||
			method == http.MethodConnect || strings.ContainsFunc(method, func(r rune) bool { return r < 'A' || r > 'Z' }) ||
			!strings.HasPrefix(target, "/") || strings.ContainsAny(target, " #") || strings.HasSuffix(target, "?") {
			return // no request, or none that reaches a function
		}
		if _, err := url.ParseRequestURI(target); err != nil || method == "" {
			return
		}
		q := frontdoortest.Request{Method: method, Target: target, Host: "service.example.com", Header: http.Header{}, Body: string(body)}
		if value = strings.TrimSpace(value); value != "" {
			q.Header.Set("X-Value", value)
		}
		if cookie = strings.TrimSpace(cookie); cookie != "" {
			q.Header.Set("Cookie", cookie)
		}
		for _, form := range frontdoortest.Forms() {
			if !carries(form, target) {
				continue
			}
			differences, err := frontdoortest.Check(form, q, ours)
			if err != nil || len(differences) > 0 {
				t.Fatalf("%s %q through %s: %v %s", q.Method, q.Target, form, err, strings.Join(differences, "\n\t"))
			}
		}
	})
}

// carries says whether a form keeps what there is of a target.
func carries(form frontdoortest.Form, target string) bool {
	_, query, _ := strings.Cut(target, "?")
	values, err := url.ParseQuery(query)
	text := true
	for name, all := range values {
		text = text && utf8.ValidString(name+strings.Join(all, ""))
	}
	repeats := false
	seen := map[string]bool{}
	for p := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(p, "=")
		repeats = repeats || seen[name]
		seen[name] = true
	}
	switch form {
	case frontdoortest.ALB:
		return !repeats
	case frontdoortest.ALBMulti:
		return true
	case frontdoortest.REST:
		return err == nil && text
	case frontdoortest.HTTPAPI:
		return survivesDecoding(target)
	}
	return true
}
