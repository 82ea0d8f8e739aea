package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"spillway.example/frontdoor/frontdoortest"
	"spillway.example/spillway/deploy/deploytest"
)

// TestMakeDeploy runs scripts/deploy, which `make deploy` is, with the real templates on an
// AWS in memory. Docker, the AWS CLI and the push are made up: spillway/e2e has the push.
func TestMakeDeploy(t *testing.T) {
	t.Parallel()
	a, bin := deploytest.Start(t), t.TempDir()
	for name, script := range map[string]string{
		"aws": `case "$*" in *get-caller-identity*) echo ` + deploytest.Account + ` ;; *) echo password ;; esac`,
		"git": `true`, "docker": `cat >/dev/null`,
		"push":     `echo "$1 $3" >>"$(dirname "$0")/pushed"; echo "$2@sha256:$DIGEST"`,
		"spillway": `[ "$2" = verify ] && echo "$@" && exit 0; exec "$BINARY" "$@" -poll 1ms`, // nothing was pushed that it could find
	} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	deploy := func(digit string, args ...string) string {
		t.Helper()
		_ = os.Remove(filepath.Join(bin, "pushed")) // unless it is not there
		cmd := exec.CommandContext(t.Context(), "../scripts/deploy", args...)
		cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "PUSH="+bin+"/push", "SPILLWAY="+bin+"/spillway", "BINARY="+frontdoortest.Binary(t, "."),
			"DIGEST="+strings.Repeat(digit, 64), "AWS_ENDPOINT_URL="+a.URL, "AWS_REGION="+deploytest.Region, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		pushed, _ := os.ReadFile(filepath.Join(bin, "pushed")) // there may be none
		return string(pushed)
	}
	runs := func(service, digit string) {
		t.Helper()
		if got := a.Serves(service); !strings.HasSuffix(got, "/spillway/staging/"+service+"@sha256:"+strings.Repeat(digit, 64)) {
			t.Errorf("%s runs %s, want %s", service, got, digit)
		}
	}
	// From nothing to everything, with an image of each.
	if got := deploy("a", "staging"); got != "register linux/arm64\nlogin linux/arm64\n" {
		t.Errorf("at first it pushes %q", got)
	}
	runs("register", "a")
	runs("login", "a")
	// Again: what is live stays.
	if got := deploy("b", "staging"); got != "" {
		t.Errorf("again it pushes %q", got)
	}
	runs("login", "a")
	if got := deploy("b", "staging", "login"); got != "login linux/arm64\n" {
		t.Errorf("for login it pushes %q", got)
	}
	runs("login", "b")
	runs("register", "a")
}
