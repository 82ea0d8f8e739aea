package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"time"
)

const password = "correct horse battery staple"

// operation is one request that says a name.
type operation struct {
	name   string
	path   string
	body   map[string]string // beside the username
	status int               // of its answer
	times  int               // how many times the pairs of the slowest
}

// Where an answer does not wait for a hash it is over soon, and its time varies more.
var operations = []operation{
	{"sign-up", "/register", map[string]string{"password": password}, http.StatusOK, 3},
	{"sign-in", "/login", map[string]string{"password": "not the password"}, http.StatusUnauthorized, 1},
	{"forgotten password", "/login/forgot", nil, http.StatusAccepted, 3},
	{"resend", "/register/resend", nil, http.StatusAccepted, 3},
}

// services is `spillway run` on a folder of its own.
type services struct {
	url  string
	dir  string
	cmd  *exec.Cmd
	http http.Client

	strangers int // addresses so far that nobody has
}

// stranger gives an address that nobody has, as long as the known ones are: what is done
// with a name takes the longer the longer it is.
func (s *services) stranger() string {
	s.strangers++
	return fmt.Sprintf("other-%05d@example.com", s.strangers)
}

func start(ctx context.Context) (*services, error) {
	dir, err := os.MkdirTemp("", "timing")
	if err != nil {
		return nil, err
	}
	s := &services{dir: dir}
	binary := filepath.Join(dir, "spillway")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", binary, "./spillway").CombinedOutput(); err != nil { //nolint:gosec // its own folder
		s.stop()
		return nil, fmt.Errorf("building spillway: %w\n%s", err, out)
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		s.stop()
		return nil, err
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		s.stop()
		return nil, err
	}
	_, port, _ := net.SplitHostPort(address)
	s.url = "http://" + address
	s.cmd = exec.CommandContext(ctx, binary, "run") //nolint:gosec // what was just built
	s.cmd.Env = []string{"PORT=" + port, "DATA_DIR=" + filepath.Join(dir, "data"), "LIMITS=off", "LOG_LEVEL=error"}
	if err := s.cmd.Start(); err != nil {
		s.stop()
		return nil, err
	}
	for range 200 {
		if _, err = s.get(ctx, "/readyz"); err == nil {
			return s, nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	s.stop()
	return nil, fmt.Errorf("waiting for the services: %w", err)
}

// stop ends the services and removes their folder, on a best effort.
func (s *services) stop() {
	if s.cmd != nil && s.cmd.Process != nil {
		_ = s.cmd.Process.Signal(os.Interrupt)
		_ = s.cmd.Wait()
	}
	_ = os.RemoveAll(s.dir)
}

func (s *services) get(ctx context.Context, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+path, nil)
	if err != nil {
		return nil, err
	}
	_, body, err := s.send(req)
	return body, err
}

func (s *services) post(ctx context.Context, path string, body map[string]string) (int, []byte, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return 0, nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+path, bytes.NewReader(text))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	return s.send(req)
}

func (s *services) send(req *http.Request) (int, []byte, error) {
	res, err := s.http.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return res.StatusCode, body, err
}

// timed makes one request, once nothing of an earlier one is left to do: the outbox waits
// for that. One that is refused for its form goes before, so that every request finds the
// service in the same state: what the work of the last one leaves in memory and caches
// shows in the next.
func (s *services) timed(ctx context.Context, op operation, name string) (time.Duration, error) {
	if _, err := s.get(ctx, "/outbox?to=nobody@example.com"); err != nil {
		return 0, err
	}
	body := map[string]string{"username": ""}
	maps.Copy(body, op.body)
	if _, _, err := s.post(ctx, op.path, body); err != nil {
		return 0, err
	}
	body["username"] = name
	begun := time.Now()
	status, answer, err := s.post(ctx, op.path, body)
	took := time.Since(begun)
	if err == nil && status != op.status {
		err = fmt.Errorf("status %d, want %d: %s", status, op.status, answer)
	}
	return took, err
}

var sixDigits = regexp.MustCompile(`\b\d{6}\b`)

// join makes an account with an address as its name.
func (s *services) join(ctx context.Context, email string) error {
	_, answer, err := s.post(ctx, "/register", map[string]string{"username": email, "password": password})
	if err != nil {
		return err
	}
	var registered struct {
		Token string `json:"registration_token"`
	}
	if err := json.Unmarshal(answer, &registered); err != nil {
		return err
	}
	mails, err := s.get(ctx, "/outbox?to="+url.QueryEscape(email))
	if err != nil {
		return err
	}
	code := sixDigits.Find(mails)
	if code == nil {
		return errors.New("no code was mailed")
	}
	status, answer, err := s.post(ctx, "/register/confirm", map[string]string{
		"username": email, "code": string(code), "registration_token": registered.Token,
	})
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("confirming: %s", answer)
	}
	return err
}
