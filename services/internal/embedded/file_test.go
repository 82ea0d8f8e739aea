package embedded_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/embedded"
)

// tryOpen opens a store in a folder and closes it.
func tryOpen(ctx context.Context, dir string) error {
	s, err := embedded.Open(ctx, embedded.Config{DataDir: dir, Issuer: "i", ClientID: "c", Argon2: cheap})
	if err != nil {
		return err
	}
	return s.Close()
}

func TestNobodyElseReadsTheFile(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new", "data")
	s := open(t, dir)
	if err := s.PutIfAbsent(t.Context(), account.Profile{UserID: "u"}); err != nil {
		t.Fatal(err)
	}
	want := map[string]fs.FileMode{dir: 0o700, dataFile(dir): 0o600, dataFile(dir) + "-wal": 0o600, dataFile(dir) + "-shm": 0o600}
	for path, mode := range want {
		info, err := os.Stat(path)
		if err != nil {
			t.Errorf("%v", err)
		} else if got := info.Mode().Perm(); got != mode {
			t.Errorf("%s: got mode %o, want %o", path, got, mode)
		}
	}
}

func TestLooseModeIsTightened(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := tryOpen(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dataFile(dir), 0o644); err != nil {
		t.Fatal(err)
	}
	open(t, dir)
	info, err := os.Stat(dataFile(dir))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got %v, %v, want mode 600", info.Mode(), err)
	}
}

func TestFolderNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"with space", "a?b=c&d", "100%", "a#b", "ü", "%41", "-dash", "a;b'c"} {
		dir := filepath.Join(t.TempDir(), name)
		if err := tryOpen(t.Context(), dir); err != nil {
			t.Errorf("%q: %v", name, err)
		}
		if _, err := os.Stat(dataFile(dir)); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// TestUnusable holds Open to one clear line for each thing that a user can have wrong,
// and to leaving the file as it was.
func TestUnusable(t *testing.T) {
	t.Parallel()
	write := func(content []byte) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			t.Helper()
			if err := os.WriteFile(dataFile(dir), content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	execute := func(query string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			t.Helper()
			if _, err := raw(t, dir).ExecContext(t.Context(), query); err != nil {
				t.Fatal(err)
			}
		}
	}
	tests := []struct {
		name string
		do   func(t *testing.T, dir string)
		want string
	}{
		{"no database", write([]byte(strings.Repeat("not a database\n", 1000))), "is no database, or is damaged"},
		{"a page of noise", damage, "is damaged"},
		{"cut short", cut, "is damaged"},
		{"a newer version", func(t *testing.T, dir string) {
			t.Helper()
			if err := tryOpen(t.Context(), dir); err != nil {
				t.Fatal(err)
			}
			execute(`PRAGMA user_version = 99`)(t, dir)
		}, "comes from a newer version (schema 99, this one knows "},
		{"somebody else's", execute(`CREATE TABLE notes (note TEXT)`), "belongs to another program"},
		{"a folder in the file's place", func(t *testing.T, dir string) {
			t.Helper()
			if err := os.Mkdir(dataFile(dir), 0o700); err != nil {
				t.Fatal(err)
			}
		}, "it is no file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			tt.do(t, dir)
			before, _ := os.ReadFile(dataFile(dir))
			wantLine(t, tryOpen(t.Context(), dir), tt.want, dataFile(dir))
			if after, _ := os.ReadFile(dataFile(dir)); !bytes.Equal(before, after) {
				t.Error("Open changed a file that it cannot use")
			}
		})
	}
}

// wantLine fails unless err is one line that says what and where.
func wantLine(t *testing.T, err error, what, where string) {
	t.Helper()
	if err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), what) || !strings.Contains(err.Error(), where) {
		t.Errorf("Open: got %v, want one line with %q and %q", err, what, where)
	}
}

// damage fills a page in the middle of a store's file with noise.
func damage(t *testing.T, dir string) {
	t.Helper()
	content := filled(t, dir)
	middle := content[len(content)/2/4096*4096:][:4096]
	copy(middle, bytes.Repeat([]byte{0xaa, 0x55}, 2048))
	if err := os.WriteFile(dataFile(dir), content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// cut takes the second half off a store's file.
func cut(t *testing.T, dir string) {
	t.Helper()
	content := filled(t, dir)
	if err := os.WriteFile(dataFile(dir), content[:len(content)/2], 0o600); err != nil {
		t.Fatal(err)
	}
}

// filled gives the content of a store's file with some profiles in it.
func filled(t *testing.T, dir string) []byte {
	t.Helper()
	s := open(t, dir)
	for i := range 200 {
		p := account.Profile{UserID: account.UserID(strings.Repeat("x", i+1)), Username: "somebody"}
		if err := s.PutIfAbsent(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(dataFile(dir))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestUnwritableFolder(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	wantLine(t, tryOpen(t.Context(), filepath.Join(file, "data")), "cannot be made: not a directory", file)
	wantLine(t, tryOpen(t.Context(), file), "cannot be made: not a directory", file)

	// /proc takes no files, not even root's.
	if info, err := os.Stat("/proc/self"); err == nil && info.IsDir() {
		wantLine(t, tryOpen(t.Context(), "/proc/self"), "cannot be written", "/proc/self")
	}
	if os.Geteuid() != 0 { // root may write anywhere
		dir := t.TempDir()
		if err := os.Chmod(dir, 0o500); err != nil {
			t.Fatal(err)
		}
		wantLine(t, tryOpen(t.Context(), dir), "cannot be written: permission denied", dir)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]embedded.Config{
		"no folder":    {Issuer: "i", ClientID: "c"},
		"no issuer":    {DataDir: t.TempDir(), ClientID: "c"},
		"no client":    {DataDir: t.TempDir(), Issuer: "i"},
		"weak argon2":  {DataDir: t.TempDir(), Issuer: "i", ClientID: "c", Argon2: embedded.Argon2{Memory: 7, Iterations: 1, Parallelism: 1}},
		"no iteration": {DataDir: t.TempDir(), Issuer: "i", ClientID: "c", Argon2: embedded.Argon2{Memory: 64, Parallelism: 1}},
	} {
		if _, err := embedded.Open(t.Context(), c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestOpenWithContextDone(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := tryOpen(ctx, t.TempDir()); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

// TestManyOpenAtOnce opens a new folder many times at once, as register and login do
// when they start together: all must see one schema and one signing key.
func TestManyOpenAtOnce(t *testing.T) {
	t.Parallel()
	for range 5 {
		dir := filepath.Join(t.TempDir(), "data")
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if err := tryOpen(context.Background(), dir); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if keys := column[string](t, dir, `SELECT id FROM signing_keys`); len(keys) != 1 {
			t.Errorf("got signing keys %v, want one", keys)
		}
	}
}

// TestMigrations opens a file of every older version.
func TestMigrations(t *testing.T) {
	t.Parallel()
	steps, err := filepath.Glob("migrations/*.sql")
	if err != nil || len(steps) == 0 {
		t.Fatalf("migrations: %v, %v", steps, err)
	}
	latest := t.TempDir()
	if err := tryOpen(t.Context(), latest); err != nil {
		t.Fatal(err)
	}
	const schema = `SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name`
	want := column[string](t, latest, schema)
	for version := range steps {
		dir := t.TempDir()
		db := raw(t, dir)
		for _, step := range steps[:version] {
			query, err := os.ReadFile(step)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := db.ExecContext(t.Context(), string(query)); err != nil {
				t.Fatalf("%s: %v", step, err)
			}
		}
		if _, err := db.ExecContext(t.Context(), `PRAGMA user_version = `+strconv.Itoa(version)); err != nil {
			t.Fatal(err)
		}
		if version > 0 {
			if _, err := db.ExecContext(t.Context(), `
				INSERT INTO profiles (user_id, username, email, email_verified, created_at, updated_at, version)
				VALUES ('kept', 'alice', '', false, 0, 0, 1)`); err != nil {
				t.Fatal(err)
			}
		}
		s := open(t, dir)
		if got := column[string](t, dir, schema); strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("from version %d: got schema %v, want %v", version, got, want)
		}
		if got := column[int](t, dir, `PRAGMA user_version`); got[0] != len(steps) {
			t.Errorf("from version %d: got version %d, want %d", version, got[0], len(steps))
		}
		if version > 0 {
			if p, err := s.Get(t.Context(), "kept"); err != nil || p.Username != "alice" {
				t.Errorf("from version %d: got profile %+v, %v", version, p, err)
			}
		}
	}
}
