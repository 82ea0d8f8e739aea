package frontdoor

import (
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
)

// What a handler writes is put right as net/http does before it goes on the wire. A door
// would refuse it, or take it for something else.

// sendable says whether a name is a field name (RFC 9110 section 5.1); net/http leaves
// others out, and with them the keys that begin with [http.TrailerPrefix].
func sendable(name string) bool {
	for i := range len(name) {
		if c := name[i]; c >= 0x80 || !token[c] {
			return false
		}
	}
	return name != ""
}

// token are the characters of a token (RFC 9110 section 5.6.2).
var token = func() (t [0x80]bool) {
	for c := range t {
		t[c] = '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z' || strings.IndexByte("!#$%&'*+-.^_`|~", byte(c)) >= 0
	}
	return t
}()

// oneLine gives a field value on one line, with no space around it.
func oneLine(v string) string {
	if strings.IndexByte(v, '\n') >= 0 || strings.IndexByte(v, '\r') >= 0 {
		v = strings.NewReplacer("\n", " ", "\r", " ").Replace(v)
	}
	return textproto.TrimString(v)
}

// declared reads a Content-Length, -1 where it says none.
func declared(values []string) int64 {
	if len(values) == 0 {
		return -1
	}
	if n, err := strconv.ParseInt(values[0], 10, 64); err == nil && n >= 0 {
		return n
	}
	return -1
}

// bodyAllowed says whether an answer of this status has a body (RFC 9110 section 6.4.1).
func bodyAllowed(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}

// informational says whether a status is one that the final one follows: it is not for a
// door.
func informational(status int) bool {
	return status >= 100 && status < 200 && status != http.StatusSwitchingProtocols
}

// mustBeStatus panics where net/http does.
func mustBeStatus(status int) {
	if status < 100 || status > 999 {
		panic("invalid WriteHeader code " + strconv.Itoa(status))
	}
}

// typeOf tells a body's type by its beginning, as net/http does where the handler says
// none; "" where it is not to be told.
func typeOf(body []byte) string {
	if len(body) == 0 {
		return ""
	}
	return http.DetectContentType(body)
}
