package affected_test

import (
	"archive/zip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// loginModule needs a module from outside, in a version that tests change.
const loginModule = `module example.org/login

go 1.26

require (
	example.org/internal v0.0.0
	example.org/outside v1.0.0 // outside
)

replace example.org/internal => ../internal
`

// files is a repository with the layout of this one: two services on shared packages.
func files() change {
	return change{
		"README.md":           "It does something.\n",
		"go.work":             "go 1.26\n\nuse (\n\t./services/internal\n\t./services/login\n\t./services/register\n)\n",
		"Dockerfile.login":    "FROM scratch\n",
		"Dockerfile.register": "FROM scratch\n",

		"services/internal/go.mod":                "module example.org/internal\n\ngo 1.26\n",
		"services/internal/dynamo/dynamo.go":      "package dynamo\n",
		"services/internal/dynamo/extra.go":       "package dynamo\n",
		"services/internal/dynamo/dynamo_test.go": "package dynamo_test\n",
		"services/internal/account/account.go":    "package account\n\nimport \"embed\"\n\n//go:embed passwords.txt words\nvar words embed.FS\n\nvar _ = words\n",
		"services/internal/account/passwords.txt": "password\n",
		"services/internal/account/words/a.txt":   "a\n",
		"services/internal/unused/unused.go":      "package unused\n",

		"services/login/go.mod":            loginModule,
		"services/login/login.go":          "package login\n\nimport _ \"example.org/internal/dynamo\"\n",
		"services/login/cmd/login/main.go": "package main\n\nimport (\n\t_ \"example.org/login\"\n\t_ \"example.org/outside\"\n)\n\nfunc main() {}\n",

		"services/register/go.mod":               "module example.org/register\n\ngo 1.26\n\nrequire example.org/internal v0.0.0\n\nreplace example.org/internal => ../internal\n",
		"services/register/register.go":          "package register\n\nimport (\n\t_ \"example.org/internal/account\"\n\t_ \"example.org/internal/dynamo\"\n)\n",
		"services/register/cmd/register/main.go": "package main\n\nimport _ \"example.org/register\"\n\nfunc main() {}\n",

		"deploy/service.yaml":              "Resources: {A: {}}\n",
		"deploy/network.yaml":              "Resources: {B: {}}\n",
		"deploy/environments/staging.yaml": "network: {Zones: 2}\nlogin: {MinTasks: 1}\nregister: {MinTasks: 1}\n",
	}
}

type repository struct{ dir string }

func newRepository(t *testing.T) repository {
	t.Helper()
	r := repository{t.TempDir()}
	r.git(t, "init", "-q")
	return r
}

// commit writes and deletes files, commits, and gives the commit's hash.
func (r repository) commit(t *testing.T, c change) string {
	t.Helper()
	for name, text := range c {
		file := filepath.Join(r.dir, name)
		if text == "" {
			if err := os.Remove(file); err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	r.git(t, "add", "-A")
	r.git(t, "commit", "-q", "--allow-empty", "-m", "change")
	return r.git(t, "rev-parse", "HEAD")
}

func (r repository) git(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", append([]string{"-c", "user.name=t", "-c", "user.email=t@example.com"}, args...)...)
	cmd.Dir = r.dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// TestMain gives Go a proxy of its own, with the module from outside in two versions.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "affected-test-")
	if err != nil {
		panic(err)
	}
	for _, version := range []string{"v1.0.0", "v1.1.0"} {
		if err := serve(filepath.Join(dir, "proxy", "example.org", "outside", "@v"), version); err != nil {
			panic(err)
		}
	}
	for name, value := range map[string]string{
		"GOPROXY": "file://" + filepath.ToSlash(filepath.Join(dir, "proxy")), "GOSUMDB": "off",
		"GOMODCACHE": filepath.Join(dir, "modules"), "GOFLAGS": "-mod=mod -modcacherw", "GOTOOLCHAIN": "local",
	} {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	code := m.Run()
	if err := os.RemoveAll(dir); err != nil {
		panic(err)
	}
	os.Exit(code)
}

// serve lays a version out as a module proxy has it (https://go.dev/ref/mod#goproxy-protocol).
func serve(dir, version string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	module := "module example.org/outside\n\ngo 1.26\n"
	for name, text := range map[string]string{".info": `{"Version":"` + version + `"}`, ".mod": module} {
		if err := os.WriteFile(filepath.Join(dir, version+name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	file, err := os.Create(filepath.Join(dir, version+".zip"))
	if err != nil {
		return err
	}
	defer file.Close()
	z := zip.NewWriter(file)
	for name, text := range map[string]string{"go.mod": module, "outside.go": "package outside\n"} {
		w, err := z.Create("example.org/outside@" + version + "/" + name)
		if err != nil {
			return err
		}
		if _, err := w.Write([]byte(text)); err != nil {
			return err
		}
	}
	return z.Close()
}
