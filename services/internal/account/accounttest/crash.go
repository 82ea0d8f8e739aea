package accounttest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

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

// call runs f unless the process has crashed, and says whether it crashed.
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

func crashing[T any](c *crasher, name string, f func() (T, error)) (v T, err error) {
	if crash := c.call(name, func() { v, err = f() }); crash != nil {
		var none T
		return none, crash
	}
	return v, err
}

func crashingErr(c *crasher, name string, f func() error) (err error) {
	if crash := c.call(name, func() { err = f() }); crash != nil {
		return crash
	}
	return err
}

// crashDirectory and crashClaims crash in the calls that the use cases make; any other
// would be a nil pointer's.
type crashDirectory struct {
	account.Directory
	real account.Directory
	c    *crasher
}

func (d crashDirectory) SignUp(ctx context.Context, u account.NewUser) (account.SignedUp, error) {
	return crashing(d.c, "Directory.SignUp", func() (account.SignedUp, error) { return d.real.SignUp(ctx, u) })
}

func (d crashDirectory) Confirm(ctx context.Context, username, code string) error {
	return crashingErr(d.c, "Directory.Confirm", func() error { return d.real.Confirm(ctx, username, code) })
}

func (d crashDirectory) SetEmail(ctx context.Context, username, email string) error {
	return crashingErr(d.c, "Directory.SetEmail", func() error { return d.real.SetEmail(ctx, username, email) })
}

func (d crashDirectory) PretendSignUp(ctx context.Context, u account.NewUser) error {
	return crashingErr(d.c, "Directory.PretendSignUp", func() error { return d.real.PretendSignUp(ctx, u) })
}

func (d crashDirectory) ResendCode(ctx context.Context, username string) error {
	return crashingErr(d.c, "Directory.ResendCode", func() error { return d.real.ResendCode(ctx, username) })
}

func (d crashDirectory) ForgotPassword(ctx context.Context, username string) error {
	return crashingErr(d.c, "Directory.ForgotPassword", func() error { return d.real.ForgotPassword(ctx, username) })
}

func (d crashDirectory) ResetPassword(ctx context.Context, username, code, password string) error {
	return crashingErr(d.c, "Directory.ResetPassword", func() error { return d.real.ResetPassword(ctx, username, code, password) })
}

func (d crashDirectory) FindUser(ctx context.Context, username string) (account.User, error) {
	return crashing(d.c, "Directory.FindUser", func() (account.User, error) { return d.real.FindUser(ctx, username) })
}

func (d crashDirectory) ConfirmUser(ctx context.Context, username string) error {
	return crashingErr(d.c, "Directory.ConfirmUser", func() error { return d.real.ConfirmUser(ctx, username) })
}

func (d crashDirectory) DeleteUser(ctx context.Context, id account.UserID) error {
	return crashingErr(d.c, "Directory.DeleteUser", func() error { return d.real.DeleteUser(ctx, id) })
}

func (d crashDirectory) GetUser(ctx context.Context, token string) (account.User, error) {
	return crashing(d.c, "Directory.GetUser", func() (account.User, error) { return d.real.GetUser(ctx, token) })
}

func (d crashDirectory) SignIn(ctx context.Context, username, password string) (account.Tokens, error) {
	return crashing(d.c, "Directory.SignIn", func() (account.Tokens, error) { return d.real.SignIn(ctx, username, password) })
}

func (d crashDirectory) SignOut(ctx context.Context, token string) error {
	return crashingErr(d.c, "Directory.SignOut", func() error { return d.real.SignOut(ctx, token) })
}

func (d crashDirectory) ChangePassword(ctx context.Context, token, current, password string) error {
	return crashingErr(d.c, "Directory.ChangePassword", func() error { return d.real.ChangePassword(ctx, token, current, password) })
}

func (d crashDirectory) SignOutEverywhere(ctx context.Context, token string) error {
	return crashingErr(d.c, "Directory.SignOutEverywhere", func() error { return d.real.SignOutEverywhere(ctx, token) })
}

type crashClaims struct {
	account.Claims
	real account.Claims
	c    *crasher
}

func (s crashClaims) Acquire(ctx context.Context, c account.Claim) (account.Claim, bool, error) {
	acquired := false
	held, err := crashing(s.c, "Claims.Acquire", func() (held account.Claim, err error) {
		held, acquired, err = s.real.Acquire(ctx, c)
		return held, err
	})
	return held, acquired, err
}

func (s crashClaims) Supersede(ctx context.Context, old, c account.Claim) error {
	return crashingErr(s.c, "Claims.Supersede", func() error { return s.real.Supersede(ctx, old, c) })
}

func (s crashClaims) Find(ctx context.Context, username string) (account.Claim, error) {
	return crashing(s.c, "Claims.Find", func() (account.Claim, error) { return s.real.Find(ctx, username) })
}

func (s crashClaims) Attach(ctx context.Context, c account.Claim, p account.Profile) error {
	return crashingErr(s.c, "Claims.Attach", func() error { return s.real.Attach(ctx, c, p) })
}

func (s crashClaims) Extend(ctx context.Context, username, attempt string, until time.Time) error {
	return crashingErr(s.c, "Claims.Extend", func() error { return s.real.Extend(ctx, username, attempt, until) })
}

func (s crashClaims) Settle(ctx context.Context, st account.Settlement) (bool, error) {
	return crashing(s.c, "Claims.Settle", func() (bool, error) { return s.real.Settle(ctx, st) })
}

func (s crashClaims) Release(ctx context.Context, username, attempt string) error {
	return crashingErr(s.c, "Claims.Release", func() error { return s.real.Release(ctx, username, attempt) })
}

func (s crashClaims) PutEmailChange(ctx context.Context, c account.EmailChange) error {
	return crashingErr(s.c, "Claims.PutEmailChange", func() error { return s.real.PutEmailChange(ctx, c) })
}

func (s crashClaims) TryEmailChange(ctx context.Context, id account.UserID) (account.EmailChange, error) {
	return crashing(s.c, "Claims.TryEmailChange", func() (account.EmailChange, error) { return s.real.TryEmailChange(ctx, id) })
}

func (s crashClaims) FindEmailChange(ctx context.Context, id account.UserID) (account.EmailChange, error) {
	return crashing(s.c, "Claims.FindEmailChange", func() (account.EmailChange, error) { return s.real.FindEmailChange(ctx, id) })
}

func (s crashClaims) MoveEmail(ctx context.Context, m account.EmailMove) (bool, error) {
	return crashing(s.c, "Claims.MoveEmail", func() (bool, error) { return s.real.MoveEmail(ctx, m) })
}

func (s crashClaims) DropEmailChange(ctx context.Context, id account.UserID) error {
	return crashingErr(s.c, "Claims.DropEmailChange", func() error { return s.real.DropEmailChange(ctx, id) })
}

func (s crashClaims) Retire(ctx context.Context, username string, id account.UserID, at time.Time) error {
	return crashingErr(s.c, "Claims.Retire", func() error { return s.real.Retire(ctx, username, id, at) })
}

func (s crashClaims) Erase(ctx context.Context, username string, id account.UserID) error {
	return crashingErr(s.c, "Claims.Erase", func() error { return s.real.Erase(ctx, username, id) })
}

func (s crashClaims) EmailOwner(ctx context.Context, email string) (account.UserID, error) {
	return crashing(s.c, "Claims.EmailOwner", func() (account.UserID, error) { return s.real.EmailOwner(ctx, email) })
}

func (s crashClaims) MarkMailed(ctx context.Context, username string, use account.MailUse, now time.Time, interval time.Duration) (bool, error) {
	return crashing(s.c, "Claims.MarkMailed", func() (bool, error) { return s.real.MarkMailed(ctx, username, use, now, interval) })
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
					h.Directory, h.Claims = crashDirectory{real: h.Directory, c: c}, crashClaims{real: h.Claims, c: c}
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
