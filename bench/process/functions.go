package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"text/tabwriter"
	"time"

	"spillway.example/bench/signin"
	"spillway.example/frontdoor/frontdoortest"
)

// contenders are the functions, each a package below contender/. The second is what the
// figures to reach are ratios to.
var contenders = []struct{ dir, name string }{
	{"frontdoor", "frontdoor"},
	{"bare", "a bare handler, typed"},
	{"leanest", "a bare handler, bytes"},
	{"apiproxy", "aws-lambda-go-api-proxy"},
}

// figures are what is measured of one function.
type figures struct{ init, cpu, memory sample }

// functions measures the functions in turn, round after round, so that what else the
// machine does meets all of them.
func functions(ctx context.Context, dir string, rounds, invocations int, out io.Writer) error {
	event, err := signin.Events.ReadFile("events/httpapi.json")
	if err != nil {
		return err
	}
	files := make([]string, len(contenders))
	for i, c := range contenders {
		if files[i], err = build(ctx, dir, c.dir, "spillway.example/bench/process/contender/"+c.dir); err != nil {
			return err
		}
	}
	all := make([]figures, len(contenders))
	for round := range rounds {
		for turn := range contenders {
			i := (round + turn) % len(contenders) // nobody is always first
			if err := all[i].measure(ctx, files[i], event, invocations); err != nil {
				return fmt.Errorf("%s: %w", contenders[i].name, err)
			}
		}
	}
	fmt.Fprintf(out, "Functions under a loopback Runtime API, %d rounds of %d sign-ins by an HTTP API's event;\nmedian (middle half), and ratio of the same rounds (95 %% interval of its median):\n\n", rounds, invocations)
	tw := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "function\tinit, ms\tCPU an invocation, µs\tmemory, MB")
	for i, c := range contenders {
		fmt.Fprintf(tw, "%s\t%s\t%s\t%.1f\n", c.name, all[i].init.shown("%.2f"), all[i].cpu.shown("%.1f"), all[i].memory.median())
	}
	fmt.Fprintln(tw, "\t\t\t")
	fmt.Fprintln(tw, "frontdoor to …\tinit\tCPU an invocation\tmemory")
	ours := all[0]
	for i, c := range contenders[1:] {
		t := all[i+1]
		fmt.Fprintf(tw, "%s\t%s\t%s\t%.3f\n", c.name, ours.init.over(t.init).ratio(), ours.cpu.over(t.cpu).ratio(), ours.memory.over(t.memory).median())
	}
	fmt.Fprintln(tw, "to reach, of a bare handler\t1.300\t1.100\t")
	return tw.Flush()
}

// measure starts a function a few times for its init alone, and once for its invocations:
// what it took more then is theirs.
func (f *figures) measure(ctx context.Context, file string, event []byte, invocations int) error {
	var init, idle sample
	for range 5 {
		took, u, err := once(ctx, file, event, 0)
		if err != nil {
			return err
		}
		init, idle = append(init, took.Seconds()*1e3), append(idle, u.cpu.Seconds())
	}
	_, busy, err := once(ctx, file, event, invocations)
	if err != nil {
		return err
	}
	f.init = append(f.init, init.median())
	f.cpu = append(f.cpu, (busy.cpu.Seconds()-idle.median())*1e6/float64(invocations))
	f.memory = append(f.memory, busy.memory)
	return nil
}

// usage is what a process has taken.
type usage struct {
	cpu    time.Duration
	memory float64 // the most that was resident, in MB; 0 where that is not to be known
}

// once starts a function, waits until it polls, has it serve so many invocations, one
// after the other, and ends it.
func once(ctx context.Context, file string, event []byte, invocations int) (init time.Duration, u usage, err error) {
	api, err := frontdoortest.NewRuntimeAPI(time.Minute)
	if err != nil {
		return 0, u, err
	}
	cmd := exec.Command(file) //nolint:noctx // a file that this program has built; it is ended below
	cmd.Env = api.Env()
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, u, errors.Join(err, api.Close())
	}
	defer func() {
		memory := resident(cmd.Process.Pid)
		_ = cmd.Process.Kill() // it keeps nothing
		_ = cmd.Wait()         // as killed
		err = errors.Join(err, api.Close())
		u = usage{used(cmd), memory}
	}()
	select {
	case <-api.Ready():
		init = time.Since(began)
	case <-time.After(time.Minute):
		return 0, u, errors.New("the function does not poll")
	}
	for range invocations {
		answer, err := api.Invoke(ctx, event)
		if err != nil {
			return 0, u, err
		}
		var a struct {
			StatusCode int
			Body       string
		}
		if !bytes.Contains(answer, []byte(`"statusCode":200`)) || json.Unmarshal(answer, &a) != nil || a.StatusCode != http.StatusOK || a.Body != string(signin.Answer) {
			return 0, u, fmt.Errorf("it answers %s", answer)
		}
	}
	return init, u, nil
}

// used is a process's CPU time, as its parent is told when it has ended.
func used(cmd *exec.Cmd) time.Duration {
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
}

// resident asks Linux for the most that has been resident of a process that runs. What a
// parent is told at the end will not do: it begins with the parent's own.
func resident(pid int) (mb float64) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		var kb float64
		if _, err := fmt.Sscanf(line, "VmHWM: %f kB", &kb); err == nil {
			return kb / 1024
		}
	}
	return 0
}
