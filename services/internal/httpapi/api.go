package httpapi

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"spillway.example/frontdoor"
	"spillway.example/services/internal/account"
	"spillway.example/services/internal/telemetry"
)

// The probes' paths, and the group that they are listed in.
const (
	probesTag  = "Probes"
	healthPath = "/healthz"
	readyPath  = "/readyz"
)

// everywhere is what holds of all operations, and of what is none.
const everywhere = "Whatever fails is answered with `application/problem+json` (RFC 9457): `code` tells the kinds apart and never changes its meaning. " +
	"A path that is none of these is 404 `not_found`, and a method that a path does not take is 405 `method_not_allowed` with `Allow`: both are in full among the components' responses. " +
	"A body is JSON, or the form of an operation that takes one, in UTF-8, as it is and of 64 KiB at most. Another type, charset or `Content-Encoding` is 415 `unsupported_media_type` with what would be taken in `Accept` or `Accept-Encoding`; without a `Content-Type` it is taken to be of the right one. " +
	"The page at /docs and the RPC service answer what they do not have in their own ways. " +
	"What a load balancer, a gateway or Lambda answers itself, such as 502 and 504, is no problem of this kind."

// MaxBody is the longest request body that is read, in bytes.
const MaxBody = 64 << 10

// Config is what an [API] is made of. Title, Version and Logger are required.
type Config struct {
	Title       string
	Description string
	Version     string
	Logger      *slog.Logger
	// Telemetry records the requests; nil writes log lines alone.
	Telemetry *telemetry.Telemetry
	// Ready says whether requests can be served; nil is always.
	Ready func(context.Context) error
	// Replays give a request that comes again its answer again; nil takes no
	// Idempotency-Key. Bearer says whose an access token is, for them: also one that the
	// first such request has made void.
	Replays *account.Replays
	Bearer  func(ctx context.Context, accessToken string) (account.Identity, error)
}

// API is one service's REST interface under construction: add operations with
// [Handle], other handlers to Mux, then serve [API.Handler].
type API struct {
	Mux        *http.ServeMux
	huma       huma.API
	log        *slog.Logger
	telemetry  *telemetry.Telemetry
	operations map[string]string // pattern → id
	replays    *account.Replays
	bearer     func(ctx context.Context, accessToken string) (account.Identity, error)
	ready      func(context.Context) error // nil is always
}

// New makes an API with /healthz, /readyz, /openapi.json and /docs.
func New(c Config) *API {
	config := huma.DefaultConfig(c.Title, c.Version)
	config.Info.Description = c.Description + "\n\n" + everywhere
	config.DocsPath, config.SchemasPath = "", ""                                      // the page is our own; schemas are in the document
	config.CreateHooks = nil                                                          // no $schema member in answers
	config.Formats = map[string]huma.Format{jsonType: strictJSON, "json": strictJSON} // and what ends in +json
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		bearer:       {Type: "http", Scheme: "bearer", BearerFormat: "JWT", Description: "The access token of POST /login"},
		secretBearer: {Type: "http", Scheme: "bearer", Description: "The secret that the service was given"},
		secretBasic:  {Type: "http", Scheme: "basic", Description: "The same as a password, with any user name"},
	}
	if c.Telemetry == nil {
		c.Telemetry = telemetry.New(c.Logger)
	}
	a := &API{
		Mux: http.NewServeMux(), log: c.Logger, telemetry: c.Telemetry, operations: map[string]string{},
		replays: c.Replays, bearer: c.Bearer, ready: c.Ready,
	}
	a.huma = humago.New(a.Mux, config)
	a.huma.UseMiddleware(settle)
	a.addProbes()
	a.addDocs(c.Title)
	a.huma.OpenAPI().Components.Responses = unroutedResponses()
	a.huma.OpenAPI().Components.Schemas.Map()["Problem"].Properties["code"].Enum = codeEnum()
	return a
}

// Operation describes one operation of an API.
type Operation struct {
	ID          string
	Tag         string // the group it is listed in
	Method      string
	Path        string
	Summary     string
	Description string
	Status      int            // of success; 200 where it is 0
	Errors      []account.Code // that it can answer, beside those of every operation
	Bearer      bool           // whether it takes an access token
	MayBear     bool           // whether it takes one, and may go without
	Secrets     []string       // that services share, one of which it takes; none where it is nil
	Form        []FormField    // of an operation that takes a form

	// Without are those of every operation's errors that this one does not have: internal,
	// unavailable and too_many_requests.
	Without []account.Code
	// Shown is what an error is shown with in the document, where that is not what it is shown
	// with of every operation.
	Shown map[account.Code]Problem
}

// Handle adds an operation. In and Out are huma's input and output types; an error
// becomes a [Problem]. One whose In has [Idempotent] in it takes an Idempotency-Key.
func Handle[In, Out any](a *API, op Operation, f func(context.Context, *In) (*Out, error)) {
	described := huma.Operation{
		OperationID: op.ID, Tags: []string{op.Tag}, Method: op.Method, Path: op.Path, Summary: op.Summary, Description: op.Description,
		DefaultStatus: op.Status, MaxBodyBytes: MaxBody + 1, BodyReadTimeout: 10 * time.Second,
	}
	codes := slices.Clone(op.Errors)
	if op.Bearer {
		codes = append(codes, account.CodeInvalidToken)
		described.Middlewares = append(described.Middlewares, a.bearing)
		described.Security = []map[string][]string{{bearer: {}}}
	}
	if op.MayBear {
		described.Security = []map[string][]string{{}, {bearer: {}}}
	}
	if op.Secrets != nil {
		described.Middlewares = append(described.Middlewares, sharing(op.Secrets))
		codes = append(codes, codeClient)
		described.Security = []map[string][]string{{secretBearer: {}}, {secretBasic: {}}}
	}
	if _, ok := any(new(In)).(keyed); ok {
		codes = append(codes, account.CodeKeyReused, account.CodeInProgress)
		f = replayed(a, op, f)
	}
	described.Middlewares = append(described.Middlewares, filled, ofType)
	codes = withEdgeCodes[In](codes, op)
	for _, code := range codes {
		status, _ := statusOf(code)
		described.Errors = append(described.Errors, status)
	}
	a.operations[op.Method+" "+op.Path] = op.ID
	huma.Register(a.huma, described, func(ctx context.Context, in *In) (*Out, error) {
		out, err := f(ctx, in)
		if err != nil {
			p := NewProblem(ctx, a.log, err)
			if !slices.Contains(codes, account.Code(p.Code)) {
				a.log.WarnContext(ctx, "the operation does not document its error", "operation", op.ID, "code", p.Code)
			}
			return nil, p
		}
		return out, nil
	})
	if op.Form != nil {
		describeForm(a.huma.OpenAPI().Paths[op.Path].Post, op.Form)
	}
	describe(a.huma.OpenAPI(), op, codes)
}

// OpenAPI gives the document that describes the operations (OpenAPI 3.1).
func (a *API) OpenAPI() ([]byte, error) { return json.Marshal(a.huma.OpenAPI()) }

type probe struct {
	Body struct {
		Status string `json:"status" example:"ok"`
	}
}

// addProbes adds /healthz, which says that the process runs, and /readyz, which says
// that it should be sent requests. Neither asks the directory or the table: a fault
// there must not have every task replaced.
func (a *API) addProbes() {
	ok := func() *probe {
		p := &probe{}
		p.Body.Status = "ok"
		return p
	}
	Handle(a, Operation{ID: "healthz", Tag: probesTag, Method: http.MethodGet, Path: healthPath, Summary: "Whether the process runs",
		Without: []account.Code{account.CodeInternal, account.CodeUnavailable, account.CodeTooManyRequests}},
		func(context.Context, *struct{}) (*probe, error) { return ok(), nil })
	Handle(a, Operation{ID: "readyz", Tag: probesTag, Method: http.MethodGet, Path: readyPath, Summary: "Whether to send it requests",
		Errors: []account.Code{codeDraining}, Without: []account.Code{account.CodeTooManyRequests}},
		func(ctx context.Context, _ *struct{}) (*probe, error) {
			if err := a.Ready(ctx); err != nil {
				return nil, err
			}
			return ok(), nil
		})
}

// Ready fails unless the process should be sent requests: for /readyz, and for gRPC's
// health service beside it.
func (a *API) Ready(ctx context.Context) error {
	if frontdoor.Draining(ctx) {
		p := &Problem{Code: codeDraining, Detail: "The process is about to end.", RequestID: telemetry.RequestID(ctx), retryAfter: time.Second}
		p.setStatus(http.StatusServiceUnavailable)
		return p
	}
	if a.ready == nil {
		return nil
	}
	return a.ready(ctx)
}
