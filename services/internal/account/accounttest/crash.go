package accounttest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"spillway.example/services/internal/account"
)

// errCrash is what a crashed process would have seen: nothing. Its own clean-up
// sees it too, as a dead process cleans up nothing.
var errCrash = errors.New("crashed")

// crasher lets a number of calls to the ports through and fails all that follow:
// the last one before it was made, or after, its answer lost.
type crasher struct {
	left  int
	after bool
	dead  bool
	made  []string // the calls that were let through, by their names
}

// call is a [Hook]: it runs f unless the process has crashed, and says whether it crashed.
func (c *crasher) call(name string, f func()) error {
	switch {
	case c.dead:
	case c.left > 0:
		c.left--
		c.made = append(c.made, name)
		f()
		return nil
	default:
		c.dead = true
		if c.after {
			f()
		}
	}
	return errCrash
}

// everyCrash runs a test with processes that crash: at the first call to a port, before
// and after it, at the second, and so on until one gets to its end. The test makes what
// its process stands on with crash, and then holds what is left to what it should be.
func (s *saga) everyCrash(name string, test func(s *saga, crash func(Harness) Harness)) {
	const steps = 40 // more than any test has
	for step := range steps {
		crashed := false
		for _, after := range []bool{false, true} {
			ok := s.Run(fmt.Sprintf("%s, call %d, after %v", name, step+1, after), func(t *testing.T) {
				s := newSaga(t, s.Harness)
				c := &crasher{left: step, after: after}
				test(s, func(h Harness) Harness {
					h.Directory, h.Claims = HookDirectory(h.Directory, c.call), HookClaims(h.Claims, c.call)
					return h
				})
				crashed = crashed || c.dead
			})
			if !ok {
				return
			}
		}
		if !crashed {
			return
		}
	}
	s.Errorf("%s: still crashing after %d calls; raise the number of steps", name, steps)
}

// sagaCrashes crashes a sign-up, and the confirmation after it, at every call to a
// port, before the call and after it, and then has somebody else sign up for the
// name: either they get a whole account and nothing of the first is left, or the
// first is whole and they find the name taken.
func sagaCrashes(s *saga) {
	password2 := "some other password"
	variants := []struct {
		name     string
		prepare  func(s *saga, name, email string) // before the crashing process starts
		username func() (name, email string)
	}{
		{"bare", nil, func() (string, string) { return Name("crash"), "" }},
		{"handle with an address", nil, func() (string, string) { return Name("crash"), Address("crash") }},
		{"address", nil, func() (string, string) { a := Address("crash"); return a, a }},
		{"superseding", func(s *saga, name, _ string) {
			_, err := s.register(name, "the first password", Address("first"))
			wantCode(s.T, "Register", err, "")
			s.clock.Advance(account.Lease)
		}, func() (string, string) { return Name("crash"), "" }},
	}
	for _, v := range variants {
		s.everyCrash(v.name, func(s *saga, crash func(Harness) Harness) {
			name, email := v.username()
			if v.prepare != nil {
				v.prepare(s, name, email)
			}
			s.runToCrash(s.over(crash(s.Harness)), name, email)
			s.recover(name, email, password2)
		})
	}
}

// runToCrash signs up and confirms with the Registrar of a process that will crash.
func (s *saga) runToCrash(r *account.Registrar, name, email string) {
	ctx := context.Background()
	got, err := r.Register(ctx, account.Registration{Username: name, Password: Password, Email: email})
	if _, found := s.Directory.FindUser(ctx, name); account.IsEmail(name) && found != nil {
		return // it crashed, which the answer does not tell
	}
	if err == nil && got.ConfirmationRequired {
		_, err = r.Confirm(ctx, account.Confirmation{
			Username: name, Code: s.Code(s.T, name, email), RegistrationToken: got.RegistrationToken,
		})
	}
	if err != nil && !errors.Is(err, errCrash) {
		s.Fatalf("the process saw %v", err)
	}
}

// recover signs up for the name once the lease is over and holds what is there to
// the invariants.
func (s *saga) recover(name, email, password string) {
	user, err := s.Directory.FindUser(context.Background(), name)
	if err != nil && account.CodeOf(err) != account.CodeNotFound {
		s.Fatalf("FindUser: %v", err)
	}
	s.clock.Advance(2 * account.Lease) // past any lease that was extended, too
	got, err := s.register(name, password, email)
	if user.Confirmed && !account.IsEmail(name) { // an address gets the same answer either way
		wantTaken(s.T, err, false)
	} else {
		wantCode(s.T, "Register after the crash", err, "")
	}
	if user.Confirmed {
		p := s.wantAccount(name)
		if p.UserID != user.ID {
			s.Errorf("the account is %s, want that of the confirmed sign-up, %s", p.UserID, user.ID)
		}
		if !s.lacks(s.T, NeverVerifies) { // or the directory cannot say that the address was proven
			s.wantWhole(name, email)
		}
		wantCode(s.T, "SignIn with the first password", s.signIn(name, Password), "")
		return
	}
	if email != "" {
		_, err := s.confirm(name, s.Code(s.T, name, email), got.RegistrationToken)
		wantCode(s.T, "Confirm after the crash", err, "")
	}
	s.wantWhole(name, email)
	wantCode(s.T, "SignIn with the second password", s.signIn(name, password), "")
	wantCode(s.T, "SignIn with the first password", s.signIn(name, Password), account.CodeInvalidCredentials)
}
