package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"spillway.example/bench/started"
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
	url     string
	dir     string
	started *started.Service
	http    http.Client

	strangers int // addresses so far that nobody has
}

// stranger gives an address that nobody has, as long as the known ones are: what is done
// with a name takes the longer the longer it is.
func (s *services) stranger() string {
	s.strangers++
	return fmt.Sprintf("other-%05d@example.com", s.strangers)
}

func start(ctx context.Context) (s *services, err error) {
	s = &services{}
	if s.dir, err = os.MkdirTemp("", "timing"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.stop()
		}
	}()
	binary := filepath.Join(s.dir, "spillway")
	if err := started.Build(ctx, binary, "./spillway"); err != nil {
		return nil, err
	}
	settings := []string{"DATA_DIR=" + filepath.Join(s.dir, "data"), "LIMITS=off", "LOG_LEVEL=error"}
	if s.started, err = started.Start(ctx, settings, binary, "run"); err != nil {
		return nil, err
	}
	s.url = "http://" + s.started.Addr
	return s, nil
}

// stop ends the services and removes their folder, on a best effort.
func (s *services) stop() {
	if s.started != nil {
		_ = s.started.Stop()
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
