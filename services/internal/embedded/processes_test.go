package embedded_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/account/accounttest"
	"spillway.example/services/internal/embedded"
)

// childDir names the data folder to a test process that is to be a child.
const childDir = "EMBEDDED_TEST_CHILD_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if err := signUpForever(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// signUpForever makes one account after another, from several goroutines, and prints
// the name of each once it is made.
func signUpForever(dir string) error {
	ctx := context.Background()
	s, err := embedded.Open(ctx, embedded.Config{DataDir: dir, Issuer: "https://issuer.example", ClientID: "client", Argon2: cheap})
	if err != nil {
		return err
	}
	d := directory(s)
	r := account.NewRegistrar(account.RegistrarConfig{Directory: d, Claims: s, Profiles: s, Mailer: &postbox{}})
	failed := make(chan error)
	for range 4 {
		go func() {
			for {
				name := accounttest.Name("crash")
				if _, err := r.Register(ctx, account.Registration{Username: name, Password: accounttest.Password}); err != nil {
					failed <- err
					return
				}
				fmt.Println(name)
			}
		}()
	}
	return <-failed
}

// TestKilled kills a process with no warning while it writes, again and again on one
// file, while another has the file open: what was answered is there, and the file is
// whole.
func TestKilled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	witness := open(t, dir)
	var names []string
	for range 4 {
		names = append(names, killAfter(t, dir, 25)...)
		s := open(t, dir)
		d := directory(s)
		for _, name := range names {
			u, err := directory(witness).FindUser(t.Context(), name)
			if err != nil || !u.Confirmed {
				t.Fatalf("%s: got %+v, %v", name, u, err)
			}
			if c, err := s.Find(t.Context(), name); err != nil || !c.Confirmed || c.UserID != u.ID {
				t.Fatalf("%s: got claim %+v, %v", name, c, err)
			}
			if _, err := s.Get(t.Context(), u.ID); err != nil {
				t.Fatalf("%s: no profile: %v", name, err)
			}
		}
		signIn(t, d, names[len(names)-1])
	}
	if got := column[string](t, dir, `PRAGMA integrity_check`); len(got) != 1 || got[0] != "ok" {
		t.Errorf("integrity: got %v", got)
	}
}

// killAfter starts a child, kills it when it has made n accounts, and gives all that
// it said it made.
func killAfter(t *testing.T, dir string, n int) []string {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childDir+"="+dir)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var names []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if names = append(names, lines.Text()); len(names) == n {
			if err := child.Process.Kill(); err != nil { // SIGKILL
				t.Fatal(err)
			}
		}
	}
	if err := child.Wait(); err == nil || len(names) < n {
		t.Fatalf("the child made %d accounts and ended with %v, want it killed after %d", len(names), err, n)
	}
	return names
}

// TestTwoProcesses has a real second process write while this one does.
func TestTwoProcesses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	r := account.NewRegistrar(account.RegistrarConfig{Directory: directory(s), Claims: s, Profiles: s, Mailer: &postbox{}})
	var theirs []string
	var wg sync.WaitGroup
	wg.Go(func() { theirs = killAfter(t, dir, 50) })
	for range 50 {
		if _, err := r.Register(t.Context(), account.Registration{Username: accounttest.Name("mine"), Password: accounttest.Password}); err != nil {
			t.Errorf("Register: %v", err)
		}
	}
	wg.Wait()
	got := column[int](t, dir, `SELECT count(*) FROM users JOIN profiles ON profiles.user_id = users.id`)
	if got[0] < 50+len(theirs) {
		t.Errorf("got %d users with profiles, want at least %d", got[0], 50+len(theirs))
	}
}

// TestBusy holds the file's write lock as a process that hangs would.
func TestBusy(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, func(c *embedded.Config) { c.BusyTimeout = 50 * time.Millisecond })
	patient := open(t, dir)
	p := account.Profile{UserID: "u", Username: "alice"}
	if err := s.PutIfAbsent(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	hog, err := raw(t, dir).Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer hog.Close()
	if _, err := hog.ExecContext(t.Context(), `BEGIN IMMEDIATE`); err != nil {
		t.Fatal(err)
	}
	wantCode(t, "Delete past the busy timeout", s.Delete(t.Context(), p.UserID), account.CodeUnavailable)
	_, err = s.Get(t.Context(), p.UserID)
	wantCode(t, "Get while another writes", err, "")

	// A context ends the wait for the lock, and that for this process's own turn.
	ctx, cancel := context.WithCancel(t.Context())
	results := make(chan error)
	for range 2 {
		go func() { results <- patient.Delete(ctx, p.UserID) }()
	}
	cancel()
	for range 2 {
		err := <-results
		wantCode(t, "Delete with its context done", err, account.CodeUnavailable)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want it to say that the context was done", err)
		}
	}
	if _, err := hog.ExecContext(t.Context(), `ROLLBACK`); err != nil {
		t.Fatal(err)
	}
	wantCode(t, "Delete", patient.Delete(t.Context(), p.UserID), "")
}

func TestPing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	wantCode(t, "Ping", s.Ping(t.Context()), "")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	wantCode(t, "Ping with its context done", s.Ping(ctx), account.CodeUnavailable)
}
