package frontdoor

import (
	"math/bits"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// scanner walks one JSON text (RFC 8259) in a single pass and without
// reflection. It accepts exactly what encoding/json's Valid accepts, which a
// fuzz target holds it to, and hands out substrings of the text: whoever makes
// the scanner owns the text and never changes it.
//
// A method that fails leaves bad set and moves to the end of the text, so that
// a walk needs to look at bad once, at its end.
type scanner struct {
	text  string
	at    int
	depth int
	bad   bool
}

// maxDepth is how deep values may nest: encoding/json's own limit.
const maxDepth = 10000

// jsonString is a JSON string as it stands between its quotes. Most strings of
// an event have no escapes and are used as they are; the others are decoded
// only if somebody asks.
type jsonString struct {
	raw     string
	escaped bool
}

// String decodes s. Halves of surrogate pairs become U+FFFD, as encoding/json
// has it; bytes that are not UTF-8 are left alone.
func (s jsonString) String() string {
	if !s.escaped {
		return s.raw
	}
	return unescape(s.raw)
}

// stop classifies the bytes at which a run of plain string characters ends.
var stop = func() (t [256]bool) {
	for c := range 0x20 {
		t[c] = true
	}
	t['"'], t['\\'] = true, true
	return t
}()

// run gives where the run of plain string characters that begins at i ends: at one of
// stop, or at the end. It looks at eight bytes at a time, since most of an event is such
// runs. Of a word's bytes those to stop at leave their high bit set: flipping one bit puts
// the quote right behind the control characters and the space out of their way, so that
// one subtraction finds both, and a second one the backslash (Mycroft's test; only the
// lowest bit is exact, and no byte over 0x7f has one).
func run[S string | []byte](s S, i int) int {
	const lows, highs = 0x0101010101010101, 0x8080808080808080
	for ; i+8 <= len(s); i += 8 {
		b := s[i : i+8] // one check of bounds, and so one load of a word
		w := uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
			uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
		found := (((w ^ lows*('"'^0x20)) - lows*0x21) | ((w ^ lows*'\\') - lows)) & ^w & highs
		if found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for i < len(s) && !stop[s[i]] {
		i++
	}
	return i
}

func (p *scanner) fail() {
	p.bad = true
	p.at = len(p.text)
}

// peek skips white space and returns the next byte, 0 at the end.
func (p *scanner) peek() byte {
	if p.at < len(p.text) && p.text[p.at] > ' ' {
		return p.text[p.at] // as machines write JSON
	}
	return p.peekFurther()
}

func (p *scanner) peekFurther() byte {
	for p.at < len(p.text) {
		switch c := p.text[p.at]; c {
		case ' ', '\n', '\t', '\r':
			p.at++
		default:
			return c
		}
	}
	return 0
}

// accept takes c, which is no white space, if it comes next.
func (p *scanner) accept(c byte) bool {
	if p.peek() != c {
		return false
	}
	p.at++
	return true
}

// end says whether the text was one valid JSON value and nothing after it.
func (p *scanner) end() bool {
	p.peek()
	return !p.bad && p.at == len(p.text)
}

// string takes a JSON string.
func (p *scanner) string() jsonString {
	if !p.accept('"') {
		p.fail()
		return jsonString{}
	}
	i := run(p.text, p.at)
	if i < len(p.text) && p.text[i] == '"' {
		s := jsonString{raw: p.text[p.at:i]}
		p.at = i + 1
		return s
	}
	return p.escapedString(i)
}

// escapedString takes the rest of a string whose first special character is at i.
func (p *scanner) escapedString(i int) jsonString {
	for i < len(p.text) && p.text[i] >= 0x20 {
		if p.text[i] == '"' {
			s := jsonString{raw: p.text[p.at:i], escaped: true}
			p.at = i + 1
			return s
		}
		n := escapeLen(p.text[i:])
		if n == 0 {
			break
		}
		i = run(p.text, i+n)
	}
	p.fail()
	return jsonString{}
}

// escapeLen is the length of the escape sequence s begins with, 0 if it is none.
func escapeLen(s string) int {
	if len(s) < 2 {
		return 0
	}
	switch s[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if len(s) < 6 {
			return 0
		}
		for _, c := range []byte(s[2:6]) {
			if hexDigit(c) < 0 {
				return 0
			}
		}
		return 6
	}
	return 0
}

// stringOrNull takes a string; any other value is skipped and reported absent.
func (p *scanner) stringOrNull() (jsonString, bool) {
	if p.peek() == '"' {
		return p.string(), !p.bad
	}
	p.skip()
	return jsonString{}, false
}

// isTrue takes any value and says whether it is the literal true.
func (p *scanner) isTrue() bool {
	if p.peek() == 't' {
		p.literal("true")
		return !p.bad
	}
	p.skip()
	return false
}

// object calls member for every member of an object, which must take the
// member's value. Any other value is skipped; it reports whether it was an object.
func (p *scanner) object(member func(key string)) bool {
	if p.peek() != '{' {
		p.skip()
		return false
	}
	for more := p.open('}'); more; more = p.more('}') {
		member(p.key().String())
	}
	return !p.bad
}

// key takes a member's name and the colon after it.
func (p *scanner) key() jsonString {
	s := p.string()
	if !p.accept(':') {
		p.fail()
	}
	return s
}

// array calls element for every element of an array, which must take it.
func (p *scanner) array(element func()) {
	if p.peek() != '[' {
		p.skip()
		return
	}
	for more := p.open(']'); more; more = p.more(']') {
		element()
	}
}

// open steps into an object or array and says whether it has any content.
func (p *scanner) open(closing byte) bool {
	p.at++
	if p.depth++; p.depth > maxDepth {
		p.fail()
		return false
	}
	if p.accept(closing) {
		p.depth--
		return false
	}
	return true
}

// more steps over what follows a member or an element and says whether there is another.
func (p *scanner) more(closing byte) bool {
	return p.accept(',') || p.close(closing)
}

// close steps out of an object or array; it is false, so that more can end in it.
func (p *scanner) close(closing byte) bool {
	if !p.accept(closing) {
		p.fail()
	}
	p.depth--
	return false
}

// skip takes any one value.
func (p *scanner) skip() {
	switch p.peek() {
	case '"':
		p.string()
	case '{':
		for more := p.open('}'); more; more = p.more('}') {
			p.key()
			p.skip()
		}
	case '[':
		for more := p.open(']'); more; more = p.more(']') {
			p.skip()
		}
	case 't':
		p.literal("true")
	case 'f':
		p.literal("false")
	case 'n':
		p.literal("null")
	default:
		p.number()
	}
}

func (p *scanner) literal(word string) {
	if !strings.HasPrefix(p.text[p.at:], word) {
		p.fail()
		return
	}
	p.at += len(word)
}

// number takes a number of RFC 8259, section 6.
func (p *scanner) number() {
	i := p.at
	if i < len(p.text) && p.text[i] == '-' {
		i++
	}
	first := i
	i = p.digits(i)
	if i == first || (p.text[first] == '0' && i > first+1) {
		p.fail()
		return
	}
	if i < len(p.text) && p.text[i] == '.' {
		fraction := i + 1
		if i = p.digits(fraction); i == fraction {
			p.fail()
			return
		}
	}
	if i < len(p.text) && p.text[i]|0x20 == 'e' {
		i++
		if i < len(p.text) && (p.text[i] == '+' || p.text[i] == '-') {
			i++
		}
		exponent := i
		if i = p.digits(exponent); i == exponent {
			p.fail()
			return
		}
	}
	p.at = i
}

// digits returns where the digits that begin at i end.
func (p *scanner) digits(i int) int {
	for i < len(p.text) && '0' <= p.text[i] && p.text[i] <= '9' {
		i++
	}
	return i
}

// unescape decodes the escapes of a string that was scanned, and so is valid.
func unescape(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for {
		i := strings.IndexByte(s, '\\')
		if i < 0 {
			b.WriteString(s)
			return b.String()
		}
		b.WriteString(s[:i])
		s = s[i:]
		if s[1] == 'u' {
			r, n := unescapeRune(s)
			b.WriteRune(r)
			s = s[n:]
			continue
		}
		b.WriteByte(escapes[s[1]])
		s = s[2:]
	}
}

// escapes are the characters that the letters after a backslash stand for.
var escapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// unescapeRune decodes the \uXXXX that s begins with, or the pair of them that
// makes up one character, and how long it was.
func unescapeRune(s string) (rune, int) {
	r := hexRune(s[2:6])
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	if len(s) >= 12 && s[6] == '\\' && s[7] == 'u' {
		if pair := utf16.DecodeRune(r, hexRune(s[8:12])); pair != utf8.RuneError {
			return pair, 12
		}
	}
	return utf8.RuneError, 6
}

func hexRune(s string) (r rune) {
	for i := range len(s) {
		r = r<<4 | rune(hexDigit(s[i])) //nolint:gosec // scanned, so 0 to 15
	}
	return r
}

func hexDigit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}
