//go:build e2e

package e2e_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// root is the repository, seen from this package.
const root = "../.."

// system is the composition, on ports of its own.
type system struct {
	env                               []string
	gateway, register, login, mailbox string // URLs: the gateway, the two emulators, Cognito's mail
}

// up brings the composition up, under a name of its own, until the test ends.
func up(t *testing.T) *system {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "docker", "info").CombinedOutput(); err != nil {
		if os.Getenv("REQUIRE_DOCKER") != "" {
			t.Fatalf("Docker is required: %v\n%s", err, out)
		}
		t.Skipf("needs Docker: %v", err)
	}
	// With port 0 Docker finds free ports, without a gap in which another takes them.
	s := &system{env: append(os.Environ(), "COMPOSE_PROJECT_NAME=spillway-e2e", "VERSION=e2e",
		"GATEWAY_PORT=0", "REGISTER_LAMBDA_PORT=0", "LOGIN_LAMBDA_PORT=0", "COGNITO_PORT=0",
		"LIMITS=guess.address=off; mail.address=off; sign_up.address=off")} // all load comes from one address
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
		defer cancel()
		if t.Failed() {
			keepLogs(ctx, t, s)
		}
		if out, err := s.command(ctx, "down", "--volumes", "--remove-orphans").CombinedOutput(); err != nil {
			t.Errorf("taking the composition down: %v\n%s", err, out)
		}
	})
	s.compose(t, "up", "--build", "--wait")
	url := func(service, port string) string {
		return "http://" + strings.TrimSpace(s.compose(t, "port", service, port))
	}
	s.gateway, s.mailbox = url("gateway", "8080"), url("cognito", "4566")
	s.register, s.login = url("register-lambda", "8080"), url("login-lambda", "8080")
	return s
}

// keepLogs shows what the gateway says of its targets and failures, and keeps every log
// where `go test -artifacts` wants it.
func keepLogs(ctx context.Context, t *testing.T, s *system) {
	t.Helper()
	out, _ := s.command(ctx, "logs", "--timestamps").CombinedOutput()
	file := filepath.Join(t.ArtifactDir(), "compose.log")
	if err := os.WriteFile(file, out, 0o600); err != nil {
		t.Errorf("keeping the logs: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, "gateway") && !strings.Contains(line, "msg=request ") {
			t.Log(strings.TrimSpace(line))
		}
	}
}

// compose runs a command of docker compose, which must succeed, and gives its output.
func (s *system) compose(t *testing.T, args ...string) string {
	t.Helper()
	cmd := s.command(t.Context(), args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("docker compose %s: %v\n%s%s", strings.Join(args, " "), err, out, stderr.String())
	}
	return string(out)
}

func (s *system) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "docker", append([]string{"compose"}, args...)...)
	cmd.Dir, cmd.Env = root, s.env
	return cmd
}

// spillway runs the command line inside the gateway's container.
func (s *system) spillway(t *testing.T, args ...string) string {
	t.Helper()
	return s.compose(t, append([]string{"exec", "-T", "gateway", "/spillway"}, args...)...)
}

// served counts the requests that the gateway has had each target group serve.
func (s *system) served(t *testing.T) map[string]int {
	t.Helper()
	counts := map[string]int{}
	for line := range strings.Lines(s.compose(t, "logs", "--no-log-prefix", "gateway")) {
		if _, rest, ok := strings.Cut(line, "msg=request "); ok {
			_, rest, _ = strings.Cut(rest, "group=")
			group, _, _ := strings.Cut(rest, " ")
			counts[group]++
		}
	}
	return counts
}

func docker(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "docker", args...)
	cmd.Dir = root
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("docker %s: %v\n%s%s", strings.Join(args, " "), err, out, stderr.String())
	}
	return strings.TrimSpace(string(out))
}
