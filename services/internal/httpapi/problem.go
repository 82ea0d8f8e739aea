package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"

	"spillway.example/frontdoor"
	"spillway.example/services/internal/account"
	"spillway.example/services/internal/telemetry"
	"spillway.example/verify"
)

// The codes of failures that never reach the domain.
const (
	codeMalformed    = "malformed_request"
	codeNotFound     = "not_found"
	codeMethod       = "method_not_allowed"
	codeTooLarge     = "body_too_large"
	codeMediaType    = "unsupported_media_type"
	codeSlow         = "request_timeout"
	codeClient       = "invalid_client"
	internalMessage  = "Something went wrong on our side."
	problemMediaType = "application/problem+json"
)

// Problem is an error answer (RFC 9457). Its type is about:blank, so title is the
// status's own text; code tells the kinds apart and never changes its meaning.
type Problem struct {
	Title     string         `json:"title" doc:"The status in words" example:"Unprocessable Entity"`
	Status    int            `json:"status" doc:"The HTTP status" example:"422"`
	Detail    string         `json:"detail,omitempty" doc:"What went wrong, for people" example:"Some fields break a rule."`
	Code      string         `json:"code" doc:"What went wrong, for programs" example:"invalid_request"`
	RequestID string         `json:"request_id,omitempty" doc:"Names this request in the service's log" example:"01JQ3ZK8V5"`
	Errors    []FieldProblem `json:"errors,omitempty" doc:"Each field that breaks a rule"`
	Challenge *Challenge     `json:"challenge,omitempty" doc:"Of a sign-in: the step that is needed, for POST /login/challenge"`
	User      *KnownUser     `json:"user,omitempty" doc:"Of GET /me while profiles cannot be had: what the token says"`

	retryAfter time.Duration
	quota      *account.Quota
	noToken    bool        // where one is needed
	header     http.Header // beside what the other members give
}

// FieldProblem is one field that breaks a rule.
type FieldProblem struct {
	Field   string `json:"field" doc:"The field's name" example:"password"`
	Message string `json:"message" doc:"The rule" example:"must have at least 8 characters"`
}

// Challenge is a step that is needed to sign in.
type Challenge struct {
	Name       string            `json:"name" example:"NEW_PASSWORD_REQUIRED"`
	Session    string            `json:"session" doc:"Goes back with the answer, within a few minutes" example:"Zk2Yx9sPd3uLwAq7Vt0c1mb5nHf8eRj6"`
	Parameters map[string]string `json:"parameters,omitempty" example:"{\"requiredAttributes\":\"[]\"}"`
}

// KnownUser is what an access token says of its bearer.
type KnownUser struct {
	UserID   string `json:"user_id" example:"7d0f6a3e-5b1c-4b7e-9a55-1f2e3d4c5b6a"`
	Username string `json:"username,omitempty" example:"alice"`
}

// Error gives the problem for a log.
func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// GetStatus tells huma the status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType tells huma the media type.
func (p *Problem) ContentType(string) string { return problemMediaType }

// GetHeaders tells huma the headers.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	maps.Copy(h, p.header)
	if p.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(seconds(p.retryAfter)))
	}
	if q := p.quota; q != nil { // draft-ietf-httpapi-ratelimit-headers-11
		h.Set("RateLimit-Policy", fmt.Sprintf(`"%s";q=%d;w=%d`, q.Policy, q.Tier.Count, seconds(q.Tier.Per)))
		h.Set("RateLimit", fmt.Sprintf(`"%s";r=0;t=%d`, q.Policy, seconds(p.retryAfter)))
	}
	switch { // RFC 6750 section 3: no code for a request that has no token
	case h["Www-Authenticate"] != nil:
	case p.Code == string(account.CodeInvalidToken) && !p.noToken:
		h.Set("WWW-Authenticate", `Bearer error="invalid_token"`)
	case p.Status == http.StatusUnauthorized:
		h.Set("WWW-Authenticate", "Bearer")
	}
	return h
}

// seconds rounds up: whoever comes back then is not too early.
func seconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }

var _ huma.HeadersError = (*Problem)(nil)

// NewProblem turns any error of the domain into the answer for it. What is
// unexpected becomes "internal" with a fixed text, and its cause goes to the log.
func NewProblem(ctx context.Context, log *slog.Logger, err error) *Problem {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	p := &Problem{Code: string(account.CodeOf(err)), RequestID: telemetry.RequestID(ctx), noToken: errors.Is(err, verify.ErrNoToken)}
	status, known := statusOf(account.CodeOf(err))
	e, ok := errors.AsType[*account.Error](err)
	if !known || !ok || status == http.StatusInternalServerError {
		status, p.Code, p.Detail = http.StatusInternalServerError, string(account.CodeInternal), internalMessage
	} else {
		p.Detail, p.retryAfter, p.quota = e.Message, e.RetryAfter, e.Quota
		if c := e.Challenge; c != nil {
			p.Challenge = &Challenge{Name: c.Name, Session: c.Session, Parameters: c.Parameters}
		}
		for _, f := range e.Fields {
			p.Errors = append(p.Errors, FieldProblem{Field: f.Name, Message: f.Message})
		}
	}
	p.setStatus(status)
	switch {
	case status < http.StatusInternalServerError:
	case status == http.StatusServiceUnavailable && errors.Is(err, context.Canceled) && hungUp(ctx):
		telemetry.SetStatus(ctx, statusClientGone)
		log.InfoContext(ctx, "the caller has gone", "code", p.Code, "err", err)
	default:
		log.ErrorContext(ctx, "request failed", "code", p.Code, "err", err)
	}
	return p
}

// statusClientGone is what is recorded of a request whose caller did not wait for its
// answer, and which ended for that: nginx's "client closed request". It is no fault of ours.
const statusClientGone = 499

// hungUp says whether a request's caller has left: a drain that ends before it cuts it too.
func hungUp(ctx context.Context) bool {
	return errors.Is(ctx.Err(), context.Canceled) && !errors.Is(context.Cause(ctx), frontdoor.ErrDrainTimeout)
}

func (p *Problem) setStatus(status int) { p.Status, p.Title = status, http.StatusText(status) }

// edgeProblem is the answer to a request that never reached the domain.
func edgeProblem(ctx context.Context, status int) *Problem {
	p := &Problem{RequestID: telemetry.RequestID(ctx)}
	p.setStatus(status)
	switch status {
	case http.StatusBadRequest:
		p.Code, p.Detail = codeMalformed, "The body is empty, and one is needed."
	case http.StatusUnauthorized:
		p.Code, p.Detail = codeClient, "The service's secret is needed: Authorization: Bearer …, or as the password of Basic."
	case http.StatusNotFound:
		p.Code, p.Detail = codeNotFound, "There is nothing at this path."
	case http.StatusMethodNotAllowed:
		p.Code, p.Detail = codeMethod, "This path does not take this method; see Allow."
	case http.StatusRequestEntityTooLarge:
		p.Code, p.Detail = codeTooLarge, fmt.Sprintf("The body is longer than %d bytes.", MaxBody)
	case http.StatusUnsupportedMediaType:
		p.Code = codeMediaType
	case http.StatusRequestTimeout:
		p.Code, p.Detail = codeSlow, "The body took too long to arrive."
	case http.StatusUnprocessableEntity:
		p.Code, p.Detail = string(account.CodeInvalid), "Some fields break a rule."
	default:
		p.Code, p.Detail = string(account.CodeInternal), internalMessage
	}
	return p
}

// unreadBody is huma's message for a body that did not come to its end.
const unreadBody = "cannot read request body"

func init() {
	// huma keeps the maker of its own errors in package variables; these are its
	// only users in this process. What it found wrong with a field carries the
	// field's value, which may be a password: only name and rule are passed on.
	// encoding/json would take "USERNAME" for "username", and the last of both.
	huma.ValidateStrictCasing = true
	huma.NewErrorWithContext = func(ctx huma.Context, status int, message string, errs ...error) huma.StatusError {
		for _, err := range errs {
			if own, ok := errors.AsType[*Problem](err); ok {
				return own
			}
		}
		if status == http.StatusInternalServerError && message == unreadBody {
			status = http.StatusBadRequest
			errs = []error{&huma.ErrorDetail{Message: "The body ends too early."}}
		}
		p := edgeProblem(ctx.Context(), status)
		for _, err := range errs {
			d, ok := errors.AsType[*huma.ErrorDetail](err)
			switch {
			case ok && status == http.StatusUnprocessableEntity && len(p.Errors) < maxErrors:
				p.Errors = append(p.Errors, fieldProblem(d))
			case ok && status == http.StatusBadRequest:
				p.Detail = d.Message // decode's
			}
		}
		return p
	}
	huma.NewError = func(status int, _ string, _ ...error) huma.StatusError {
		return edgeProblem(context.Background(), status)
	}
}

// The most of what is wrong that an answer says: it must not be longer than what it
// answers.
const (
	maxErrors    = 20
	maxFieldName = 100 // bytes
)

// isRequired is the rule that a field which is not there breaks.
const isRequired = "is required"

// fieldProblem names the field itself where huma names the object around it.
func fieldProblem(d *huma.ErrorDetail) FieldProblem {
	p := nameField(d)
	if p.Field == "" {
		p.Field = "body"
	}
	p.Field = shortened(p.Field)
	return p
}

// shortened gives a name of the caller's making no longer than an answer may have it.
func shortened(name string) string {
	if len(name) > maxFieldName {
		return strings.ToValidUTF8(name[:maxFieldName], "") + "…"
	}
	return name
}

func nameField(d *huma.ErrorDetail) FieldProblem {
	field := d.Location
	for _, in := range []string{"body", "header", "path", "query"} {
		if rest, ok := strings.CutPrefix(d.Location, in+"."); ok || d.Location == in {
			field = strings.TrimPrefix(rest, in)
		}
	}
	before, after, _ := strings.Cut(validation.MsgExpectedRequiredProperty, "%s")
	if name, ok := strings.CutPrefix(d.Message, before); ok {
		if name, ok := strings.CutSuffix(name, after); ok {
			return FieldProblem{Field: strings.TrimPrefix(field+"."+name, "."), Message: isRequired}
		}
	}
	if d.Message == validation.MsgUnexpectedProperty {
		return FieldProblem{Field: field, Message: "is not known"}
	}
	return FieldProblem{Field: field, Message: lengthSaid(d.Message)}
}

// write answers with the problem outside of huma.
func (p *Problem) write(w http.ResponseWriter) {
	body, err := json.Marshal(p)
	if err != nil {
		panic(err) // a struct of strings and numbers
	}
	maps.Copy(w.Header(), p.GetHeaders())
	w.Header().Set("Content-Type", problemMediaType)
	w.WriteHeader(p.Status)
	_, _ = w.Write(append(body, '\n')) // a client that has gone is no concern of ours
}

// directInternal is what a direct invocation gets for what is unexpected.
const directInternal = `{"error":"Internal server error"}`

// isDirect says whether a request is an invocation by event, with no HTTP before it.
func isDirect(ctx context.Context) bool { return frontdoor.DoorOf(ctx) == frontdoor.DoorDirect }

// lengthSaid says of a length in our words what huma says in its own. How long a text may be on
// its way here is no rule that helps anybody: the field's own is shorter, and told where it is
// broken.
func lengthSaid(message string) string {
	most, _, _ := strings.Cut(validation.MsgExpectedMaxLength, "%d")
	least, _, _ := strings.Cut(validation.MsgExpectedMinLength, "%d")
	if strings.HasPrefix(message, most) {
		return "is too long"
	}
	switch n, short := strings.CutPrefix(message, least); {
	case short && n == "1":
		return isRequired
	case short:
		return "must have at least " + n + " characters"
	}
	return message
}
