package accounttest

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"spillway.example/services/internal/account"
)

// sagaRepeats crashes a sign-up at every call to a port, before the call and after it,
// and then has the same person send the same request again, with its idempotency key: they
// get the account that they asked for, whole, whether or not the first attempt had made it.
func sagaRepeats(s *saga) {
	const steps = 16
	for _, kind := range []string{"bare", "handle with an address", "address"} {
		for step := range steps {
			crashed := false
			for _, after := range []bool{false, true} {
				ok := s.Run(fmt.Sprintf("%s, call %d, after %v", kind, step+1, after), func(t *testing.T) {
					s := newSaga(t, s.Harness)
					in := account.Registration{Username: Name("repeat"), Password: Password}
					switch kind {
					case "handle with an address":
						in.Email = Address("repeat")
					case "address":
						in.Username = Address("repeat")
						in.Email = in.Username
					}
					c := &crasher{left: step, after: after}
					h := s.Harness
					h.Directory, h.Claims = HookDirectory(h.Directory, c.call), HookClaims(h.Claims, c.call)
					s.repeat(c, s.over(h), in)
					crashed = crashed || c.dead
				})
				if !ok {
					return
				}
			}
			if !crashed {
				break
			}
			if step == steps-1 {
				s.Errorf("%s: still crashing after %d calls; raise the number of steps", kind, steps)
			}
		}
	}
}

// repeat makes a request by a process that crashes, and again by one that does not.
func (s *saga) repeat(c *crasher, crashing *account.Registrar, in account.Registration) {
	records := &Records{}
	call := account.Call{Operation: "register", Caller: account.CallerByName(in.Username), Key: Name("key"), Request: in.Username}
	send := func(r *account.Registrar, records account.Records) (got account.Registered, err error) {
		replays := account.NewReplays(account.ReplaysConfig{Records: records, Key: []byte("key"), Now: s.clock.Now})
		answer, failed := replays.Do(context.Background(), call, func(ctx context.Context) ([]byte, bool) {
			got, err = r.Register(ctx, in)
			return mustJSON(got), err == nil
		})
		if failed != nil {
			return got, failed
		}
		if err == nil {
			err = json.Unmarshal(answer, &got)
		}
		return got, err
	}
	// A process that has crashed finishes and abandons nothing any more.
	first, err := send(crashing, HookRecords(records, func(call string, f func()) error {
		if call == "Records.Begin" {
			f()
			return nil
		}
		return c.call(call, f)
	}))
	s.clock.Advance(account.Lease)
	second, again := send(s.registrar, records)
	if wantCode(s.T, "Register again", again, ""); err == nil && first != second {
		s.Errorf("the second answer: got %+v, want the first, %+v", second, first)
	}
	if in.Email != "" {
		_, err := s.confirm(in.Username, s.Code(s.T, in.Username, in.Email), second.RegistrationToken)
		wantCode(s.T, "Confirm", err, "")
	}
	if in.Email == "" || !s.lacks(s.T, NeverVerifies) {
		s.wantWhole(in.Username, in.Email)
	}
	wantCode(s.T, "SignIn", s.signIn(in.Username, Password), "")
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // texts alone
	}
	return b
}
