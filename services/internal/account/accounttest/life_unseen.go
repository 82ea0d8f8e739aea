package accounttest

import (
	"context"
	"reflect"

	"spillway.example/services/internal/account"
)

// later is a Background that keeps the work until it is told to do it.
type later struct{ work []func(context.Context) }

// Do implements [account.Background].
func (l *later) Do(_ context.Context, work func(context.Context)) error {
	l.work = append(l.work, work)
	return nil
}

func (l *later) do() {
	for len(l.work) > 0 {
		next := l.work[0]
		l.work = l.work[1:]
		next(context.Background())
	}
}

// trace is what a request came to: all that its maker sees of it, and all that they might
// see the time of.
type trace struct {
	Answer        any
	Code          account.Code
	Message       string
	Before, After int // calls to the directory and the table, before the answer and after it
}

// lifeUnseen makes the same requests under addresses that nobody has and under ones that
// somebody has, and holds them to the same answer after the same work, and no less work
// once it is given.
func lifeUnseen(s *saga) {
	ctx := context.Background()
	const enough = 1 << 20
	background, calls := &later{}, &crasher{left: enough}
	h := s.Harness
	h.Directory, h.Claims = crashDirectory{real: h.Directory, c: calls}, crashClaims{real: h.Claims, c: calls}
	registrar := account.NewRegistrar(account.RegistrarConfig{
		Directory: h.Directory, Claims: h.Claims, Profiles: h.Profiles, Mailer: s.mails, Background: background, Now: s.clock.Now,
	})
	sessions := account.NewSessions(account.SessionsConfig{
		Directory: h.Directory, Claims: h.Claims, Mailer: s.mails, Background: background, Now: s.clock.Now,
	})
	traced := func(f func() (any, error)) trace {
		begun := calls.left
		answer, err := f()
		t := trace{Answer: answer, Code: account.CodeOf(err), Message: message(err), Before: begun - calls.left}
		background.do()
		t.After = begun - calls.left - t.Before
		return t
	}
	known, shared, waiting := Address("known"), Address("shared"), Address("waiting")
	s.join(known, known)
	s.join(Name("owner"), shared)
	_, err := s.register(waiting, Password, "")
	wantCode(s.T, "Register", err, "")

	for what, request := range map[string]struct {
		of     func(name string) (any, error)
		before int // calls that the answer waits for
	}{
		"sign-up": {func(name string) (any, error) {
			got, err := registrar.Register(ctx, account.Registration{Username: name, Password: newPassword})
			if len(got.RegistrationToken) < 16 {
				s.Errorf("sign-up: no token in %+v", got)
			}
			got.RegistrationToken = ""
			return got, err
		}, 0},
		"sign-in":   {func(name string) (any, error) { return sessions.SignIn(ctx, name, "not the password") }, 1},
		"resend":    {func(name string) (any, error) { return nil, registrar.Resend(ctx, name) }, 0},
		"forgotten": {func(name string) (any, error) { return nil, sessions.ForgotPassword(ctx, name) }, 0},
	} {
		s.clock.Advance(account.MailInterval)
		notices := len(s.mails.Mails(known))
		unknown := Address("unknown")
		want := traced(func() (any, error) { return request.of(unknown) })
		if want.Before != request.before {
			s.Errorf("%s: the answer waits for %d calls, want %d", what, want.Before, request.before)
		}
		got := traced(func() (any, error) { return request.of(known) })
		if !reflect.DeepEqual(got, want) {
			s.Errorf("%s: known %+v, unknown %+v", what, got, want)
		}
		for how, name := range map[string]string{"under another name": shared, "by one that waits": waiting} {
			got := traced(func() (any, error) { return request.of(name) })
			got.After = want.After // it is no account under that name
			if !reflect.DeepEqual(got, want) {
				s.Errorf("%s: known %s %+v, unknown %+v", what, how, got, want)
			}
		}
		if what == "sign-up" { // a mail either way
			if got := len(s.mails.Mails(known)) - notices; got != 1 || s.Code(s.T, unknown, unknown) == "" {
				s.Errorf("%d notices to who has an account, want 1, and a code to who has none", got)
			}
		}
	}
}
