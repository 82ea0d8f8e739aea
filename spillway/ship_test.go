package main_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// fakeSpillway says what it is called with and ends as the test wants each command to.
const fakeSpillway = `#!/usr/bin/env bash
verb=$1
if [ "$1" = deploy ]; then verb=$2; fi
echo "$*" >> "$CALLS"
if [ "$verb" = smoke ] && [[ $* = *-account* ]]; then cat >> "$CALLS"; fi
for failing in $FAILING; do
  if [ "${failing%=*}" = "$verb" ]; then exit "${failing#*=}"; fi
done
`

// TestShip: what is deployed is walked, and taken back where the walk fails.
func TestShip(t *testing.T) {
	t.Parallel()
	const image = "registry/login@sha256:1"
	verify := "deploy verify -only register,login -image login=" + image + " staging"
	apply := "deploy apply -only register,login -image login=" + image + " staging"
	const functions = "smoke -function register=spillway-staging-register:live -function login=spillway-staging-login:live "
	smoke := functions + "https://accounts.example.com"
	for what, c := range map[string]struct {
		failing string // VERB=CODE …
		environ []string
		args    []string
		calls   []string
		code    int
		says    string
	}{
		"all is well":                   {"", nil, []string{"register", "login=" + image}, []string{verify, apply, smoke}, 0, ""},
		"verify finds something":        {"verify=3", nil, []string{"register", "login=" + image}, []string{verify}, 3, ""},
		"apply has taken itself back":   {"apply=4", nil, []string{"register", "login=" + image}, []string{verify, apply}, 4, ""},
		"apply is cut off":              {"apply=130", nil, []string{"register", "login=" + image}, []string{verify, apply}, 130, ""},
		"the walk fails":                {"smoke=1", nil, []string{"register", "login=" + image}, []string{verify, apply, smoke, "deploy rollback staging login"}, 4, "staging serves what it served before"},
		"and so does the rollback":      {"smoke=1 rollback=5", nil, []string{"register", "login=" + image}, []string{verify, apply, smoke, "deploy rollback staging login"}, 5, "spillway deploy status staging"},
		"the walk fails on a template":  {"smoke=1", nil, []string{"login"}, []string{"deploy verify -only login staging", "deploy apply -only login staging", smoke}, 5, "revert the change"},
		"with an account":               {"", []string{"SMOKE_ACCOUNT=canary"}, []string{"login"}, []string{"deploy verify -only login staging", "deploy apply -only login staging", functions + "-account - https://accounts.example.com", "secret of canary"}, 0, ""},
		"with an account not to be had": {"", []string{"SMOKE_ACCOUNT=none"}, []string{"login=" + image}, []string{"deploy verify -only login -image login=" + image + " staging", "deploy apply -only login -image login=" + image + " staging", functions + "-account - https://accounts.example.com", "deploy rollback staging login"}, 4, "the walk failed"},
		"no services":                   {"", nil, nil, nil, 2, "Usage: ship"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			calls := filepath.Join(dir, "calls")
			for name, text := range map[string]string{
				"spillway": fakeSpillway,
				"aws":      "#!/usr/bin/env bash\nif [ \"$4\" = none ]; then exit 254; fi\necho \"secret of $4\"\n",
			} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			cmd := exec.CommandContext(t.Context(), "../scripts/ship", append([]string{"staging", "https://accounts.example.com"}, c.args...)...)
			cmd.Env = append(os.Environ(), append(c.environ, "SPILLWAY="+filepath.Join(dir, "spillway"), "CALLS="+calls, "FAILING="+c.failing,
				"PATH="+dir+string(os.PathListSeparator)+os.Getenv("PATH"))...)
			out, err := cmd.CombinedOutput()
			code := 0
			if exit, ok := errors.AsType[*exec.ExitError](err); ok {
				code = exit.ExitCode()
			} else if err != nil {
				t.Fatal(err)
			}
			if code != c.code || !strings.Contains(string(out), c.says) {
				t.Errorf("got exit code %d, want %d and %q\n%s", code, c.code, c.says, out)
			}
			text, err := os.ReadFile(calls)
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
			if want := strings.Join(c.calls, "\n"); strings.TrimSpace(string(text)) != want {
				t.Errorf("got the calls\n%s\nwant\n%s", text, want)
			}
		})
	}
}
