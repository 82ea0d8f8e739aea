package local_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"spillway.example/frontdoor/frontdoortest"
	"spillway.example/services/internal/account/accounttest"
)

func TestMain(m *testing.M) { os.Exit(frontdoortest.Main(m)) }

func binary(t *testing.T, service string) string {
	t.Helper()
	return frontdoortest.Binary(t, "spillway.example/services/"+service+"/cmd/"+service)
}

func run(t *testing.T, service string, env []string, args ...string) (code int, out string) {
	t.Helper()
	file := binary(t, service)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, file, args...)
	cmd.Env = env
	b, _ := cmd.CombinedOutput() // its exit code says it
	return cmd.ProcessState.ExitCode(), string(b)
}

// httpCall asks a process, and waits until it listens.
func httpCall(t *testing.T, port, method, path, body, token string) (int, string) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		req, err := http.NewRequestWithContext(t.Context(), method, "http://127.0.0.1:"+port+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", "Bearer "+token)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			if time.Now().After(deadline) {
				t.Fatalf("%s does not answer: %v", path, err)
			}
			continue
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(b)
	}
}

func member(body, name string) string {
	var m map[string]any
	_ = json.Unmarshal([]byte(body), &m) // then there is no such member
	s, _ := m[name].(string)
	return s
}

// Register and login as two processes over one data folder, login asking register by
// gRPC.
func TestTwoProcesses(t *testing.T) {
	t.Parallel()
	data := "DATA_DIR=" + t.TempDir()
	rp, lp, rpcPort := frontdoortest.FreePort(t), frontdoortest.FreePort(t), frontdoortest.FreePort(t)
	env := []string{"STORE=embedded", data}
	r := frontdoortest.Start(t, append(env, "PORT="+rp, "RPC_PORT="+rpcPort), binary(t, "register"))
	l := frontdoortest.Start(t, append(env, "PORT="+lp, "REGISTER_URL=grpc://127.0.0.1:"+rpcPort), binary(t, "login"))

	status, body := httpCall(t, rp, "POST", "/register", `{"username":"alice","password":"`+accounttest.Password+`","email":"alice@example.com"}`, "")
	if status != 200 {
		t.Fatalf("register: %d %s", status, body)
	}
	token := member(body, "registration_token")
	_, outbox := httpCall(t, rp, "GET", "/outbox?to=alice@example.com", "", "")
	code := regexp.MustCompile(`\b\d{6}\b`).FindString(outbox)
	if status, body = httpCall(t, rp, "POST", "/register/confirm", `{"username":"alice","code":"`+code+`","registration_token":"`+token+`"}`, ""); status != 200 {
		t.Fatalf("confirm: %d %s", status, body)
	}
	if status, body = httpCall(t, lp, "POST", "/login", alice, ""); status != 200 {
		t.Fatalf("login: %d %s", status, body)
	}
	access := member(body, "access_token")
	if status, body = httpCall(t, lp, "GET", "/me", "", access); status != 200 || member(body, "username") != "alice" {
		t.Errorf("me: %d %s", status, body)
	}
	for service, port := range map[string]string{"register": rp, "login": lp} {
		if code, out := run(t, service, append(env, "PORT="+port), "healthcheck"); code != 0 {
			t.Errorf("%s healthcheck: exit code %d, %s", service, code, out)
		}
	}
	if code := r.End(t, syscall.SIGTERM); code != 0 {
		t.Errorf("register on SIGTERM: exit code %d", code)
	}
	if status, body = httpCall(t, lp, "GET", "/me", "", access); status != 503 || !strings.Contains(body, `"username":"alice"`) {
		t.Errorf("me without register: %d %s", status, body)
	}
	if code := l.End(t, os.Interrupt); code != 0 {
		t.Errorf("login on SIGINT: exit code %d", code)
	}
	if code, _ := run(t, "login", append(env, "PORT="+lp), "healthcheck"); code != 1 {
		t.Errorf("healthcheck of nobody: exit code %d, want 1", code)
	}
	for _, p := range []*frontdoortest.Process{r, l} {
		if strings.Contains(p.Output(), accounttest.Password) || strings.Contains(p.Output(), access) {
			t.Error("the log holds a password or a token")
		}
	}
}

// The same binaries as functions, polling a Runtime API.
func TestTwoFunctions(t *testing.T) {
	t.Parallel()
	env := []string{"STORE=embedded", "DATA_DIR=" + t.TempDir()}
	functions := map[string]*frontdoortest.RuntimeAPI{}
	processes := map[string]*frontdoortest.Process{}
	for _, service := range []string{"register", "login"} {
		api, err := frontdoortest.NewRuntimeAPI(30 * time.Second)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = api.Close() })
		functions[service] = api
		p := frontdoortest.Start(t, append(env, api.Env()...), binary(t, service))
		processes[service] = p
		t.Cleanup(func() {
			if code := p.End(t, syscall.SIGTERM); code != 0 {
				t.Errorf("%s on SIGTERM: exit code %d", service, code)
			}
		})
	}
	invoke := func(service, event string) (int, string) {
		t.Helper()
		out, err := functions[service].Invoke(t.Context(), []byte(event))
		if err != nil {
			t.Fatal(err)
		}
		var a struct {
			StatusCode int    `json:"statusCode"`
			Body       string `json:"body"`
		}
		if err := json.Unmarshal(out, &a); err != nil {
			t.Fatal(err)
		}
		return a.StatusCode, a.Body
	}
	if status, body := invoke("register", alice); status != 200 || member(body, "message") != "User registered successfully" {
		t.Errorf("register: %d %s", status, body)
	}
	// A function sends mail when it has answered, and before it takes the next event.
	for _, name := range []string{"bob", "carol"} {
		if status, body := invoke("register", `{"username":"`+name+`","password":"`+accounttest.Password+`","email":"`+name+`@example.com"}`); status != 200 {
			t.Errorf("register: %d %s", status, body)
		}
	}
	if !strings.Contains(processes["register"].Output(), "mail to bob@example.com") {
		t.Error("the mail of one invocation has not gone out before the next")
	}
	status, body := invoke("login", alice)
	if status != 200 {
		t.Fatalf("login: %d %s", status, body)
	}
	event, err := frontdoortest.Event(frontdoortest.HTTPAPI, "GET", "/me", "accounts.example.com",
		http.Header{"Authorization": {"Bearer " + member(body, "access_token")}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	// Login was not told where register is.
	if status, body := invoke("login", string(event)); status != 503 || !strings.Contains(body, `"username":"alice"`) {
		t.Errorf("me: %d %s", status, body)
	}
	// There is no listener, so there is no outbox.
	event, err = frontdoortest.Event(frontdoortest.ALB, "GET", "/outbox?to=alice@example.com", "x", http.Header{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if status, _ := invoke("register", string(event)); status != 404 {
		t.Errorf("outbox of a function: %d, want 404", status)
	}
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	file := filepath.Join(t.TempDir(), "a-file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	embedded := []string{"STORE=embedded", "DATA_DIR=" + t.TempDir()}
	for name, tt := range map[string]struct {
		env, args []string
		code      int
		says      []string
	}{
		"help":              {nil, []string{"-help"}, 0, []string{"USER_POOL_ID", "healthcheck"}},
		"version":           {nil, []string{"-version"}, 0, []string{"register dev"}},
		"wrong settings":    {[]string{"STORE=x", "PORT=y"}, nil, 2, []string{"STORE:", "PORT:"}},
		"missing settings":  {nil, nil, 2, []string{"USER_POOL_ID:", "USER_POOL_CLIENT_ID:"}},
		"unknown argument":  {nil, []string{"serve"}, 2, []string{"serve"}},
		"unknown flag":      {nil, []string{"-x"}, 2, []string{"-x"}},
		"port in use":       {append(embedded, "PORT="+port), nil, 1, []string{port, "in use"}},
		"data no folder":    {[]string{"STORE=embedded", "DATA_DIR=" + file}, nil, 1, []string{file}},
		"no region":         {[]string{"USER_POOL_ID=eu-west-1_x", "USER_POOL_CLIENT_ID=y"}, nil, 1, []string{"AWS_REGION"}},
		"healthcheck usage": {nil, []string{"healthcheck", "-x"}, 2, []string{"usage"}},
	} {
		code, out := run(t, "register", tt.env, tt.args...)
		if code != tt.code {
			t.Errorf("%s: exit code %d, want %d:\n%s", name, code, tt.code, out)
		}
		for _, want := range tt.says {
			if !strings.Contains(out, want) {
				t.Errorf("%s: nothing says %q:\n%s", name, want, out)
			}
		}
		if code == 1 && strings.Count(strings.TrimSpace(out), "\n") > 0 {
			t.Errorf("%s: more than one line:\n%s", name, out)
		}
	}
}
