package main_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"spillway.example/frontdoor/frontdoortest"
	"spillway.example/spillway/gateway"
)

// The gateway of docker-compose.yml.
func TestComposeGatewayLoads(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("gateway.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c, err := gateway.Load(text)
	if err != nil {
		t.Fatal(err)
	}
	// YAML's merges and anchors are easily mistaken: see that they do what they should.
	login := c.TargetGroups["login-lambda"]
	if login.Type != gateway.TypeLambda || login.MaxInFlight != 128 || login.Targets[0] != "http://login-lambda:8080" || login.HealthCheck.Interval != 5*time.Second {
		t.Errorf("login-lambda: %+v", login)
	}
	if r := c.Listener.Rules[4]; r.Conditions[0].PathPattern[0] != "/login*" || r.Conditions[1].HTTPHeader.Values[0] != "lambda" {
		t.Errorf("the rule for login by Lambda: %+v", r)
	}
}

// startGateway runs `spillway gateway` over one group, and gives the flag that leads to
// its admin listener. At the end of the test it is interrupted and must exit 0.
func startGateway(t *testing.T, targets ...string) (url, admin string) {
	t.Helper()
	public, private := frontdoortest.FreePort(t), frontdoortest.FreePort(t)
	config := filepath.Join(t.TempDir(), "gateway.yaml")
	text := fmt.Sprintf("listener: {address: '127.0.0.1:%s', default: {forward: [{target_group: web}]}}\nadmin: '127.0.0.1:%s'\ntarget_groups: {web: {type: http, targets: ['%s']}}\n",
		public, private, strings.Join(targets, "', '"))
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p := frontdoortest.Start(t, os.Environ(), frontdoortest.Binary(t, "."), "gateway", "-config", config, "-access-log")
	t.Cleanup(func() {
		if code := p.End(t, os.Interrupt); code != 0 {
			t.Errorf("after an interrupt: exit code %d", code)
		}
	})
	return "http://127.0.0.1:" + public, "-admin=127.0.0.1:" + private
}

func TestGatewayCommands(t *testing.T) {
	t.Parallel()
	servers := []string{}
	for range 2 {
		s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		defer s.Close()
		servers = append(servers, s.Listener.Addr().String())
	}
	url, admin := startGateway(t, servers[0])
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		code, said := output(t, nil, "healthcheck", admin)
		if code == 0 && said == "" {
			break
		}
		if time.Since(began) > time.Minute {
			t.Fatalf("the gateway is never healthy: exit code %d\n%s", code, said)
		}
	}
	if !answers(t.Context(), url) {
		t.Error("the gateway does not answer")
	}
	tests := []struct {
		args []string
		code int
		says string // a regular expression for all of it
	}{
		{[]string{"gateway", "targets", admin}, 0, `^GROUP +TARGET +STATE.*\nweb +` + servers[0] + ` +healthy +0 +0 *\n$`},
		{[]string{"gateway", "register", admin, "web", servers[1]}, 0, `^` + servers[1] + ` is registered with web, healthy\n$`},
		{[]string{"gateway", "register", admin, "web", "127.0.0.1:1"}, 0, `^127.0.0.1:1 is registered with web, unhealthy: .*refused\n$`},
		{[]string{"gateway", "deregister", admin, "web", servers[0]}, 0, `^` + servers[0] + ` is deregistered from web and drained, after .*s\n$`},
		{[]string{"gateway", "deregister", admin, "web", servers[0]}, 1, `^spillway: the target is not registered\n$`},
		{[]string{"gateway", "deregister", admin, "api", servers[0]}, 1, `^spillway: there is no such target group\n$`},
		{[]string{"gateway", "deregister", admin, "web"}, 2, `^spillway: usage: .*\n$`},
		{[]string{"gateway", "deregister", admin, "web", servers[1]}, 0, `drained`},
		{[]string{"healthcheck", admin}, 1, `^spillway: the gateway is not ready; it waits for rule to web\n$`},
		{[]string{"gateway", "targets", "-admin=127.0.0.1:1"}, 1, `^spillway: asking the gateway: .*refused\n$`},
	}
	for _, tt := range tests {
		code, said := output(t, nil, tt.args...)
		if code != tt.code || !regexp.MustCompile(tt.says).MatchString(said) {
			t.Errorf("%v: exit code %d, want %d, and %s; got\n%s", tt.args, code, tt.code, tt.says, said)
		}
	}
}

// What is wrong is one line for each thing, and an exit code.
func TestGatewayFails(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	write := func(text string) string {
		file := filepath.Join(t.TempDir(), "gateway.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return "-config=" + file
	}
	for _, tt := range []struct {
		name  string
		args  []string
		code  int
		says  string
		lines int
	}{
		{"no file", []string{"gateway", "-config=/none"}, 1, "/none", 1},
		{"port taken", []string{"gateway", write("listener: {address: '" + taken.Addr().String() + "'}")}, 1, taken.Addr().String() + ": the port is taken", 1},
		{"two mistakes", []string{"gateway", write("listener: {address: x}\nadmin: y")}, 2, "listener.address", 3},
		{"unknown flag", []string{"gateway", "-conf=x"}, 2, "spillway gateway -help", 1},
		{"unknown subcommand", []string{"gateway", "target"}, 2, "spillway gateway -help", 1},
		{"no AWS", []string{"setup", "-wait=1ms"}, 1, "setting up the table", 1},
		{"setup argument", []string{"setup", "now"}, 2, "spillway setup -help", 1},
	} {
		code, said := output(t, []string{"AWS_REGION=us-east-1", "AWS_ENDPOINT_URL=http://127.0.0.1:1", "AWS_MAX_ATTEMPTS=1",
			"AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test"}, tt.args...)
		if code != tt.code || !strings.Contains(said, tt.says) || strings.Count(said, "\n") != tt.lines {
			t.Errorf("%s: exit code %d, want %d, and %d lines with %q; got\n%s", tt.name, code, tt.code, tt.lines, tt.says, said)
		}
	}
}

func TestGatewayHelp(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"gateway"}, {"gateway", "targets"}, {"gateway", "register"}, {"gateway", "deregister"}, {"setup"}, {"healthcheck"}} {
		code, said := output(t, nil, append(args, "-help")...)
		if want := "Usage: spillway " + strings.Join(args, " ") + " [flags]"; code != 0 || !strings.HasPrefix(said, want) {
			t.Errorf("%v -help: exit code %d, want 0 and %q:\n%s", args, code, want, said)
		}
	}
}
