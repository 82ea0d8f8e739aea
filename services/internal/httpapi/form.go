package httpapi

import (
	"maps"
	"net/url"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"spillway.example/services/internal/account"
)

// Form is embedded in the input of an operation that takes a form, as OAuth's do.
type Form struct {
	RawBody []byte `contentType:"application/x-www-form-urlencoded"`
}

// Values gives the form's fields. CodeInvalid names a required one that is missing or
// empty, and any that is there twice (RFC 6749 section 3.2).
func (f *Form) Values(required ...string) (url.Values, error) {
	values, err := url.ParseQuery(string(f.RawBody))
	if err != nil {
		return nil, &account.Error{Code: account.CodeInvalid, Message: "The body is no form.", Err: err}
	}
	wrong := &account.Error{Code: account.CodeInvalid, Message: "Some fields break a rule."}
	for _, name := range required {
		if values.Get(name) == "" {
			wrong.Fields = append(wrong.Fields, account.Field{Name: name, Message: isRequired})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if len(values[name]) > 1 && len(wrong.Fields) < maxErrors {
			wrong.Fields = append(wrong.Fields, account.Field{Name: name, Message: "must be there once"})
		}
	}
	if len(wrong.Fields) > 0 {
		return nil, wrong
	}
	return values, nil
}

// FormField describes a field of a form.
type FormField struct {
	Name, Description, Example string
	Required                   bool
}

// describeForm puts the fields of an operation's form into the OpenAPI document.
func describeForm(op *huma.Operation, fields []FormField) {
	schema := &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{}}
	for _, f := range fields {
		schema.Properties[f.Name] = &huma.Schema{Type: huma.TypeString, Description: f.Description, Examples: []any{f.Example}}
		if f.Required {
			schema.Required = append(schema.Required, f.Name)
		}
	}
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{formType: {Schema: schema}}}
}
