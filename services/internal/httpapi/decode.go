package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
)

// strictJSON is how bodies are read. What it fails with is for the caller, and repeats
// nothing of a body but the names of members.
var strictJSON = huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: decode}

// complaint is what is wrong with a body, as a sentence for the caller.
type complaint string

func (c complaint) Error() string { return string(c) }

// decode refuses, beside what encoding/json does, what two readers may take for two things:
// bytes that are no UTF-8 (RFC 8259 section 8.1), and a member that is there twice
// (section 4). huma decodes a body twice, first to hold it to its schema.
func decode(body []byte, to any) error {
	if !utf8.Valid(body) {
		return complaint("The body is not valid UTF-8.")
	}
	if err := json.Unmarshal(body, to); err != nil {
		if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
			return complaint(fmt.Sprintf("The body is not valid JSON: it ends or goes wrong at byte %d.", syntax.Offset))
		}
		return complaint("The body has a value that cannot be read, such as a number out of range.")
	}
	if _, first := to.(*any); !first {
		return nil
	}
	if name, found := repeated(body); found {
		return complaint(fmt.Sprintf("The body has the member %q more than once; send it once.", shortened(name)))
	}
	return nil
}

// repeated gives the name of a member that an object in valid JSON has twice.
func repeated(body []byte) (name string, found bool) {
	type object struct {
		names map[string]bool // nil of an array
		named bool            // whether a value comes next
	}
	open := []*object{{}}
	for d := json.NewDecoder(bytes.NewReader(body)); ; {
		token, err := d.Token()
		if err != nil { // the end
			return "", false
		}
		in := open[len(open)-1]
		if name, ok := token.(string); ok && in.names != nil && !in.named {
			if in.names[name] {
				return name, true
			}
			in.names[name], in.named = true, true
			continue
		}
		in.named = false
		switch token {
		case json.Delim('{'):
			open = append(open, &object{names: map[string]bool{}})
		case json.Delim('['):
			open = append(open, &object{})
		case json.Delim('}'), json.Delim(']'):
			open = open[:len(open)-1]
		}
	}
}
