package frontdoortest

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// builds are the binaries that tests of this process have asked for.
var builds struct {
	mu    sync.Mutex
	dir   string
	files map[string]string
}

// Binary builds a main package as images have it, without cgo, once for all tests of the
// process, and gives the file. Call [Main] from TestMain to have it removed.
func Binary(t testing.TB, pkg string) string {
	t.Helper()
	builds.mu.Lock()
	defer builds.mu.Unlock()
	if file, ok := builds.files[pkg]; ok {
		return file
	}
	if builds.dir == "" {
		dir, err := os.MkdirTemp("", "frontdoortest") //nolint:usetesting // it is for more than this test
		if err != nil {
			t.Fatal(err)
		}
		builds.dir, builds.files = dir, map[string]string{}
	}
	file := filepath.Join(builds.dir, fmt.Sprint(len(builds.files)), "bootstrap")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", file, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", pkg, err, out)
	}
	builds.files[pkg] = file
	return file
}

// Main runs the tests of a package and removes the binaries that they built.
func Main(m *testing.M) int {
	code := m.Run()
	if err := os.RemoveAll(builds.dir); err != nil {
		fmt.Fprintln(os.Stderr, "removing what the tests built:", err)
		code = max(code, 1)
	}
	return code
}

// FreePort gives a port of 127.0.0.1 on which nobody listens.
func FreePort(t testing.TB) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// Process is a program that runs beside a test.
type Process struct {
	cmd *exec.Cmd
	out output
}

// output keeps what a process writes, and can be read meanwhile.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

// Start runs a program with an environment of its own, and shows what it says in the
// test's output. Whatever still runs when the test is over is killed.
func Start(t testing.TB, env []string, file string, args ...string) *Process {
	t.Helper()
	p := &Process{cmd: exec.Command(file, args...)} //nolint:noctx // it outlives the test's context, to be ended by a signal
	p.cmd.Env = env
	p.cmd.Stdout = io.MultiWriter(&p.out, t.Output())
	p.cmd.Stderr = p.cmd.Stdout
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // unless it has ended
		_ = p.cmd.Wait()
	})
	return p
}

// Output gives what the process has said so far.
func (p *Process) Output() string {
	p.out.mu.Lock()
	defer p.out.mu.Unlock()
	return p.out.b.String()
}

// End sends the process a signal, waits until it has ended, and gives its exit code.
func (p *Process) End(t testing.TB, s os.Signal) int {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
	_ = p.cmd.Wait() // its exit code says it
	return p.cmd.ProcessState.ExitCode()
}
