// Package started builds programs and runs them as processes of their own, for whoever
// measures them from outside.
package started

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// Build builds a main package into a file, with more flags of go build where they are given.
func Build(ctx context.Context, file, pkg string, flags ...string) error {
	cmd := exec.CommandContext(ctx, "go", append(append([]string{"build", "-o", file}, flags...), pkg)...) //nolint:gosec // names from the programs here
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building %s: %w\n%s", pkg, err, said)
	}
	return nil
}

// Service is an HTTP service that runs.
type Service struct {
	Addr string // host and port

	cmd *exec.Cmd
}

// patience is how long a service has until it answers.
const patience = 10 * time.Second

// Start runs a program that serves HTTP at LISTEN_HOST and PORT, with these variables beside
// them and no others, and waits until it answers GET /readyz, however it does. What it writes
// as errors is written here.
func Start(ctx context.Context, env []string, file string, args ...string) (*Service, error) {
	addr, err := freeAddr(ctx)
	if err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	s := &Service{Addr: addr, cmd: exec.Command(file, args...)} //nolint:gosec,noctx // a file that was just built; Stop ends it
	s.cmd.Env = append([]string{"LISTEN_HOST=" + host, "PORT=" + port}, env...)
	s.cmd.Stderr = os.Stderr
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	for began := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		if err = s.answers(ctx); err == nil {
			return s, nil
		}
		if ctx.Err() != nil || time.Since(began) > patience {
			s.Kill()
			return nil, fmt.Errorf("waiting for %s to answer: %w", file, err)
		}
	}
}

// freeAddr gives an address on loopback where nobody listens.
func freeAddr(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func (s *Service) answers(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.Addr+"/readyz", nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	return err
}

// Stop has the service end by itself, and waits for it.
func (s *Service) Stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return s.cmd.Wait()
}

// Kill ends the service at once, on a best effort.
func (s *Service) Kill() {
	_ = s.cmd.Process.Kill() // it may have ended
	_ = s.cmd.Wait()         // as killed
}

// CPU is the time that the service has taken of processors; it is known once it has ended.
func (s *Service) CPU() time.Duration {
	return s.cmd.ProcessState.UserTime() + s.cmd.ProcessState.SystemTime()
}
