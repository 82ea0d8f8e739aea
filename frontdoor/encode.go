package frontdoor

import (
	"encoding/base64"
	"unicode/utf8"
)

// appendString appends s as a JSON string (RFC 8259 section 7). What is no UTF-8 becomes
// U+FFFD, as encoding/json has it.
func appendString[S string | []byte](b []byte, s S) []byte {
	b = append(b, '"')
	begin := 0 // of what is not yet appended
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if !stop[c] {
				i++
				continue
			}
			b = append(b, s[begin:i]...)
			b = appendEscape(b, c)
			i++
			begin = i
			continue
		}
		r, size := utf8.DecodeRuneInString(string(s[i:min(len(s), i+utf8.UTFMax)]))
		if r == utf8.RuneError && size == 1 {
			b = append(b, s[begin:i]...)
			b = append(b, `\ufffd`...)
			begin = i + 1
		}
		i += size
	}
	b = append(b, s[begin:]...)
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
