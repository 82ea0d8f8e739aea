package main_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"spillway.example/frontdoor/frontdoortest"
	"spillway.example/spillway/deploy/deploytest"
)

// TestDeployScripts runs the scripts of testdata/deploy: commands, and what they say. Each
// has an AWS in memory and the small stacks of deploy/testdata. UPDATE_SCRIPTS=1 writes what
// they say into them. Their own commands are
//
//	spillway CODE ARGUMENTS…   run it, which must exit with this code; times are masked
//	crash IMAGE                have the program of an image end at once
//	fault ACTION STATUS CODE   have a call fail from now on; mend ends that
//	interrupt ACTION           send SIGINT as soon as that is called
func TestDeployScripts(t *testing.T) {
	t.Parallel()
	file := frontdoortest.Binary(t, ".")
	testscript.Run(t, testscript.Params{
		Dir: "testdata/deploy", UpdateScripts: os.Getenv("UPDATE_SCRIPTS") == "1", // then look at what changed
		Setup: func(env *testscript.Env) error {
			tb, ok := env.T().(testing.TB)
			if !ok {
				return errors.New("a script's T is no testing.TB")
			}
			a := &scriptedAWS{AWS: deploytest.Start(tb), file: file}
			env.Values["aws"] = a
			for _, v := range []string{
				"AWS_ENDPOINT_URL=" + a.URL, "AWS_REGION=" + deploytest.Region, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test",
				"AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=/none", "AWS_SHARED_CREDENTIALS_FILE=/none",
				"A=" + strings.Repeat("a", 64), "B=" + strings.Repeat("b", 64), "ECR=" + deploytest.Account + ".dkr.ecr." + deploytest.Region + ".amazonaws.com/spillway-staging",
			} {
				name, value, _ := strings.Cut(v, "=")
				env.Setenv(name, value)
			}
			return os.CopyFS(filepath.Join(env.WorkDir, "deploy"), os.DirFS("deploy/testdata/stacks"))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"spillway": func(ts *testscript.TestScript, _ bool, args []string) { of(ts).run(ts, args) },
			"crash":    func(ts *testscript.TestScript, _ bool, args []string) { of(ts).Crash(args[0]) },
			"fault": func(ts *testscript.TestScript, _ bool, args []string) {
				status, err := strconv.Atoi(args[1])
				ts.Check(err)
				of(ts).Fail(deploytest.Fault{Action: args[0], Status: status, Code: args[2], Say: "so it is"})
			},
			"mend":      func(ts *testscript.TestScript, _ bool, _ []string) { of(ts).Mend() },
			"interrupt": func(ts *testscript.TestScript, _ bool, args []string) { of(ts).interrupt(args[0]) },
		},
	})
}

type scriptedAWS struct {
	*deploytest.AWS
	file    string
	process atomic.Pointer[os.Process]
}

func of(ts *testscript.TestScript) *scriptedAWS { return ts.Value("aws").(*scriptedAWS) }

// interrupt sends the process that runs a SIGINT once, when it calls an action.
func (a *scriptedAWS) interrupt(at string) {
	var done atomic.Bool
	a.OnCall(func(_ int, action string) {
		if p := a.process.Load(); p != nil && action == at && !done.Swap(true) {
			_ = p.Signal(os.Interrupt) // unless it has ended, which the exit code shows
		}
	})
}

// masked are the parts of the output that differ from run to run.
var masked = []struct {
	what *regexp.Regexp
	by   string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`), "DATE"},
	{regexp.MustCompile(`\d\d:\d\d:\d\d`), "TIME"},
	{regexp.MustCompile(`, in \d+s`), ", in Ns"},
}

func (a *scriptedAWS) run(ts *testscript.TestScript, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	cmd := exec.Command(a.file, args[1:]...)
	cmd.Dir = ts.Getenv("WORK")
	for _, name := range []string{"AWS_ENDPOINT_URL", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_EC2_METADATA_DISABLED", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"} {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	if in, err := os.ReadFile(filepath.Join(cmd.Dir, "stdin")); err == nil {
		cmd.Stdin = bytes.NewReader(in)
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	ts.Check(cmd.Start())
	a.process.Store(cmd.Process)
	_ = cmd.Wait() // the exit code says it
	a.process.Store(nil)
	for w, b := range map[fmt.Stringer]string{&stdout: "stdout", &stderr: "stderr"} {
		said := w.String()
		for _, m := range masked {
			said = m.what.ReplaceAllString(said, m.by)
		}
		if b == "stdout" {
			fmt.Fprint(ts.Stdout(), said)
		} else {
			fmt.Fprint(ts.Stderr(), said)
		}
	}
	if code := cmd.ProcessState.ExitCode(); code != want {
		ts.Fatalf("exit code %d, want %d\n%s%s", code, want, stdout.String(), stderr.String())
	}
}
