package affected_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"spillway.example/spillway/internal/affected"
)

// change is a commit on top of the repository of newRepository; an empty text deletes.
type change map[string]string

func TestBetween(t *testing.T) {
	t.Parallel()
	both := []string{"login", "register"}
	for what, c := range map[string]struct {
		change                change
		build, deploy, byHand []string
	}{
		"nothing":                          {nil, nil, nil, nil},
		"documentation":                    {change{"README.md": "new", "docs/ci.md": "new", "services/login/README.md": "new"}, nil, nil, nil},
		"a test":                           {change{"services/login/login_test.go": "package login"}, nil, nil, nil},
		"a test of a shared package":       {change{"services/internal/dynamo/dynamo_test.go": "package dynamo"}, nil, nil, nil},
		"a shared package":                 {change{"services/internal/dynamo/dynamo.go": "package dynamo\n\nconst Table = \"accounts\"\n"}, both, both, nil},
		"one service":                      {change{"services/login/login.go": "package login\n\nimport _ \"example.org/internal/dynamo\"\n\nvar New int\n"}, []string{"login"}, []string{"login"}, nil},
		"a shared package of one's":        {change{"services/internal/account/account.go": "package account\n\nvar New int\n"}, []string{"register"}, []string{"register"}, nil},
		"a package that nobody imports":    {change{"services/internal/unused/unused.go": "package unused\n\nvar New int\n"}, nil, nil, nil},
		"a new file":                       {change{"services/internal/account/more.go": "package account\n"}, []string{"register"}, []string{"register"}, nil},
		"a file that is gone":              {change{"services/internal/dynamo/extra.go": ""}, both, both, nil},
		"a file moved, as it is":           {change{"services/internal/dynamo/extra.go": "", "services/internal/dynamo/other.go": "package dynamo\n"}, both, both, nil},
		"a file for one architecture":      {change{"services/internal/account/fast_arm64.go": "package account\n"}, []string{"register"}, []string{"register"}, nil},
		"a file for another system":        {change{"services/internal/account/fast_windows.go": "package account\n"}, nil, nil, nil},
		"what is embedded":                 {change{"services/internal/account/passwords.txt": "hunter2\n"}, []string{"register"}, []string{"register"}, nil},
		"a new file that is embedded":      {change{"services/internal/account/words/more.txt": "more\n"}, []string{"register"}, []string{"register"}, nil},
		"a first import":                   {change{"services/login/login.go": "package login\n\nimport _ \"example.org/internal/account\"\n"}, []string{"login"}, []string{"login"}, nil},
		"a Dockerfile":                     {change{"Dockerfile.login": "FROM other\n"}, []string{"login"}, []string{"login"}, nil},
		"go.work":                          {change{"go.work": "go 1.26\n\nuse ./services/login\n"}, nil, nil, nil},
		"a new service":                    {change{"Dockerfile.admin": "FROM x\n", "services/admin/go.mod": "module example.org/admin\n\ngo 1.26\n", "services/admin/cmd/admin/main.go": "package main\n\nfunc main() {}\n"}, []string{"admin"}, []string{"admin"}, nil},
		"a service that is gone":           {change{"Dockerfile.login": "", "services/login/login.go": "", "services/login/go.mod": "", "services/login/cmd/login/main.go": ""}, nil, nil, []string{"deploy/environments/staging.yaml: login"}},
		"the language version of a module": {change{"services/internal/go.mod": "module example.org/internal\n\ngo 1.25\n"}, both, both, nil},
		"a GODEBUG of a program":           {change{"services/login/go.mod": loginModule + "\ngodebug http2client=0\n"}, []string{"login"}, []string{"login"}, nil},
		"a module's version":               {change{"services/login/go.mod": strings.ReplaceAll(loginModule, "v1.0.0 // outside", "v1.1.0 // outside"), "services/login/go.sum": ""}, []string{"login"}, []string{"login"}, nil},
		"the template of services":         {change{"deploy/service.yaml": "Resources: {}\n"}, nil, both, nil},
		"another template":                 {change{"deploy/network.yaml": "Resources: {}\n"}, nil, nil, []string{"deploy/network.yaml"}},
		"another template that is gone":    {change{"deploy/network.yaml": ""}, nil, nil, nil},
		"a value of one service":           {change{"deploy/environments/staging.yaml": "network: {Zones: 2}\nlogin: {MinTasks: 2}\nregister: {MinTasks: 1}\n"}, nil, []string{"login"}, nil},
		"a value of another stack":         {change{"deploy/environments/staging.yaml": "network: {Zones: 3}\nlogin: {MinTasks: 1}\nregister: {MinTasks: 1}\n"}, nil, nil, []string{"deploy/environments/staging.yaml: network"}},
		"a comment on the values":          {change{"deploy/environments/staging.yaml": "# as before\nregister: {MinTasks: 1}\nlogin: {MinTasks: 1}\nnetwork: {Zones: 2}\n"}, nil, nil, nil},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			r := newRepository(t)
			base := r.commit(t, files())
			if c.change != nil {
				r.commit(t, c.change)
			}
			got, err := affected.Between(t.Context(), r.dir, base, "HEAD")
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got.Build, c.build) || !slices.Equal(got.Deploy, c.deploy) || !slices.Equal(got.ByHand, c.byHand) {
				t.Errorf("got build %q, deploy %q, by hand %q; want %q, %q, %q (%v)",
					got.Build, got.Deploy, got.ByHand, c.build, c.deploy, c.byHand, got.Reasons)
			}
			if reasons := slices.Sorted(maps.Keys(got.Reasons)); !slices.Equal(reasons, got.Deploy) {
				t.Errorf("there are reasons for %q, and %q are deployed", reasons, got.Deploy)
			}
		})
	}
}

// TestBetweenSeveralCommits compares the ends of a history, not its steps.
func TestBetweenSeveralCommits(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	first := r.commit(t, files())
	r.commit(t, change{"services/login/login.go": "package login\n"})
	r.commit(t, change{"README.md": "new"})
	got, err := affected.Between(t.Context(), r.dir, first, "HEAD")
	if err != nil || !slices.Equal(got.Build, []string{"login"}) {
		t.Errorf("got %+v, %v; want login", got, err)
	}
	r.commit(t, change{"services/login/login.go": files()["services/login/login.go"]}) // taken back
	got, err = affected.Between(t.Context(), r.dir, first, "HEAD")
	if err != nil || len(got.Deploy) > 0 {
		t.Errorf("got %+v, %v; want nothing", got, err)
	}
}

// TestBetweenWithoutABase reaches everything where the base says nothing.
func TestBetweenWithoutABase(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	broken := files()
	broken["services/login/cmd/login/main.go"] = "this is not Go"
	bad := r.commit(t, broken)
	good := r.commit(t, files())
	for _, base := range []string{"", "0000000000000000000000000000000000000000", "-x", bad} {
		got, err := affected.Between(t.Context(), r.dir, base, "HEAD")
		if err != nil || !slices.Equal(got.Build, []string{"login", "register"}) || len(got.Reasons["login"]) != 1 {
			t.Errorf("from %q: got %+v, %v; want both, with one reason", base, got, err)
		}
	}
	if _, err := affected.Between(t.Context(), r.dir, good, bad); err == nil {
		t.Error("a head that Go cannot read passes")
	}
}
