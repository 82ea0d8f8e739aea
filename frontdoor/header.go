package frontdoor

import (
	"net/http"
	"net/textproto"
	"strings"
)

// header gives the headers, cookies included. A value is never split: a list of values
// comes from a door that gives lists.
func (e *event) header() http.Header {
	all := either(e.multiHeaders, e.headers)
	h := make(http.Header, len(all)+2)
	values := make([]string, len(all)) // one piece of memory for the common case of one value each
	for i, p := range all {
		values[i] = p.value
		h[canonical(p.name)] = values[i : i+1 : i+1]
	}
	if len(h) < len(all) { // some names came more than once
		clear(h)
		for _, p := range all {
			key := canonical(p.name)
			h[key] = append(h[key], p.value)
		}
	}
	if len(e.cookies) > 0 && h["Cookie"] == nil {
		h["Cookie"] = []string{strings.Join(e.cookies, "; ")}
	}
	return h
}

// canonical gives a header's name in net/http's spelling. The names that doors and
// browsers send all the time and net/textproto does not know cost no memory.
func canonical(name string) string {
	if c, ok := common[name]; ok {
		return c
	}
	return textproto.CanonicalMIMEHeaderKey(name)
}

var common = func() map[string]string {
	m := map[string]string{}
	for _, name := range []string{
		"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Host", "X-Amzn-Trace-Id",
		"X-Amzn-Tls-Version", "X-Amzn-Tls-Cipher-Suite", "X-Amz-Cf-Id", "X-Request-Id", "X-Requested-With",
		"Accept", "Accept-Encoding", "Accept-Language", "Authorization", "Cache-Control", "Connection", "Content-Encoding",
		"Content-Length", "Content-Type", "Cookie", "Dnt", "Host", "If-Modified-Since", "If-None-Match", "Origin",
		"Pragma", "Priority", "Range", "Referer", "Sec-Ch-Ua", "Sec-Ch-Ua-Mobile", "Sec-Ch-Ua-Platform",
		"Sec-Fetch-Dest", "Sec-Fetch-Mode", "Sec-Fetch-Site", "Sec-Fetch-User", "Te", "Traceparent", "Tracestate",
		"Upgrade-Insecure-Requests", "User-Agent", "Via",
	} {
		m[name], m[strings.ToLower(name)] = name, name
	}
	return m
}()
