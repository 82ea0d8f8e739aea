package main_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"spillway.example/frontdoor/frontdoortest"
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
		`"message":"User registered successfully"`, `"confirmation_required":true`, `"user_id":"`, `"username":"alice"`, `"display_name":"Alice Liddell"`,
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the walk's output has no %s:\n%s", want, out)
		}
	}
	if !strings.HasSuffix(strings.TrimSpace(string(out)), "204") {
		t.Errorf("the walk does not end signed out:\n%s", out)
	}
}

func TestMain(m *testing.M) { os.Exit(frontdoortest.Main(m)) }

// TestREADMENamesTheCommands: every command that `spillway help` lists for people is in the
// README's row about the command line.
func TestREADMENamesTheCommands(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile(`(?m)^\| \[spillway/\]\(spillway\) \|.*$`).Find(readme)
	help, err := exec.CommandContext(t.Context(), frontdoortest.Binary(t, "."), "help").Output()
	if err != nil {
		t.Fatal(err)
	}
	commands := regexp.MustCompile(`(?m)^  (\w+) `).FindAllStringSubmatch(string(help), -1)
	if len(commands) < 5 {
		t.Fatalf("help lists %d commands:\n%s", len(commands), help)
	}
	for _, c := range commands {
		if c[1] != "healthcheck" && c[1] != "version" && !strings.Contains(string(row), "`"+c[1]+"`") {
			t.Errorf("the README's row %q lacks `%s`", row, c[1])
		}
	}
}

// run starts `spillway run` on a free port and a new data folder, and gives its
// address once it answers, and what it has said by then. At the end of the test it is interrupted and must exit 0.
func run(t *testing.T) (address, said string) {
	t.Helper()
	port := frontdoortest.FreePort(t)
	p := frontdoortest.Start(t, append(os.Environ(), "PORT="+port, "DATA_DIR="+t.TempDir()), frontdoortest.Binary(t, "."), "run")
	t.Cleanup(func() {
		if code := p.End(t, os.Interrupt); code != 0 {
			t.Errorf("after an interrupt: exit code %d", code)
		}
	})
	address = net.JoinHostPort("127.0.0.1", port)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for !answers(ctx, "http://"+address+"/healthz") {
		if ctx.Err() != nil {
			t.Fatal("spillway run does not answer")
		}
		time.Sleep(20 * time.Millisecond)
	}
	return address, p.Output()
}

// pasted runs the lines that a start prints, as they stand: each must succeed.
func pasted(t *testing.T, said string) {
	t.Helper()
	lines := regexp.MustCompile(`(?m)^ +curl (.*)$`).FindAllStringSubmatch(said, -1)
	if len(lines) != 4 {
		t.Fatalf("a start prints %d curl lines, want 4:\n%s", len(lines), said)
	}
	var last string
	for _, l := range lines {
		out, err := exec.CommandContext(t.Context(), "bash", "-c", "curl -sS --fail-with-body "+l[1]).CombinedOutput()
		if err != nil {
			t.Errorf("curl %s: %v\n%s", l[1], err, out)
		}
		last = string(out)
	}
	if !regexp.MustCompile(`\b[0-9]{6}\b`).MatchString(last) {
		t.Errorf("the last line shows no mail with a code:\n%s", last)
	}
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
