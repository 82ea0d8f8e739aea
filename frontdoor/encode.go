package frontdoor

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

// appendString appends s as a JSON string (RFC 8259 section 7). What is no UTF-8 becomes
// U+FFFD, as encoding/json has it.
func appendString(b []byte, s string) []byte {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\ufffd")
	}
	return appendText(b, s)
}

// appendText appends s, which is UTF-8, as a JSON string.
func appendText[S string | []byte](b []byte, s S) []byte {
	b = append(b, '"')
	for i := 0; i < len(s); {
		end := run(s, i)
		b = append(b, s[i:end]...)
		if end == len(s) {
			break
		}
		b = appendEscape(b, s[end])
		i = end + 1
	}
	return append(b, '"')
}

func appendEscape(b []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\n':
		return append(b, '\\', 'n')
	case '\r':
		return append(b, '\\', 'r')
	case '\t':
		return append(b, '\\', 't')
	}
	const hex = "0123456789abcdef"
	return append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf])
}

func appendBase64(b, body []byte) []byte { return base64.StdEncoding.AppendEncode(b, body) }
