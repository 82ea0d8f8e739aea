package local_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"spillway.example/services/internal/account/accounttest"
	"spillway.example/services/internal/backend"
	"spillway.example/services/internal/embedded"
	"spillway.example/services/internal/httpapi"
	"spillway.example/services/internal/program"
	"spillway.example/services/internal/settings"
	"spillway.example/services/internal/telemetry"
	"spillway.example/services/internal/token"
	"spillway.example/services/local"
	"spillway.example/services/login"
	"spillway.example/services/register"
)

// contract is what the OpenAPI document says of errors, and what has been seen of it.
type contract struct {
	operations map[string]*promised // by their ids

	mu   sync.Mutex
	seen map[string]bool // what was reached, as pairs and headers name it
}

// promised is what the document says of one operation.
type promised struct {
	id, method, path string
	fields           map[string]bool // that a request can have
	responses        map[string]struct {
		Headers map[string]any
		Content map[string]struct {
			Examples map[string]struct{ Value json.RawMessage }
		}
	}
}

// readContract reads the document that a handler serves.
func readContract(t *testing.T, w *world) *contract {
	t.Helper()
	g := doors["http"](t, w, call{method: http.MethodGet, path: "/openapi.json"})
	type schema struct {
		Ref        string `json:"$ref"`
		Properties map[string]any
	}
	var document struct {
		Paths map[string]map[string]struct {
			OperationID string
			Parameters  []struct{ Name string }
			RequestBody struct {
				Content map[string]struct{ Schema schema }
			}
			Responses json.RawMessage
		}
		Components struct{ Schemas map[string]schema }
	}
	if err := json.Unmarshal([]byte(g.body), &document); err != nil {
		t.Fatal(err)
	}
	c := &contract{operations: map[string]*promised{}, seen: map[string]bool{}}
	for path, methods := range document.Paths {
		for method, op := range methods {
			p := &promised{id: op.OperationID, method: strings.ToUpper(method), path: path, fields: map[string]bool{}}
			if err := json.Unmarshal(op.Responses, &p.responses); err != nil {
				t.Fatal(err)
			}
			for _, parameter := range op.Parameters {
				p.fields[parameter.Name] = true
			}
			for _, content := range op.RequestBody.Content {
				s := content.Schema
				if name, ok := strings.CutPrefix(s.Ref, "#/components/schemas/"); ok {
					s = document.Components.Schemas[name]
				}
				for name := range s.Properties {
					p.fields[name] = true
				}
			}
			c.operations[p.id] = p
		}
	}
	return c
}

// pairs gives each error of each operation, such as "login 401 invalid_credentials".
func (c *contract) pairs() (all []string) {
	for id, p := range c.operations {
		for status, response := range p.responses {
			for code := range response.Content["application/problem+json"].Examples {
				all = append(all, pair(id, status, code))
			}
		}
	}
	slices.Sort(all)
	return all
}

func pair(id, status, code string) string { return id + " " + status + " " + code }

// operationOf gives what the document says of the operation that a call is; nil where it has
// none.
func (c *contract) operationOf(of call) *promised {
	target, _, _ := strings.Cut(of.path, "?")
	for _, p := range c.operations {
		pattern := regexp.MustCompile(`\{\w+\}`).ReplaceAllString(p.path, "*")
		if match, _ := path.Match(pattern, target); match && p.method == of.method {
			return p
		}
	}
	return nil
}

// told are the headers that tell something of an error.
var told = []string{"Accept", "Accept-Encoding", "Allow", "RateLimit", "RateLimit-Policy", "Retry-After", "WWW-Authenticate"}

// check holds an answer to what the document says of it.
func (c *contract) check(t *testing.T, door string, of call, g got) {
	t.Helper()
	p := c.operationOf(of)
	if p == nil {
		return
	}
	status, code := strconv.Itoa(g.status), g.member("code")
	what := pair(p.id, status, code)
	response, ok := p.responses[status]
	if !ok {
		t.Errorf("%s: the document has no %s of %s, but the answer is %s", door, status, p.id, g.body)
		return
	}
	if g.status < http.StatusBadRequest {
		return
	}
	example, ok := response.Content[g.header.Get("Content-Type")].Examples[code]
	if !ok {
		t.Errorf("%s: the document has no example of %s, which is %s", door, what, g.body)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen[door+": "+what] = true
	for _, name := range told {
		if g.header.Get(name) == "" {
			continue
		}
		if response.Headers[name] == nil {
			t.Errorf("%s: %s has %s: %s, which the document does not have", door, what, name, g.header.Get(name))
		}
		c.seen[status+" "+name] = true
	}
	var shown httpapi.Problem
	if err := json.Unmarshal(example.Value, &shown); err == nil && shown.Detail == g.member("detail") {
		c.seen[door+": "+what+" as shown"] = true
	}
	if err := alike(p, example.Value, []byte(g.body)); err != nil {
		t.Errorf("%s: %s is %s, and the example %s: %v", door, what, g.body, example.Value, err)
	}
}

// alike says in what an example is not as an answer is.
func alike(p *promised, example, answer json.RawMessage) error {
	var shown, answered map[string]any
	if err := errors.Join(json.Unmarshal(example, &shown), json.Unmarshal(answer, &answered)); err != nil {
		return err
	}
	for _, name := range []string{"title", "status", "code"} {
		if shown[name] != answered[name] {
			return errors.New("another " + name)
		}
	}
	list, _ := shown["errors"].([]any)
	for _, e := range list {
		member, _ := e.(map[string]any)
		if field, _ := member["field"].(string); !p.fields[field] {
			return errors.New("the operation has no field " + field)
		}
	}
	members := func(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }
	if !slices.Equal(members(shown), members(answered)) {
		return errors.New("other members")
	}
	return nil
}

// stage is both services as `spillway run` has them, over the embedded store, each answer held
// to the contract. Their ports can be had fail.
type stage struct {
	*world
	*contract
	t      *testing.T
	door   string
	ports  backend.Backend           // as they are, with nothing in front of them
	newest func(email string) string // the newest mail to an address, and maybe older ones after it
	fault  atomic.Pointer[func(call string) error]
	people atomic.Int64
}

// clientID is the `client_id` of the embedded store's tokens.
const clientID = "spillway"

// newStage opens a stage behind a door, under a contract, or that of its own document where
// that is nil. with changes what it stands on.
func newStage(t *testing.T, c *contract, door string, with ...func(*backend.Backend)) *stage {
	t.Helper()
	s := &stage{t: t, door: door, contract: c}
	s.world = &world{clock: &accounttest.Clock{}, log: &bytes.Buffer{}, direct: register.DirectPath}
	log := slog.New(slog.NewJSONHandler(s.log, nil))
	// All come from one address.
	config, err := settings.Parse(settings.Local, []string{
		"DATA_DIR=" + t.TempDir(), "INTROSPECTION_SECRET=" + newSecret, "LIMITS=guess.address=off;mail.address=off;sign_up.address=off",
	})
	if err != nil {
		t.Fatal(err)
	}
	recorded := telemetry.New(log)
	b, err := backend.Open(t.Context(), backend.Config{Settings: config, Terminal: io.Discard, Listens: true, Logger: log, Telemetry: recorded})
	if err != nil {
		t.Fatal(err)
	}
	quick, err := embedded.Open(t.Context(), embedded.Config{ // hashes are most of the time that a sign-in takes
		DataDir: config.DataDir, Issuer: config.TokenIssuer, ClientID: clientID, Argon2: embedded.Argon2{Memory: 8, Iterations: 1, Parallelism: 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	b.Directory = quick.Directory(b.Mailer)
	s.ports = *b
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(func() {
		cancel()
		b.Drain(context.Background())
		if err := errors.Join(quick.Close(), b.Close()); err != nil {
			t.Error(err)
		}
	})
	s.hook(b, config, quick)
	for _, change := range with {
		change(b)
	}
	s.handler = local.Services(ctx, program.Parts{Backend: b, Settings: config, Version: "1", Telemetry: recorded, Logger: log})
	s.newest = func(email string) string {
		return doors["http"](t, s.world, call{method: http.MethodGet, path: "/outbox?to=" + email}).body
	}
	if c == nil {
		s.contract = readContract(t, s.world)
	}
	return s
}

// hook puts the stage's fault in front of all ports.
func (s *stage) hook(b *backend.Backend, config settings.Settings, store *embedded.Store) {
	s.t.Helper()
	b.Directory, b.Claims = accounttest.HookDirectory(b.Directory, s.call), accounttest.HookClaims(b.Claims, s.call)
	b.Profiles = accounttest.HookProfiles(b.Profiles, s.call)
	b.Limits.Counters, b.Replays.Records = accounttest.HookCounters(b.Limits.Counters, s.call), accounttest.HookRecords(b.Replays.Records, s.call)
	b.JWKS = hookedKeys(b.JWKS, s.call)
	ping := b.Ready
	b.Ready = func(ctx context.Context) (err error) {
		return errors.Join(s.call("Backend.Ready", func() { err = ping(ctx) }), err)
	}
	var err error
	b.Verifier, err = token.NewVerifier(token.Config{
		Issuer: config.TokenIssuer, ClientID: clientID, Keys: store, Denials: accounttest.HookDenials(store, s.call),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	b.Denials = b.Verifier.Denials()
}

// call is an [accounttest.Hook]: it makes calls unless the fault says that they fail.
func (s *stage) call(name string, f func()) error {
	if fault := s.fault.Load(); fault != nil {
		if err := (*fault)(name); err != nil {
			return err
		}
	}
	f()
	return nil
}

func hookedKeys[T any](of func(context.Context) (T, error), hook accounttest.Hook) func(context.Context) (T, error) {
	return func(ctx context.Context) (keys T, err error) {
		failed := hook("Backend.JWKS", func() { keys, err = of(ctx) })
		return keys, errors.Join(failed, err)
	}
}

// send sends a call, and holds its answer to the contract.
func (s *stage) send(c call) got {
	s.t.Helper()
	g := doors[s.door](s.t, s.world, c)
	s.check(s.t, s.door, c, g)
	return g
}

// made sends a call that must come to something.
func (s *stage) made(c call) got {
	s.t.Helper()
	g := s.send(c)
	if g.status >= http.StatusMultipleChoices {
		s.t.Fatalf("%s: %s %s %s is %d %s", s.door, c.method, c.path, c.body, g.status, g.body)
	}
	return g
}

// failing has every call fail of which fault says so, while a call is sent.
func (s *stage) failing(fault func(call string) error, c call) got {
	s.t.Helper()
	s.fault.Store(&fault)
	defer s.fault.Store(nil)
	return s.send(c)
}

// at is a fault of one call.
func at(call string, err error) func(string) error {
	return func(made string) error {
		if made == call {
			return err
		}
		return nil
	}
}

// TestDocumentsOfBoth holds the documents of the two services, one by one, to be that of both in
// one process, which TestContract is about.
func TestDocumentsOfBoth(t *testing.T) {
	t.Parallel()
	type document struct {
		Paths map[string]map[string]json.RawMessage
	}
	read := func(h http.Handler) (d document) {
		g := doors["http"](t, &world{handler: h}, call{method: http.MethodGet, path: "/openapi.json"})
		if err := json.Unmarshal([]byte(g.body), &d); err != nil {
			t.Fatal(err)
		}
		return d
	}
	s := newStage(t, nil, "http")
	both, apart := read(s.handler), map[string]bool{}
	for _, p := range []program.Program{register.Program("1"), login.Program("1")} {
		handlers, err := p.Handlers(program.Parts{Backend: &s.ports, Version: "1", Telemetry: telemetry.New(slog.New(slog.DiscardHandler)), Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		for path, methods := range read(handlers.HTTP).Paths {
			for method, operation := range methods {
				apart[method+" "+path] = true
				if string(operation) != string(both.Paths[path][method]) {
					t.Errorf("%s has another %s %s: %s", p.Service, method, path, operation)
				}
			}
		}
	}
	for path, methods := range both.Paths {
		for method := range methods {
			if !apart[method+" "+path] {
				t.Errorf("neither service has %s %s", method, path)
			}
		}
	}
}
