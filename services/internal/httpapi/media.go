package httpapi

import (
	"context"
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

// ofType holds requests to the media type of an operation's body, whatever its case (RFC 9110
// section 8.3.1), and to a body that is as it is. huma itself knows types as they are written,
// takes whatever ends in +json, and looks at no coding. A request that has no Content-Type is
// taken to have it.
func ofType(ctx huma.Context, next func(huma.Context)) {
	want := mediaTypeOf(ctx.Operation())
	switch {
	case want == "":
		next(ctx)
	case !isOfType(ctx.Header("Content-Type"), want):
		refuse(ctx, notOfType(ctx.Context(), want))
	case isCoded(ctx.Header("Content-Encoding")):
		refuse(ctx, coded(ctx.Context()))
	default:
		next(typed{within{ctx}, want})
	}
}

// mediaTypeOf gives the media type of an operation's body, "" where it takes none.
func mediaTypeOf(op *huma.Operation) string {
	switch {
	case op.RequestBody == nil:
		return ""
	case op.RequestBody.Content[formType] != nil:
		return formType
	}
	return jsonType
}

// isOfType says whether a Content-Type is the wanted one. Neither of our types has parameters,
// so they mean nothing (RFC 8259 section 11), but for a charset by which the bytes would be
// other characters than they are in UTF-8.
func isOfType(given, want string) bool {
	if given == "" {
		return true
	}
	got, parameters, err := mime.ParseMediaType(given)
	charset, named := parameters["charset"]
	return err == nil && got == want && (!named || strings.EqualFold(charset, "utf-8"))
}

// isCoded says whether a Content-Encoding has the body be read by something first.
func isCoded(encoding string) bool {
	for coding := range strings.SplitSeq(encoding, ",") {
		if coding = strings.TrimSpace(coding); coding != "" && !strings.EqualFold(coding, noCoding) {
			return true
		}
	}
	return false
}

// noCoding is the name of no coding at all (RFC 9110 section 12.5.3).
const noCoding = "identity"

// notOfType answers a body of another type, and says which one would be taken (RFC 9110
// section 15.5.16).
func notOfType(ctx context.Context, want string) *Problem {
	p := edgeProblem(ctx, http.StatusUnsupportedMediaType)
	p.Detail = "The body must be " + want + " in UTF-8, and Content-Type must say nothing else."
	p.header = http.Header{"Accept": {want}}
	return p
}

// coded answers a body that is compressed: what it comes to is not known until then, and no
// body here is long enough to gain by it.
func coded(ctx context.Context) *Problem {
	p := edgeProblem(ctx, http.StatusUnsupportedMediaType)
	p.Detail = "The body must come as it is, with no Content-Encoding."
	p.header = http.Header{"Accept-Encoding": {noCoding}}
	return p
}

// refuse answers a request before its operation sees it. huma's own way to do so leaves out
// the headers.
func refuse(ctx huma.Context, p *Problem) {
	_, w := humago.Unwrap(ctx)
	p.write(w)
}

// typed is a request whose body's type is known.
type typed struct {
	within
	mediaType string
}

type humaContext = huma.Context // which has a method of that name

// within is a request of huma's, for others to change an answer of.
type within struct{ humaContext }

// Unwrap lets huma's adapters find their own context.
func (w within) Unwrap() huma.Context { return w.humaContext }

// Header implements [huma.Context].
func (t typed) Header(name string) string {
	if strings.EqualFold(name, "Content-Type") {
		return t.mediaType
	}
	return t.humaContext.Header(name)
}

// settle has every answer be JSON, whatever Accept says, which a server need not heed
// (RFC 9110 section 12.4.1): huma would take the name of its format for a media type. And it
// has the lines of one header be one list (section 5.3): huma reads the first of them alone.
func settle(ctx huma.Context, next func(huma.Context)) {
	r, _ := humago.Unwrap(ctx)
	next(settled{within{ctx}, r.Header})
}

// filled refuses a header of an operation's that came empty, which huma would take not to have
// come: whose Idempotency-Key was lost on the way would be served twice and never know.
func filled(ctx huma.Context, next func(huma.Context)) {
	r, _ := humago.Unwrap(ctx)
	for _, p := range ctx.Operation().Parameters {
		if p.In == "header" && len(r.Header.Values(p.Name)) > 0 && ctx.Header(p.Name) == "" {
			broken := edgeProblem(ctx.Context(), http.StatusUnprocessableEntity)
			broken.Errors = []FieldProblem{{Field: p.Name, Message: "must not be empty"}}
			refuse(ctx, broken)
			return
		}
	}
	next(ctx)
}

// settled is a request that asks for no media type, each of its headers one text.
type settled struct {
	within
	header http.Header
}

// Header implements [huma.Context].
func (s settled) Header(name string) string {
	if strings.EqualFold(name, "Accept") {
		return ""
	}
	return strings.Join(s.header.Values(name), ", ")
}
