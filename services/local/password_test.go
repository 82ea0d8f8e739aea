package local_test

import (
	"bytes"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/account/accounttest"
	"spillway.example/services/internal/backend"
	"spillway.example/services/internal/settings"
	"spillway.example/services/local"
)

// An operator gives a password that signs in once, while services have the store open.
func TestTemporaryPassword(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	environ := []string{"DATA_DIR=" + dir}
	s, err := settings.Parse(settings.Local, environ)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	b, err := backend.Open(t.Context(), backend.Config{Settings: s, Terminal: io.Discard, Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if _, err := b.Registrar(s, log).Register(t.Context(), account.Registration{Username: "alice", Password: accounttest.Password}); err != nil {
		t.Fatal(err)
	}
	before, err := b.Sessions(log).SignIn(t.Context(), "alice", accounttest.Password)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := local.TemporaryPassword(t.Context(), local.PasswordConfig{Environ: environ, Username: "Alice", Stdout: &out}); err != nil {
		t.Fatal(err)
	}
	password, _, _ := strings.Cut(out.String(), "\n")
	if _, err := b.Sessions(log).SignIn(t.Context(), "alice", password); account.CodeOf(err) != account.CodeChallenge {
		t.Errorf("SignIn with the password that was given: %v", err)
	}
	if !strings.Contains(out.String(), "within 7 days") {
		t.Errorf("said: %s", out.String())
	}
	if _, active, err := b.Verifier.Introspect(t.Context(), before.AccessToken); err != nil || active {
		t.Errorf("an access token of before: active %v, %v", active, err)
	}
	for want, c := range map[string]local.PasswordConfig{
		`no confirmed account "bob"`: {Environ: environ, Username: "bob", Stdout: &out},
		`no confirmed account "a b"`: {Environ: environ, Username: "a b", Stdout: &out},
		"spillway.db is not there":   {Environ: []string{"DATA_DIR=" + filepath.Join(dir, "nowhere")}, Username: "alice", Stdout: &out},
		"DATA_DIR says":              {Environ: []string{"DATA_DIR=" + t.TempDir()}, Username: "alice", Stdout: &out},
	} {
		if err := local.TemporaryPassword(t.Context(), c); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("got %v, want one line with %q", err, want)
		}
	}
}
