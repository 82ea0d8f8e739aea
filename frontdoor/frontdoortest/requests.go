package frontdoortest

import (
	"fmt"
	"net/http"
	"strings"
)

// Request is one row of the table for requests: as it stands on the wire, it must reach
// a handler through a door as it does through net/http.
type Request struct {
	Name, Method, Target, Host string
	Header                     http.Header
	Body                       string
	// Not are the doors that cannot carry it, and why.
	Not map[Form]string

	direct any // its event, where that is not made of the rest
}

const standard = "it knows the standard methods alone"

// many are so many headers.
func many(n int) http.Header {
	h := http.Header{}
	for i := range n {
		h.Set(fmt.Sprintf("X-Header-%d", i), fmt.Sprint("value ", i))
	}
	return h
}

const repeats = "it keeps the last of repeated values"

// Requests gives the table for requests.
func Requests() []Request {
	oneOnly := map[Form]string{ALB: repeats}
	decodes := map[Form]string{HTTPAPI: "it decodes the path"}
	refuses := map[Form]string{REST: "it refuses the query"}
	lists := map[Form]string{ALB: repeats, HTTPAPI: "it joins repeated headers", FunctionURL: "it joins repeated headers"}
	with := func(name string, values ...string) http.Header { return http.Header{name: values} }
	text := with("Content-Type", "text/plain")
	always := func(why string) map[Form]string {
		return map[Form]string{ALB: why, ALBMulti: why, REST: why, HTTPAPI: why, FunctionURL: why}
	}
	qs := []Request{
		{Target: "/", Header: with("Accept", "*/*")},
		{Target: "/a/b/c"},
		{Target: "/space%20value"},
		{Target: "/percent%25sign"},
		{Target: "/slash%2Finside", Not: decodes},
		{Target: "/plus+and%2Bplus", Not: decodes},
		{Target: "/colon:at@semi;comma,"},
		{Target: "/%E7%8E%8B/%C3%A9"},
		{Target: "//double//slashes/"},
		{Target: "/./dot/../segments"},
		{Target: "/trailing/"},
		{Target: "/quote'and(parens)*", Not: decodes},
		{Target: "/q?a=1"},
		{Target: "/q?a=1&b=2&a=3", Not: oneOnly},
		{Target: "/q?empty="},
		{Target: "/q?space=a%20b&plus=a+b&enc=a%2Bb"},
		{Target: "/q?url=https%3A%2F%2Fexample.com%2Fa%3Fb%3Dc%26d"},
		{Target: "/q?%E7%8E%8B=%C3%A9"},
		{Target: "/q?a%5B%5D=1&b%5Bc%5D=2"},
		{Target: "/q?semi=a;b", Not: refuses},
		{Target: "/q?comma=a,b,c"},
		{Target: "/q?percent=100%25"},
		{Target: "/q?bad=%zz", Not: refuses},
		{Method: "POST", Target: "/", Body: `{"message":"λ"}`, Header: with("Content-Type", "application/json")},
		{Method: "POST", Target: "/form", Body: "a=1&b=two+words&a=%2B", Header: with("Content-Type", "application/x-www-form-urlencoded")},
		{Method: "PUT", Target: "/", Body: "text with \"quotes\" and \\ and \n and \t", Header: text},
		{Method: "PATCH", Target: "/", Body: "x", Header: text},
		{Method: "DELETE", Target: "/"},
		{Method: "OPTIONS", Target: "/"},
		{Method: "HEAD", Target: "/"},
		{Method: "POST", Target: "/no-body"},
		{Method: "POST", Target: "/binary", Body: "\x89PNG\xff\xfe\x00\r\n", Header: with("Content-Type", "image/png")},
		{Method: "POST", Target: "/gzip", Body: "\x1f\x8b\x08\x00\x00", Header: http.Header{"Content-Encoding": {"gzip"}, "Content-Type": {"text/plain"}}},
		{Method: "POST", Target: "/nul", Body: "a\x00b\u2028c", Header: text},
		{Method: "POST", Target: "/emoji", Body: "😀 \U0010ffff", Header: text},
		{Method: "POST", Target: "/1k", Body: strings.Repeat("0123456789abcdef", 64), Header: text},
		{Method: "POST", Target: "/512k", Body: strings.Repeat("0123456789abcdef", 32<<10), Header: text},
		{Method: "POST", Target: "/1m", Body: strings.Repeat("\xff\xfe\xfd\xfc", 256<<10), Header: with("Content-Type", "application/octet-stream")},
		{Header: with("Cookie", "a=1")},
		{Header: with("Cookie", "a=1; b=2; c=three%20words")},
		{Header: with("Cookie", `q="quoted"; e=`)},
		{Header: with("If-Modified-Since", "Tue, 10 Nov 2026 12:00:00 GMT")},
		{Header: with("Accept", "text/html,application/json;q=0.9,*/*;q=0.8")},
		{Header: with("X-Repeat", "first", "second"), Not: lists},
		{Header: with("X-Repeat", "a, b", "c"), Not: lists},
		{Header: with("X-Empty", "")},
		{Header: with("X-Utf8", "caf\u00e9")},
		{Header: with("Authorization", "Bearer a.b.c")},
		{Header: with("X-MiXeD-cAsE", "1")},
		{Header: with("Range", "bytes=0-1")},
		{Header: with("Cookie", "a=1; a=2")},
		{Header: with("x-oDD-cAsE_and_underscore", "1")},
		{Header: with("Expect", "100-continue"), Method: "POST", Body: "after the continue"},
		{Header: with("X-Forwarded-Host", "other.example.com"), Name: "X-Forwarded-Host"},
		{Header: with("X-Amzn-Request-Context", `{"forged":true}`), Name: "what another adapter takes for its own"},
		{Header: with("X-Quoted", `"a, b", c="d\\"`)},
		{Header: with("X-Spaces", "a  b\tc")},
		{Header: with("X-Long", strings.Repeat("long ", 1600)+"."), Name: "a header of 8 KB"},
		{Header: many(60), Name: "60 headers"},
		{Target: "/q?a"},
		{Target: "/q?a&b=&c=1"},
		{Target: "/q?=v"},
		{Target: "/q?a=1&&b=2"},
		{Target: "/q?a=b=c"},
		{Target: "/q?a=%00%0D%0A"},
		{Target: "/q?a=%FF", Not: map[Form]string{REST: "it decodes the query, and JSON has no such byte"}},
		{Target: "/q?a=?/:@"},
		{Target: "/q?", Not: always("no event tells an empty query from none")},
		{Target: "/%FF", Not: map[Form]string{HTTPAPI: "it decodes the path, and JSON has no such byte"}},
		{Target: "/%2e%2e/x", Not: decodes},
		{Target: "/" + strings.Repeat("long/", 400), Name: "a path of 2 KB"},
		{Target: "/q?a=" + strings.Repeat("long", 500), Name: "a query of 2 KB"},
		{Method: "PURGE", Not: map[Form]string{REST: standard, HTTPAPI: standard}},
		{Method: "GET", Target: "/with-a-body", Body: "body", Header: text},
		{Method: "DELETE", Target: "/with-a-body", Body: "body", Header: text},
		{Method: "POST", Target: "/latin-1", Body: "caf\xe9", Header: with("Content-Type", "text/plain; charset=iso-8859-1")},
		{Method: "POST", Target: "/spaces", Body: " \r\n\t ", Header: text},
		{Method: "POST", Target: "/null", Body: "null", Header: with("Content-Type", "application/json")},
		{Method: "POST", Target: "/multipart", Body: "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.png\"\r\n\r\n\x89PNG\r\n--b--\r\n",
			Header: with("Content-Type", "multipart/form-data; boundary=b")},
		{Method: "POST", Target: "/no-type", Body: "a=1"},
		{Method: "POST", Target: "/broken-form", Body: "a=%zz&b=1", Header: with("Content-Type", "application/x-www-form-urlencoded")},
	}
	for _, n := range []int{1, 2, 3, 4095, 4097, 65535} { // each padding of base64, and around the sizes of buffers
		qs = append(qs, Request{Method: "POST", Name: fmt.Sprintf("%d bytes, binary", n), Body: strings.Repeat("\xff\x00\xfe", n)[:n]})
		qs = append(qs, Request{Method: "POST", Name: fmt.Sprintf("%d bytes, text", n), Body: strings.Repeat("λ\"x", n)[:n/4*4], Header: text})
	}
	// Each character that means something somewhere, in each place.
	for _, c := range " !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~" {
		escaped := fmt.Sprintf("%%%02X", c)
		path := Request{Name: "path with " + escaped, Target: "/p/" + escaped}
		if !strings.ContainsRune(" \"#%<>?[\\]^`{|}", c) {
			path.Not = decodes // and this spelling of it is lost
		}
		qs = append(qs,
			path,
			Request{Name: "query with " + escaped, Target: "/q?v=" + escaped},
			Request{Name: fmt.Sprintf("header with %q", c), Header: with("X-Value", "a"+string(c)+"b")},
		)
	}
	for i := range qs {
		qs[i].fill()
	}
	return qs
}

func (q *Request) fill() {
	set := func(s *string, otherwise string) {
		if *s == "" {
			*s = otherwise
		}
	}
	set(&q.Method, http.MethodGet)
	set(&q.Target, "/")
	set(&q.Host, "service.example.com")
	if q.Header == nil {
		q.Header = http.Header{}
	}
	name := []string{q.Method, q.Target}
	for h, values := range q.Header {
		if h != "Content-Type" {
			name = append(name, fmt.Sprintf("%s: %q", h, values))
		}
	}
	set(&q.Name, strings.Join(name, " "))
}
