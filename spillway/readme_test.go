package main_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestREADMEWalk runs the README's walk, to the letter but for the port, against
// `spillway run`.
func TestREADMEWalk(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("the README's walk needs curl")
	}
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)<!-- walk -->\n```sh\n(.*?)```").FindSubmatch(readme)
	if block == nil {
		t.Fatal("the README has no walk")
	}
	address, said := run(t)
	pasted(t, said)
	walk := strings.ReplaceAll(string(block[1]), "127.0.0.1:8080", address)
	out, err := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", walk).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{
		`"message":"User registered successfully"`, `"confirmation_required":true`, `"user_id":"`, `"username":"alice"`,
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the walk's output has no %s:\n%s", want, out)
		}
	}
	if !strings.HasSuffix(strings.TrimSpace(string(out)), "204") {
		t.Errorf("the walk does not end signed out:\n%s", out)
	}
}

// built builds spillway, once for all tests.
var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "spillway")
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "spillway")
	if out, err := exec.Command("go", "build", "-o", file, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("building spillway: %w\n%s", err, out)
	}
	return file, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if file, err := built(); err == nil {
		_ = os.RemoveAll(filepath.Dir(file)) // a folder of the system's temporary ones
	}
	os.Exit(code)
}

func binary(t *testing.T) string {
	t.Helper()
	file, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// run starts `spillway run` on a free port and a new data folder, and gives its
// address once it answers, and what it has said by then. At the end of the test it is interrupted and must exit 0.
func run(t *testing.T) (address, said string) {
	t.Helper()
	port := freePort(t)
	cmd := exec.Command(binary(t), "run")
	cmd.Env = append(os.Environ(), "PORT="+strconv.Itoa(port), "DATA_DIR="+t.TempDir())
	var greeting safeBuffer
	cmd.Stdout, cmd.Stderr = io.MultiWriter(t.Output(), &greeting), t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("after an interrupt: %v", err)
		}
	})
	address = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for !answers(ctx, "http://"+address+"/healthz") {
		if ctx.Err() != nil {
			t.Fatal("spillway run does not answer")
		}
		time.Sleep(20 * time.Millisecond)
	}
	return address, greeting.String()
}

// pasted runs the lines that a start prints, as they stand: each must succeed.
func pasted(t *testing.T, said string) {
	t.Helper()
	lines := regexp.MustCompile(`(?m)^ +curl (.*)$`).FindAllStringSubmatch(said, -1)
	if len(lines) != 3 {
		t.Fatalf("a start prints %d curl lines, want 3:\n%s", len(lines), said)
	}
	for _, l := range lines {
		line := strings.ReplaceAll(l[1], "alice", "pasted") // alice is the README's
		out, err := exec.CommandContext(t.Context(), "bash", "-c", "curl -sS --fail-with-body "+line).CombinedOutput()
		if err != nil {
			t.Errorf("curl %s: %v\n%s", line, err, out)
		}
	}
}

// safeBuffer is a buffer that is read while a process writes to it.
type safeBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func answers(ctx context.Context, url string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	return err == nil && res.StatusCode == http.StatusOK
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
