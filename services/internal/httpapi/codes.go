package httpapi

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"spillway.example/services/internal/account"
)

// codeDraining is readyz's, of a process that is about to end.
const codeDraining = "draining"

// kind is what a code is at this edge.
type kind struct {
	status  int
	example string // of the detail
}

// kinds is the one map from the domain's codes to HTTP's statuses, and what the OpenAPI
// document shows for each.
var kinds = map[account.Code]kind{
	account.CodeInternal:           {http.StatusInternalServerError, internalMessage},
	account.CodeInvalid:            {http.StatusUnprocessableEntity, "Some fields break a rule."},
	account.CodeUsernameTaken:      {http.StatusConflict, "The username is taken."},
	account.CodeConflict:           {http.StatusConflict, "The address belongs to another account."},
	account.CodeVersionRequired:    {http.StatusPreconditionRequired, "A change needs the profile's ETag in If-Match."},
	account.CodeVersionChanged:     {http.StatusPreconditionFailed, "The profile has changed; read it again."},
	account.CodeNotFound:           {http.StatusNotFound, "The account is gone."},
	account.CodeInvalidCredentials: {http.StatusUnauthorized, "The username or the password is wrong."},
	account.CodeWrongPassword:      {http.StatusForbidden, "The password is wrong."},
	account.CodeInvalidToken:       {http.StatusUnauthorized, "The token is not valid, or no longer is."},
	account.CodeNotConfirmed:       {http.StatusForbidden, "The account waits for its confirmation code."},
	account.CodeAlreadyConfirmed:   {http.StatusConflict, "The account is confirmed already."},
	account.CodeMismatch:           {http.StatusBadRequest, "The code is wrong, or is not the newest one."},
	account.CodeExpired:            {http.StatusBadRequest, "The code has expired or was tried too often; ask for a new one."},
	account.CodeChallenge:          {http.StatusForbidden, "The directory wants a further step."},
	account.CodeUnsupported:        {http.StatusNotFound, "The directory cannot do this, or the service is not set up for it."},
	account.CodeTooManyRequests:    {http.StatusTooManyRequests, "Too many requests; try again later."},
	account.CodeKeyReused:          {http.StatusUnprocessableEntity, "The Idempotency-Key came before with another request; use a new one."},
	account.CodeInProgress:         {http.StatusConflict, "The same request is still being worked on."},
	account.CodeUnavailable:        {http.StatusServiceUnavailable, "The service is not available at the moment; try again later."},

	// These never reach the domain.
	codeDraining:  {http.StatusServiceUnavailable, "The process is about to end."},
	codeMalformed: {http.StatusBadRequest, ""},
	codeTooLarge:  {http.StatusRequestEntityTooLarge, ""},
	codeMediaType: {http.StatusUnsupportedMediaType, ""},
	codeSlow:      {http.StatusRequestTimeout, ""},
	codeClient:    {http.StatusUnauthorized, ""},
}

// errorHeaders are what an error answer may carry, by its status.
var errorHeaders = map[int]map[string]*huma.Param{
	http.StatusUnauthorized:       {"WWW-Authenticate": header(huma.TypeString, "RFC 6750 section 3", `Bearer error="invalid_token"`)},
	http.StatusConflict:           {"Retry-After": retryAfter},
	http.StatusServiceUnavailable: {"Retry-After": retryAfter},
	http.StatusTooManyRequests: {
		"Retry-After":      retryAfter,
		"RateLimit-Policy": header(huma.TypeString, "The budget that is used up, with its quota and its window in seconds (draft-ietf-httpapi-ratelimit-headers)", `"guess.pair";q=10;w=60`),
		"RateLimit":        header(huma.TypeString, "What is left of it, and in how many seconds there is more", `"guess.pair";r=0;t=42`),
	},
}

// mediaHeaders are those of an answer to a body that cannot be read.
func mediaHeaders(mediaType string) map[string]*huma.Param {
	return map[string]*huma.Param{
		"Accept":          header(huma.TypeString, "Of a body of another type, the one that is taken (RFC 9110 section 15.5.16)", mediaType),
		"Accept-Encoding": header(huma.TypeString, "Of a body with a Content-Encoding, that none is taken (RFC 9110 section 15.5.16)", noCoding),
	}
}

// clientHeaders are those of an answer to a service that did not show its secret.
var clientHeaders = map[string]*huma.Param{
	"WWW-Authenticate": header(huma.TypeString, "RFC 6749 section 5.2, RFC 7617; a second line offers Bearer", basicChallenge),
}

var retryAfter = header(huma.TypeInteger, "In how many seconds to try again", 42)

func header(kind, meaning string, example any) *huma.Param {
	return &huma.Param{Description: meaning, Schema: &huma.Schema{Type: kind}, Example: example}
}

// statusOf gives a code's status.
func statusOf(code account.Code) (status int, known bool) {
	k, known := kinds[code]
	return k.status, known
}

// withEdgeCodes adds the codes that an operation has by what it takes.
func withEdgeCodes[In any](codes []account.Code, op Operation) []account.Code {
	for _, code := range []account.Code{account.CodeInternal, account.CodeUnavailable, account.CodeTooManyRequests} {
		if !slices.Contains(op.Without, code) {
			codes = append(codes, code)
		}
	}
	input := reflect.TypeFor[In]()
	_, body := input.FieldByName("Body")
	_, form := input.FieldByName("RawBody")
	if body || form {
		codes = append(codes, account.CodeInvalid, codeMalformed, codeTooLarge, codeMediaType, codeSlow)
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}

// describe puts an example of each of an operation's errors into the document, with their
// headers, and says of a request's members that need not be there that they may be null,
// which is the same.
func describe(document *huma.OpenAPI, op Operation, codes []account.Code) {
	described := operationAt(document.Paths[op.Path], op.Method)
	if described.Responses["422"] != nil && !slices.Contains(codes, account.CodeInvalid) {
		codes = append(codes, account.CodeInvalid) // a parameter may break a rule
	}
	delete(described.Responses, "default") // huma's, of what cannot fail
	for _, code := range codes {
		k, shown := kinds[code], op.Shown[code]
		response := described.Responses[strconv.Itoa(k.status)]
		switch code {
		case codeClient:
			response.Headers = clientHeaders
		case codeMediaType:
			response.Headers = mediaHeaders(mediaTypeOf(described))
			shown = *notOfType(context.Background(), mediaTypeOf(described))
		default:
			response.Headers = errorHeaders[k.status]
		}
		if code == account.CodeInvalid && shown.Errors == nil {
			shown.Errors = []FieldProblem{{Field: firstRequired(document, described), Message: isRequired}}
		}
		for _, media := range response.Content {
			if media.Examples == nil {
				media.Examples = map[string]*huma.Example{}
			}
			media.Examples[string(code)] = &huma.Example{Value: exampleOf(code, k, shown)}
		}
	}
	for _, schema := range bodySchemas(document, described) {
		for name, property := range schema.Properties {
			if property.Ref == "" && !slices.Contains(schema.Required, name) {
				property.Nullable = true
			}
		}
	}
}

// bodySchemas gives what the bodies of an operation are like.
func bodySchemas(document *huma.OpenAPI, op *huma.Operation) (schemas []*huma.Schema) {
	if op.RequestBody == nil {
		return nil
	}
	for _, media := range op.RequestBody.Content {
		schema := media.Schema
		if schema != nil && schema.Ref != "" {
			schema = document.Components.Schemas.SchemaFromRef(schema.Ref)
		}
		if schema != nil {
			schemas = append(schemas, schema)
		}
	}
	return schemas
}

// firstRequired gives a field that a body must have, or else one that may break a rule.
func firstRequired(document *huma.OpenAPI, op *huma.Operation) string {
	for _, schema := range bodySchemas(document, op) {
		if len(schema.Required) > 0 {
			return schema.Required[0]
		}
	}
	if len(op.Parameters) > 0 {
		return op.Parameters[0].Name
	}
	return "body"
}

// unroutedResponses are what answers where there is no operation. They belong to none, so they
// stand among the document's components, under their codes.
func unroutedResponses() map[string]*huma.Response {
	response := func(code account.Code, status int, meaning string) *huma.Response {
		return &huma.Response{Description: meaning, Content: map[string]*huma.MediaType{problemMediaType: {
			Schema:   &huma.Schema{Ref: "#/components/schemas/Problem"},
			Examples: map[string]*huma.Example{string(code): {Value: exampleOf(code, kind{status: status}, Problem{})}},
		}}}
	}
	method := response(codeMethod, http.StatusMethodNotAllowed, "Of a path that does not take the method")
	method.Headers = map[string]*huma.Param{"Allow": header(huma.TypeString, "The methods that it takes (RFC 9110 section 10.2.1)", "GET, HEAD")}
	return map[string]*huma.Response{
		codeNotFound: response(codeNotFound, http.StatusNotFound, "Of a path that is none of these"),
		codeMethod:   method,
	}
}

// Wrong is how a field that is wrong is shown, see [Operation].
func Wrong(field string) Problem {
	return Problem{Errors: []FieldProblem{{Field: field, Message: "is wrong"}}}
}

// exampleOf gives the answer with a code, as it would be, with what is shown of it.
func exampleOf(code account.Code, k kind, shown Problem) any {
	p := edgeProblem(context.Background(), k.status)
	p.Errors, p.Challenge, p.User = shown.Errors, shown.Challenge, shown.User
	p.Code, p.RequestID = string(code), "01JQ3ZK8V5"
	p.Detail = cmp.Or(shown.Detail, k.example, p.Detail)
	text, err := json.Marshal(p)
	if err != nil {
		panic(err) // a struct of strings and numbers
	}
	return json.RawMessage(text)
}

// codeEnum is every code there is, for the schema.
func codeEnum() []any {
	all := []any{codeNotFound, codeMethod}
	for _, code := range slices.Sorted(maps.Keys(kinds)) {
		if !slices.Contains(all, any(string(code))) {
			all = append(all, string(code))
		}
	}
	return all
}

func operationAt(item *huma.PathItem, method string) *huma.Operation {
	switch method {
	case http.MethodGet:
		return item.Get
	case http.MethodPost:
		return item.Post
	case http.MethodPut:
		return item.Put
	case http.MethodPatch:
		return item.Patch
	default:
		return item.Delete
	}
}
