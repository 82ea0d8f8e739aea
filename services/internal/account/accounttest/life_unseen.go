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
	Mails         int // notices and codes
}

// posting is a directory that counts the codes it sends.
type posting struct {
	account.Directory
	codes int
}

// SignUp implements [account.Directory].
func (p *posting) SignUp(ctx context.Context, u account.NewUser) (account.SignedUp, error) {
	made, err := p.Directory.SignUp(ctx, u)
	if made.CodeSent {
		p.codes++
	}
	return made, err
}

// ResendCode implements [account.Directory].
func (p *posting) ResendCode(ctx context.Context, username string) error {
	err := p.Directory.ResendCode(ctx, username)
	p.count(ctx, username, err, func(u account.User) bool { return !u.Confirmed && u.Email != "" })
	return err
}

// ForgotPassword implements [account.Directory].
func (p *posting) ForgotPassword(ctx context.Context, username string) error {
	err := p.Directory.ForgotPassword(ctx, username)
	p.count(ctx, username, err, func(u account.User) bool { return u.Confirmed && u.EmailVerified })
	return err
}

// count counts a code, unless there is nobody to send one to: a directory may keep that
// to itself.
func (p *posting) count(ctx context.Context, username string, sent error, served func(account.User) bool) {
	if u, err := p.FindUser(ctx, username); sent == nil && err == nil && served(u) {
		p.codes++
	}
}

// lifeUnseen makes the same requests under addresses that nobody has and under ones that
// somebody has, and holds them to the same answer after the same work, and to the same
// work and one mail once it is given.
func lifeUnseen(s *saga) {
	ctx := context.Background()
	const enough = 1 << 20
	background, calls := &later{}, &crasher{left: enough}
	h, post := s.Harness, &posting{Directory: s.Directory}
	h.Directory, h.Claims = crashDirectory{real: post, c: calls}, crashClaims{real: h.Claims, c: calls}
	registrar := account.NewRegistrar(account.RegistrarConfig{
		Directory: h.Directory, Claims: h.Claims, Profiles: h.Profiles, Mailer: s.mails, Background: background, Now: s.clock.Now,
	})
	sessions := account.NewSessions(account.SessionsConfig{
		Directory: h.Directory, Claims: h.Claims, Mailer: s.mails, Background: background, Now: s.clock.Now,
	})
	traced := func(name string, of func(name string) (any, error)) trace {
		begun, mails := calls.left, len(s.mails.Mails(name))+post.codes
		answer, err := of(name)
		t := trace{Answer: answer, Code: account.CodeOf(err), Message: message(err), Before: begun - calls.left}
		background.do()
		t.After, t.Mails = begun-calls.left-t.Before, len(s.mails.Mails(name))+post.codes-mails
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
		mails  int
	}{
		"sign-up": {func(name string) (any, error) {
			got, err := registrar.Register(ctx, account.Registration{Username: name, Password: newPassword})
			if len(got.RegistrationToken) < 16 {
				s.Errorf("sign-up: no token in %+v", got)
			}
			got.RegistrationToken = ""
			return got, err
		}, 0, 1},
		"sign-in":   {func(name string) (any, error) { return sessions.SignIn(ctx, name, "not the password") }, 1, 0},
		"resend":    {func(name string) (any, error) { return nil, registrar.Resend(ctx, name) }, 0, 1},
		"forgotten": {func(name string) (any, error) { return nil, sessions.ForgotPassword(ctx, name) }, 0, 1},
	} {
		s.clock.Advance(account.MailInterval)
		want := traced(Address("unknown"), request.of)
		if want.Before != request.before || want.Mails != request.mails {
			s.Errorf("%s: the answer waits for %d calls, and %d mails go out, want %d and %d", what, want.Before, want.Mails, request.before, request.mails)
		}
		for how, name := range map[string]string{"": known, "under another name": shared, "by one that waits": waiting} {
			got := traced(name, request.of)
			if name == waiting && (what == "sign-up" || what == "sign-in") {
				// No account yet: its maker is told by the next code.
				got.After, got.Mails = want.After, want.Mails
			}
			if !reflect.DeepEqual(got, want) {
				s.Errorf("%s: known %s %+v, unknown %+v", what, how, got, want)
			}
		}
	}
}

// lifeEmailPlanted gives an account another address at the directory, as whoever has one
// of Cognito's access tokens can, and asks for a new password.
func lifeEmailPlanted(s *saga) {
	ctx := context.Background()
	name, post := Name("victim"), &posting{Directory: s.Directory}
	s.join(name, Address("victim"))
	h := s.Harness
	h.Directory = post
	sessions := s.sessionsOver(h)
	s.clock.Advance(account.MailInterval)
	wantCode(s.T, "ForgotPassword", sessions.ForgotPassword(ctx, name), "")
	if post.codes != 1 && !s.Emulated.NeverVerifies {
		s.Errorf("%d codes to a proven address, want 1", post.codes)
	}
	post.codes = 0
	wantCode(s.T, "SetEmail", s.Directory.SetEmail(ctx, name, Address("thief")), "")
	s.clock.Advance(account.MailInterval)
	wantCode(s.T, "ForgotPassword", sessions.ForgotPassword(ctx, name), "")
	if post.codes != 0 {
		s.Error("a code for a new password went to an address that was not proven here")
	}
}

// lifeConfirmUnseen tries a wrong code with the token that a sign-up under an address gave,
// which fits a claim only where nobody had the address.
func lifeConfirmUnseen(s *saga) {
	ctx := context.Background()
	known := Address("known")
	s.join(known, known)
	s.clock.Advance(account.MailInterval)
	calls := &crasher{left: 1 << 20}
	h := s.Harness
	h.Directory, h.Claims = crashDirectory{real: s.Directory, c: calls}, crashClaims{real: s.Claims, c: calls}
	registrar := s.over(h)
	work := map[string]int{}
	for _, name := range []string{known, Address("unknown")} {
		got, err := s.register(name, Password, "")
		wantCode(s.T, "Register", err, "")
		begun := calls.left
		_, err = registrar.Confirm(ctx, account.Confirmation{Username: name, Code: "000001", RegistrationToken: got.RegistrationToken})
		if code := account.CodeOf(err); code != account.CodeMismatch {
			s.Errorf("a wrong code for %s: %v, want a mismatch", name, err)
		}
		work[name] = begun - calls.left
	}
	for name, got := range work {
		if got != work[known] {
			s.Errorf("calls by name: %v, want the same (%s)", work, name)
		}
	}
}
