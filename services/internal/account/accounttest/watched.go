package accounttest

import (
	"context"
	"net/netip"
	"strings"

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
	Before, After done // before the answer and after it
	Mails         int  // notices and codes
}

// done is what was asked of the ports, by its kind, and what that took.
type done struct {
	Calls map[string]int
	Work
}

// kind names a call by what it costs.
func kind(call string) string {
	switch call {
	case "Claims.Find", "Claims.EmailOwner", "Profiles.Get", "Directory.FindUser":
		return "look-up"
	case "Directory.PretendSignUp":
		return "Directory.SignUp"
	}
	if strings.HasPrefix(call, "Claims.") {
		return "table write"
	}
	return call
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

// watched is the use cases over ports whose calls are noted, with limits that count, and with
// work that is left for after the answer.
type watched struct {
	s          *saga
	calls      *crasher
	post       *posting
	background *later
	registrar  *account.Registrar
	sessions   *account.Sessions
	requests   int
}

func watch(s *saga) *watched {
	w := &watched{s: s, calls: &crasher{left: 1 << 20}, post: &posting{Directory: s.Directory}, background: &later{}}
	directory, claims, mailer := HookDirectory(w.post, w.calls.call), HookClaims(s.Claims, w.calls.call), HookMailer(s.mails, w.calls.call)
	limits := account.NewLimits(account.LimitsConfig{
		Counters: HookCounters(&Counters{}, w.calls.call), Policies: account.DefaultPolicies(), Key: []byte("key"), Now: s.clock.Now,
	})
	w.registrar = account.NewRegistrar(account.RegistrarConfig{
		Directory: directory, Claims: claims, Profiles: HookProfiles(s.Profiles, w.calls.call),
		Mailer: mailer, Background: w.background, Limits: limits, Now: s.clock.Now,
	})
	w.sessions = account.NewSessions(account.SessionsConfig{
		Directory: directory, Claims: claims, Mailer: mailer, Background: w.background, Limits: limits, Now: s.clock.Now,
	})
	return w
}

// done gives what was done since it was last asked.
func (w *watched) done(begun Work) (done, Work) {
	d := done{Calls: map[string]int{}}
	for _, call := range w.calls.made {
		if call != "Mailer.Send" { // counted with the codes, which the directory may send
			d.Calls[kind(call)]++
		}
	}
	w.calls.made = nil
	now := w.work()
	d.Work = now.since(begun)
	return d, now
}

func (w *watched) work() Work {
	if w.s.Work == nil {
		return Work{}
	}
	return w.s.Work(w.s.T)
}

// mails gives how many mails have gone out so far.
func (w *watched) mails() (n int) {
	for _, call := range w.calls.made {
		if call == "Mailer.Send" {
			n++
		}
	}
	return n + w.post.codes
}

// trace makes a request from an address of its own, and then does what it left to do.
func (w *watched) trace(request func(ctx context.Context) (any, error)) (t trace) {
	w.requests++
	ctx := account.WithClient(context.Background(), netip.AddrFrom4([4]byte{198, 18, byte(w.requests >> 8), byte(w.requests)}))
	w.calls.made, w.post.codes = nil, 0
	begun := w.work()
	answer, err := request(ctx)
	t.Answer, t.Code, t.Message, t.Mails = answer, account.CodeOf(err), message(err), w.mails()
	t.Before, begun = w.done(begun)
	w.post.codes = 0
	w.background.do()
	t.Mails += w.mails()
	t.After, _ = w.done(begun)
	return t
}
