package frontdoor

import (
	"net/http"
	"net/textproto"
	"strings"
)

// header gives the headers, cookies included, and apart from them the host. A value is
// never split: a list of values comes from a door that gives lists.
func (x *exchange) header() (h http.Header, host string) {
	e := &x.event
	all := either(e.multiHeaders, e.headers)
	h = make(http.Header, len(all))
	values := x.values[:] // one piece of memory for the common case of one value each
	if len(all) > len(values) {
		values = make([]string, len(all))
	}
	kept := 0
	for _, p := range all {
		switch key := canonical(p.name); key {
		case "Host": // net/http has it in a field of its own
			if host == "" {
				host = p.value
			}
		case "Transfer-Encoding": // the body is here, whole
		default:
			values[kept] = p.value
			h[key] = values[kept : kept+1 : kept+1]
			kept++
		}
	}
	if len(h) < kept { // some names came more than once
		again(h, all)
	}
	if len(e.cookies) > 0 && h["Cookie"] == nil {
		h["Cookie"] = []string{strings.Join(e.cookies, "; ")}
	}
	if host == "" {
		host = e.domain
	}
	return h, host
}

// again fills h anew, a list of values for each of its names.
func again(h http.Header, all []pair) {
	for key := range h {
		h[key] = nil
	}
	for _, p := range all {
		if key := canonical(p.name); key != "Host" && key != "Transfer-Encoding" {
			h[key] = append(h[key], p.value)
		}
	}
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
