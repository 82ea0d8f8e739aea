package verify

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/valyala/fastjson"
)

// maxToken is the longest token that is looked at, in bytes. Cognito's have about one
// thousand.
const maxToken = 16 << 10

var parsers fastjson.ParserPool

// object is a JSON object. Its names are unique, and count as they are written: a claim
// that was there twice, or `SUB` beside `sub`, could mean one thing to us and another to
// whoever reads the token next (RFC 7519 section 4).
type object struct{ v *fastjson.Value }

// parseObject reads an object and calls use with it; it must keep nothing of it.
func parseObject(raw []byte, use func(object) error) error {
	p := parsers.Get()
	defer parsers.Put(p)
	v, err := p.ParseBytes(raw)
	if err != nil {
		return errors.New("it is no JSON")
	}
	o, err := v.Object()
	if err != nil {
		return errors.New("it is no JSON object")
	}
	names, twice := make(map[string]struct{}, o.Len()), false
	o.Visit(func(name []byte, _ *fastjson.Value) {
		_, there := names[string(name)]
		names[string(name)] = struct{}{}
		twice = twice || there
	})
	if twice {
		return errors.New("a name is there twice")
	}
	return use(object{v})
}

// text gives a member that is a string, or "" where there is none.
func (o object) text(name string) (string, error) {
	v := o.v.Get(name)
	if v == nil {
		return "", nil
	}
	b, err := v.StringBytes()
	if err != nil {
		return "", fmt.Errorf("%s is no text", name)
	}
	return string(b), nil
}

// texts gives a member that is an array of strings, or one string.
func (o object) texts(name string) ([]string, error) {
	v := o.v.Get(name)
	if v == nil {
		return nil, nil
	}
	if b, err := v.StringBytes(); err == nil {
		return []string{string(b)}, nil
	}
	values, err := v.Array()
	if err != nil {
		return nil, fmt.Errorf("%s is no list of texts", name)
	}
	all := make([]string, len(values))
	for i, v := range values {
		b, err := v.StringBytes()
		if err != nil {
			return nil, fmt.Errorf("%s is no list of texts", name)
		}
		all[i] = string(b)
	}
	return all, nil
}

// maxDate is the latest NumericDate that is one: the end of the year 9999.
const maxDate = 253402300799

// date gives a member that is a NumericDate, the zero time where there is none.
func (o object) date(name string) (time.Time, error) {
	v := o.v.Get(name)
	if v == nil {
		return time.Time{}, nil
	}
	seconds, err := v.Float64()
	if err != nil || !(seconds >= 0 && seconds <= maxDate) {
		return time.Time{}, fmt.Errorf("%s is no date", name)
	}
	whole, part := math.Modf(seconds)
	return time.Unix(int64(whole), int64(part*1e9)).UTC(), nil
}

// keyID gives the key id that the header of a compact JWS names (RFC 7515 section 7.1).
// All else that the header may say of keys (jwk, jku, x5c, x5u) is nothing to us.
func keyID(token string) (string, error) {
	if !compact(token) {
		return "", errors.New("it is no compact JWS")
	}
	encoded, _, _ := strings.Cut(token, ".")
	header, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		return "", errors.New("its header is not base64url")
	}
	var id string
	err = parseObject(header, func(o object) (err error) {
		id, err = o.text("kid")
		return err
	})
	if err != nil {
		return "", fmt.Errorf("its header: %w", err)
	}
	if id == "" {
		return "", errors.New("it names no key")
	}
	return id, nil
}

// compact says whether a text is three parts in base64url with dots between them, and
// nothing else: no padding, no white space, no other alphabet.
func compact(token string) bool {
	dots := 0
	for i := range len(token) {
		switch c := token[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_':
		case c == '.':
			dots++
		default:
			return false
		}
	}
	return dots == 2
}
