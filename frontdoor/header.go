package frontdoor

import (
	"net/http"
	"net/textproto"
	"strings"
)

// header gives the headers, cookies included. A value is never split: a list of values
// comes from a door that gives lists.
func (x *exchange) header() http.Header {
	e := &x.event
	all := either(e.multiHeaders, e.headers)
	h := make(http.Header, len(all)+2)
	values := x.values[:] // one piece of memory for the common case of one value each
	if len(all) > len(values) {
		values = make([]string, len(all))
	}
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
// browsers send all the time cost no memory and next to no time.
func canonical(name string) string {
	if name == "" {
		return ""
	}
	if k := &known[slot(name)]; k.lower == name {
		return k.name
	}
	return textproto.CanonicalMIMEHeaderKey(name)
}

// slot is where a name is in known, if it is there.
func slot(name string) byte { return byte(len(name))*17 + name[0]*5 + name[len(name)-1]*3 } //nolint:gosec // a hash: it may overflow

// known are the names, in lower case as HTTP/2 has them. Where two fall on one slot the
// first keeps it.
var known = func() (table [256]struct{ lower, name string }) {
	for _, name := range []string{
		"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Host", "X-Amzn-Trace-Id",
		"X-Amzn-Tls-Version", "X-Amzn-Tls-Cipher-Suite", "X-Amz-Cf-Id", "X-Request-Id", "X-Requested-With",
		"Accept", "Accept-Encoding", "Accept-Language", "Authorization", "Cache-Control", "Connection", "Content-Encoding",
		"Content-Length", "Content-Type", "Cookie", "Dnt", "Host", "If-Modified-Since", "If-None-Match", "Origin",
		"Pragma", "Priority", "Range", "Referer", "Sec-Ch-Ua", "Sec-Ch-Ua-Mobile", "Sec-Ch-Ua-Platform",
		"Sec-Fetch-Dest", "Sec-Fetch-Mode", "Sec-Fetch-Site", "Sec-Fetch-User", "Te", "Traceparent", "Tracestate",
		"Upgrade-Insecure-Requests", "User-Agent", "Via",
	} {
		lower := strings.ToLower(name)
		if k := &table[slot(lower)]; k.lower == "" {
			k.lower, k.name = lower, name
		}
	}
	return table
}()
