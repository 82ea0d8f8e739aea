package deploytest

import (
	"encoding/xml"
	"fmt"
	"strings"
)

// markup is XML.
type markup string

// el gives an element of text and elements; none where its text is empty.
func el(name string, inner ...any) markup {
	var b strings.Builder
	for _, i := range inner {
		switch v := i.(type) {
		case markup:
			b.WriteString(string(v))
		default:
			_ = xml.EscapeText(&b, fmt.Append(nil, v)) // a Builder never fails
		}
	}
	return markup("<" + name + ">" + b.String() + "</" + name + ">")
}

// each gives a list of elements.
func each[T any](name string, all []T, one func(T) markup) markup {
	var b strings.Builder
	for _, v := range all {
		b.WriteString(string(el("member", one(v))))
	}
	return el(name, markup(b.String()))
}
