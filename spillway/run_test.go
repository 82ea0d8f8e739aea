package main_test

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"spillway.example/frontdoor/frontdoortest"
)

// output runs spillway to its end, and gives its exit code and all it said.
func output(t *testing.T, env []string, args ...string) (code int, said string) {
	t.Helper()
	file := frontdoortest.Binary(t, ".")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, file, args...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// What is wrong is one line that names it, and an exit code.
func TestRunFails(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	damaged := t.TempDir()
	// The name of the file is the store's to choose: let it make one, and damage that.
	code, said := output(t, []string{"DATA_DIR=" + damaged, "PORT=" + port}, "run")
	if code != 1 || !strings.Contains(said, port) || !strings.Contains(said, "in use") || strings.Count(said, "\n") != 1 {
		t.Errorf("port in use: exit code %d\n%s", code, said)
	}
	files, err := filepath.Glob(filepath.Join(damaged, "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no data file: %v, %v", files, err)
	}
	for _, f := range files {
		if err := os.WriteFile(f, []byte(strings.Repeat("no database at all ", 100)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		env, args []string
		code      int
		says      string
	}{
		"damaged file":    {[]string{"DATA_DIR=" + damaged}, []string{"run"}, 1, damaged},
		"no folder":       {[]string{"DATA_DIR=" + file}, []string{"run"}, 1, file},
		"wrong setting":   {[]string{"PORT=http"}, []string{"run"}, 2, "PORT"},
		"an argument":     {nil, []string{"run", "now"}, 2, "-help"},
		"unknown command": {nil, []string{"walk"}, 2, "spillway help"},
		"no command":      {nil, nil, 2, "run"},
	} {
		code, said := output(t, tt.env, tt.args...)
		if code != tt.code || !strings.Contains(said, tt.says) {
			t.Errorf("%s: exit code %d, want %d, and %q said:\n%s", name, code, tt.code, tt.says, said)
		}
		if tt.code == 1 && strings.Count(said, "\n") != 1 {
			t.Errorf("%s: more than one line:\n%s", name, said)
		}
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"help"}, {"-h"}, {"run", "-help"}, {"version"}} {
		code, said := output(t, nil, args...)
		if code != 0 || said == "" {
			t.Errorf("%v: exit code %d\n%s", args, code, said)
		}
	}
	if _, said := output(t, nil, "run", "-help"); !strings.Contains(said, "DATA_DIR") {
		t.Errorf("run -help does not explain DATA_DIR:\n%s", said)
	}
}
