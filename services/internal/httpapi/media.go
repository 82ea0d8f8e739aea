package httpapi

import (
	"mime"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// The media types of bodies.
const (
	jsonType = "application/json"
	formType = "application/x-www-form-urlencoded"
)

// ofType holds requests to the media type of an operation's body, whatever its case and
// parameters (RFC 9110 section 8.3.1). huma itself knows types as they are written, and
// takes whatever ends in +json. A request that has no Content-Type is taken to have it.
func (a *API) ofType(ctx huma.Context, next func(huma.Context)) {
	body := ctx.Operation().RequestBody
	if body == nil {
		next(ctx)
		return
	}
	want := jsonType
	if body.Content[formType] != nil {
		want = formType
	}
	if given := ctx.Header("Content-Type"); given != "" {
		if got, _, err := mime.ParseMediaType(given); err != nil || got != want {
			p := edgeProblem(ctx.Context(), http.StatusUnsupportedMediaType)
			p.Detail = "The body must be " + want + ", and Content-Type must say so."
			_ = huma.WriteErr(a.huma, ctx, p.Status, p.Detail, p) // a client that has gone is no concern of ours
			return
		}
	}
	next(typed{ctx, want})
}

// typed is a request whose body's type is known.
type typed struct {
	humaContext
	mediaType string
}

type humaContext = huma.Context // which has a method of that name

// Header implements [huma.Context].
func (t typed) Header(name string) string {
	if strings.EqualFold(name, "Content-Type") {
		return t.mediaType
	}
	return t.humaContext.Header(name)
}

// Unwrap lets huma's adapters find their own context.
func (t typed) Unwrap() huma.Context { return t.humaContext }

// settle has every answer be JSON, whatever Accept says, which a server need not heed
// (RFC 9110 section 12.4.1): huma would take the name of its format for a media type. And it
// has the lines of one header be one list (section 5.3): huma reads the first of them alone.
// A parameter that came empty is refused, where huma would take it not to have come: whose
// key for idempotency was lost on the way would be served twice and never know.
func (a *API) settle(ctx huma.Context, next func(huma.Context)) {
	r, _ := humago.Unwrap(ctx)
	s := settled{ctx, r.Header}
	for _, p := range ctx.Operation().Parameters {
		if p.In == "header" && len(r.Header.Values(p.Name)) > 0 && s.Header(p.Name) == "" {
			_ = huma.WriteErr(a.huma, ctx, http.StatusUnprocessableEntity, "", // a client that has gone is no concern of ours
				&huma.ErrorDetail{Location: "header." + p.Name, Message: "must not be empty"})
			return
		}
	}
	next(s)
}

// settled is a request that asks for no media type, each of its headers one text.
type settled struct {
	humaContext
	header http.Header
}

// Header implements [huma.Context].
func (s settled) Header(name string) string {
	if strings.EqualFold(name, "Accept") {
		return ""
	}
	return strings.Join(s.header.Values(name), ", ")
}

// Unwrap lets huma's adapters find their own context.
func (s settled) Unwrap() huma.Context { return s.humaContext }
