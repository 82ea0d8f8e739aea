package local_test

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"spillway.example/frontdoor/frontdoortest"
	"spillway.example/services/internal/telemetry/telemetrytest"
)

// mark is in all that the walk says of its user: names, passwords, addresses, codes that
// are wrong, paths, queries, headers.
const mark = "zqxwvkj"

// walker sends requests to one service by one door.
type walker struct {
	t        *testing.T
	send     func(method, path string, header http.Header, body string) (status int, answer string)
	requests int // that are counted
	walked   map[string]bool
}

func (w *walker) call(method, path, body, token string) (int, string) {
	w.t.Helper()
	path, query, _ := strings.Cut(path, "?")
	w.walked[method+" "+path] = true
	w.requests++
	h := http.Header{
		"Content-Type": {"application/json"}, "User-Agent": {mark + "-agent"}, "X-Forwarded-For": {"198.51.100.77"},
		"Cookie": {mark + "=" + mark}, "Traceparent": {"00-" + walkTrace + "-00f067aa0ba902b7-01"}, "Baggage": {"user=" + mark},
	}
	if token != "" {
		h.Set("Authorization", "Bearer "+token)
	}
	return w.send(method, path+"?"+mark+"=1&"+query, h, body)
}

const walkTrace = "4bf92f3577b34da6a3ce929d0e0e4736"

// theRest sends something to every operation of the service's document that the walk has
// left out, so that none is forgotten: marked texts wherever a text goes.
func (w *walker) theRest(token string) {
	w.t.Helper()
	_, document := w.call("GET", "/openapi.json", "", "")
	var d struct {
		Paths map[string]map[string]struct {
			RequestBody struct {
				Content map[string]struct {
					Schema struct {
						Ref string `json:"$ref"`
					}
				}
			} `json:"requestBody"`
		}
		Components struct {
			Schemas map[string]struct {
				Properties map[string]struct{ Type any }
			}
		}
	}
	if err := json.Unmarshal([]byte(document), &d); err != nil || len(d.Paths) < 3 {
		w.t.Fatalf("the document has %d paths: %v", len(d.Paths), err)
	}
	for path, methods := range d.Paths {
		for method, operation := range methods {
			method = strings.ToUpper(method)
			if w.walked[method+" "+path] || path == "/healthz" || path == "/readyz" {
				continue
			}
			body := map[string]any{}
			schema := d.Components.Schemas[strings.TrimPrefix(operation.RequestBody.Content["application/json"].Schema.Ref, "#/components/schemas/")]
			for name, property := range schema.Properties {
				body[name] = map[string]any{"string": mark + "-" + name, "boolean": true, "integer": 1}[fmt.Sprint(property.Type)]
			}
			text, err := json.Marshal(body)
			if err != nil {
				w.t.Fatal(err)
			}
			path = regexp.MustCompile(`\{[^}]*\}`).ReplaceAllString(path, mark)
			if status, answer := w.call(method, path, string(text), token); status >= 500 {
				w.t.Errorf("%s %s: %d %s", method, path, status, answer)
			}
		}
	}
	for _, odd := range []string{"/" + mark, "/register/" + mark, "//" + mark, "/%7Aqx"} {
		w.call("GET", odd, "", token)
	}
	w.call(strings.ToUpper(mark), "/", "", "")
	w.call("POST", "/login", `{"`+mark+`":"`+mark, "")
}

// The whole API, register as a task and login as a function that asks it: what each says
// of itself adds up to what was asked, is joined in one trace, and tells nothing of whom
// it was about.
func TestTelemetryOfTwoDoors(t *testing.T) {
	t.Parallel()
	collector := telemetrytest.NewCollector(t)
	rp, rpcPort := frontdoortest.FreePort(t), frontdoortest.FreePort(t)
	env := []string{"STORE=embedded", "DATA_DIR=" + t.TempDir(), "METRICS=emf", "ENVIRONMENT=test", "LOG_LEVEL=debug", "OTEL_EXPORTER_OTLP_ENDPOINT=" + collector.URL}
	task := frontdoortest.Start(t, append(slices.Clone(env), "PORT="+rp, "RPC_PORT="+rpcPort), binary(t, "register"))
	api, err := frontdoortest.NewRuntimeAPI(30 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer api.Close()
	function := frontdoortest.Start(t, append(append(slices.Clone(env), "REGISTER_URL=grpc://127.0.0.1:"+rpcPort), api.Env()...), binary(t, "login"))
	httpCall(t, rp, "GET", "/healthz", "", "") // it listens, and does not count this

	register := &walker{t: t, walked: map[string]bool{}, send: func(method, path string, header http.Header, body string) (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), method, "http://127.0.0.1:"+rp+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header = header
		res, err := http.DefaultClient.Do(req)
		g := answer(t, res, err)
		return g.status, g.body
	}}
	login := &walker{t: t, walked: map[string]bool{}, send: func(method, path string, header http.Header, body string) (int, string) {
		event, err := frontdoortest.Event(frontdoortest.ALB, method, path, "accounts.example.com", header, []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		out, err := api.Invoke(t.Context(), event)
		if err != nil {
			t.Fatal(err)
		}
		res, err := frontdoortest.Response(frontdoortest.ALB, out)
		g := answer(t, res, err)
		return g.status, g.body
	}}

	const user, password, address = mark + "-alice", mark + " horse battery staple", mark + "@example.com"
	secrets := []string{mark, "198.51.100.77"}
	// want gives members of a good answer, which are secrets too.
	want := func(status int, body string, members ...string) []string {
		t.Helper()
		if status >= 400 {
			t.Fatalf("got %d %s", status, body)
		}
		var values []string
		for _, m := range members {
			v := member(body, m)
			if v == "" {
				t.Fatalf("no %s in %s", m, body)
			}
			values, secrets = append(values, v), append(secrets, v)
		}
		return values
	}
	do := func(w *walker, method, path, body, token string, members ...string) []string {
		t.Helper()
		status, answer := w.call(method, path, body, token)
		return want(status, answer, members...)
	}
	registered := do(register, "POST", "/register", `{"username":"`+user+`","password":"`+password+`","email":"`+address+`"}`, "", "registration_token", "user_id")
	_, outbox := register.call("GET", "/outbox?to="+address, "", "")
	code := regexp.MustCompile(`\b\d{6}\b`).FindString(outbox)
	do(register, "POST", "/register/confirm", `{"username":"`+user+`","code":"`+code+`","registration_token":"`+registered[0]+`"}`, "")
	do(register, "POST", "/register/resend", `{"username":"`+user+`"}`, "")
	tokens := do(login, "POST", "/login", `{"username":"`+user+`","password":"`+password+`"}`, "", "access_token", "id_token", "refresh_token")
	do(login, "GET", "/me", "", tokens[0])
	asked := 1 // register, by login
	tokens = append(tokens, do(login, "POST", "/token/refresh", `{"refresh_token":"`+tokens[2]+`"}`, "", "refresh_token")...)
	register.theRest(tokens[0])
	login.theRest(tokens[0])
	do(login, "POST", "/logout", `{"refresh_token":"`+tokens[3]+`"}`, "")
	for _, p := range []*frontdoortest.Process{task, function} {
		if code := p.End(t, syscall.SIGTERM); code != 0 {
			t.Errorf("exit code %d", code)
		}
	}

	checkMetricsOf(t, "register", task, register.requests+asked, 0)
	checkMetricsOf(t, "login", function, login.requests, 1)
	checkTrace(t, collector.Spans())
	wire := string(collector.Raw())
	if collector.Metrics()["http.server.request.duration"] == nil {
		t.Error("the collector has no durations")
	}
	for name, p := range map[string]*frontdoortest.Process{"register": task, "login": function} {
		for line := range strings.Lines(p.Output()) {
			if !strings.HasPrefix(line, "{") {
				continue // mail, which goes to the terminal for want of a server
			}
			for _, s := range secrets {
				if strings.Contains(strings.ToLower(line), s) {
					t.Errorf("%s tells %q: %s", name, s, line)
				}
			}
			if strings.Contains(line, `"msg":"request"`) && !strings.Contains(line, `"route":"GET /healthz"`) &&
				!strings.Contains(line, `"trace_id":"`+walkTrace+`"`) {
				t.Errorf("%s: no trace id in %s", name, line)
			}
		}
	}
	for _, s := range append(secrets, code) {
		if strings.Contains(strings.ToLower(wire), s) {
			t.Errorf("the collector was told %q", s)
		}
	}
}

// checkMetricsOf holds the lines of a service to the number of requests it was sent.
func checkMetricsOf(t *testing.T, service string, p *frontdoortest.Process, requests int, coldStarts float64) {
	t.Helper()
	lines := telemetrytest.Lines(t, p.Output())
	operations := map[string]bool{}
	for _, l := range lines {
		operations[l.Operation] = true
		if l.Service != service || l.Environment != "test" {
			t.Errorf("%s: a metric of %s, %s", service, l.Service, l.Environment)
		}
	}
	got, _ := telemetrytest.Total(lines, "", "Requests")
	if _, n := telemetrytest.Total(lines, "", "Latency"); got != float64(requests) || n != int64(requests) {
		t.Errorf("%s: %v requests and %d latencies were counted of %d", service, got, n, requests)
	}
	if n, _ := telemetrytest.Total(lines, "", "ColdStarts"); n != coldStarts {
		t.Errorf("%s: %v cold starts", service, n)
	}
	if n, _ := telemetrytest.Total(lines, "", "Drains"); n != 1 {
		t.Errorf("%s: %v drains", service, n)
	}
	if len(operations) > 40 {
		t.Errorf("%s: %d operations: %v", service, len(operations), slices.Sorted(maps.Keys(operations)))
	}
}

// checkTrace looks for the walk's GET /me: a span of login under the caller's, its
// question under that, and register's span under the question.
func checkTrace(t *testing.T, spans []telemetrytest.Span) {
	t.Helper()
	byID := map[string]telemetrytest.Span{}
	for _, s := range spans {
		if id := hex.EncodeToString(s.TraceId); id != walkTrace {
			t.Errorf("the span %s is of the trace %s", s.Name, id)
		}
		byID[string(s.SpanId)] = s
	}
	const procedure = "spillway.profile.v1.ProfileService/GetProfile"
	for _, answered := range spans {
		if answered.Service != "register" || answered.Name != "/"+procedure {
			continue
		}
		question := byID[string(answered.ParentSpanId)]
		me := byID[string(question.GetParentSpanId())]
		if question.Service != "login" || question.Name != procedure || me.Service != "login" || me.Name != "GET /me" ||
			hex.EncodeToString(me.ParentSpanId) != "00f067aa0ba902b7" {
			t.Errorf("register's span is under %s of %s, under %s of %s", question.GetName(), question.Service, me.GetName(), me.Service)
		}
		return
	}
	t.Errorf("register has no span for what login asked, in %d spans", len(spans))
}
