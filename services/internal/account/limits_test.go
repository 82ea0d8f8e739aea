package account_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/account/accounttest"
)

// limited is limits on a clock, over counters in memory.
type limited struct {
	*account.Limits
	clock    *accounttest.Clock
	counters *accounttest.Counters
}

func limit(p account.Policies) limited {
	l := limited{clock: &accounttest.Clock{}, counters: &accounttest.Counters{}}
	l.Limits = account.NewLimits(account.LimitsConfig{Counters: l.counters, Policies: p, Key: []byte("key"), Now: l.clock.Now})
	return l
}

// registrar makes accounts in a directory within the limits; the rest is in memory.
func (l limited) registrar(m *accounttest.Memory, d account.Directory) *account.Registrar {
	return account.NewRegistrar(account.RegistrarConfig{Directory: d, Claims: m, Profiles: m, Mailer: m, Limits: l.Limits, Now: l.clock.Now})
}

// sessions signs people in and out within the limits.
func (l limited) sessions(m *accounttest.Memory) *account.Sessions {
	return account.NewSessions(account.SessionsConfig{Directory: m, Claims: m, Mailer: m, Limits: l.Limits, Now: l.clock.Now})
}

func from(t *testing.T, address string) context.Context {
	t.Helper()
	return account.WithClient(t.Context(), netip.MustParseAddr(address))
}

// guesses gives how many sign-ins in a row are admitted, up to a thousand.
func guesses(t *testing.T, l limited, ctx context.Context, name string) int {
	t.Helper()
	for n := range 1000 {
		if _, err := l.SignIn(ctx, name); err != nil {
			if account.CodeOf(err) != account.CodeTooManyRequests {
				t.Fatalf("SignIn: %v", err)
			}
			return n
		}
	}
	return 1000
}

const (
	home      = "192.0.2.1"
	elsewhere = "198.51.100.7"
)

// An account's owner signs in from where they have before, whatever strangers do.
func TestStrangersCannotLockAnAccount(t *testing.T) {
	t.Parallel()
	l := limit(account.DefaultPolicies())
	owner, err := l.SignIn(from(t, home), "alice")
	if err != nil {
		t.Fatalf("SignIn: %v", err)
	}
	owner.Right(from(t, home))
	total := 0
	for i := range 200 { // addresses
		ctx := account.WithClient(t.Context(), netip.AddrFrom4([4]byte{198, 51, byte(i), 1}))
		total += guesses(t, l, ctx, "alice")
	}
	if total > 100 {
		t.Errorf("strangers had %d guesses, want at most 100 a day", total)
	}
	if n := guesses(t, l, from(t, "203.0.113.1"), "alice"); n != 0 {
		t.Errorf("one more stranger had %d guesses", n)
	}
	if n := guesses(t, l, from(t, home), "alice"); n < 3 {
		t.Errorf("the owner, at home, had %d guesses", n)
	}
	if n := guesses(t, l, from(t, home), "bob"); n == 0 {
		t.Error("another account is locked too")
	}
}

// Delays grow with the attempts, and no wait is longer than a few hours.
func TestDelaysGrow(t *testing.T) {
	t.Parallel()
	l := limit(account.DefaultPolicies())
	ctx, last, grew := from(t, elsewhere), time.Duration(0), 0
	for range 95 {
		_, err := l.SignIn(ctx, "alice")
		var e *account.Error
		if !errors.As(err, &e) {
			continue
		}
		if e.RetryAfter <= 0 || e.RetryAfter > 6*time.Hour || e.Quota == nil {
			t.Fatalf("refused for %v by %+v", e.RetryAfter, e.Quota)
		}
		if e.RetryAfter > 2*last {
			grew, last = grew+1, e.RetryAfter
		}
		l.clock.Advance(e.RetryAfter)
	}
	if grew < 3 {
		t.Errorf("the delay doubled %d times, want at least 3", grew)
	}
}

// A name that nobody has is counted as one that somebody has: the limits are asked
// before anybody looks.
func TestUnknownNamesAreCounted(t *testing.T) {
	t.Parallel()
	memory := accounttest.NewMemory(nil)
	member(t, memory)
	l := limit(account.DefaultPolicies())
	sessions, registrar := l.sessions(memory), l.registrar(memory, memory)
	type answers struct{ signIn, resend, forgot string }
	got := map[string]answers{}
	for name, address := range map[string]string{"alice": home, "nobody": elsewhere} {
		var a answers
		for range 12 {
			_, err := sessions.SignIn(from(t, address), name, "wrong password")
			a.signIn += string(account.CodeOf(err)) + " "
			a.resend += string(account.CodeOf(registrar.Resend(t.Context(), name))) + " "
			a.forgot += string(account.CodeOf(sessions.ForgotPassword(t.Context(), name))) + " "
		}
		got[name] = a
	}
	counted := func(codes string) bool { return strings.Contains(codes, string(account.CodeTooManyRequests)) }
	if a := got["alice"]; a != got["nobody"] || !counted(a.signIn) || !counted(a.resend) || !counted(a.forgot) {
		t.Errorf("known and unknown are told apart, or neither is counted:\n%v", got)
	}
}

// Whoever plants a sign-up under somebody's address and signs in with its password has
// codes mailed if the address was free. The address's budget for mails must not tell that.
func TestSignInsTellOfNoWaitingAddress(t *testing.T) {
	t.Parallel()
	memory, ctx := accounttest.NewMemory(nil), t.Context()
	l := limit(account.DefaultPolicies())
	registrar := l.registrar(memory, memory)
	sessions := l.sessions(memory)
	const address = "alice@example.com"
	if _, err := registrar.Register(ctx, account.Registration{Username: address, Password: accounttest.Password}); err != nil {
		t.Fatal(err)
	}
	l.clock.Advance(24 * time.Hour)
	before := len(memory.Mails(address))
	for range 40 {
		_, _ = sessions.SignIn(ctx, address, accounttest.Password)
		l.clock.Advance(10 * time.Minute)
	}
	for range 9 {
		_, _ = sessions.SignIn(ctx, address, accounttest.Password)
	}
	if mails := len(memory.Mails(address)) - before; mails == 0 || mails > 20 {
		t.Errorf("49 sign-ins in seven hours sent %d codes, want some and not more than 20", mails)
	}
	if err := registrar.Resend(ctx, address); err != nil {
		t.Errorf("Resend: %v: the throttle tells that an account waits", err)
	}
}

// A mailbox gets no more codes because it is the address of many names.
func TestOneMailboxOfManyNames(t *testing.T) {
	t.Parallel()
	memory, ctx := accounttest.NewMemory(nil), t.Context()
	l := limit(account.DefaultPolicies())
	registrar := l.registrar(memory, memory)
	const address = "alice@example.com"
	var names []string
	for i := range 15 {
		names = append(names, fmt.Sprintf("name-%d", i))
		if _, err := registrar.Register(ctx, account.Registration{Username: names[i], Password: accounttest.Password, Email: address}); err != nil {
			t.Fatal(err)
		}
		l.clock.Advance(2 * time.Hour)
	}
	before := len(memory.Mails(address))
	for range 24 {
		for _, name := range names {
			if err := registrar.Resend(ctx, name); account.CodeOf(err) != "" && account.CodeOf(err) != account.CodeTooManyRequests {
				t.Fatal(err)
			}
		}
		l.clock.Advance(time.Hour)
	}
	if mails := len(memory.Mails(address)) - before; mails == 0 || mails > 20 {
		t.Errorf("%d codes in a day, want some and not more than 20", mails)
	}
}

// A mailbox whose address is a name gets no more codes than one behind a name.
func TestOneMailboxOfAName(t *testing.T) {
	t.Parallel()
	memory, ctx := accounttest.NewMemory(nil), t.Context()
	l := limit(account.DefaultPolicies())
	registrar, sessions := l.registrar(memory, memory), l.sessions(memory)
	const address = "alice@example.com"
	r, err := registrar.Register(ctx, account.Registration{Username: address, Password: accounttest.Password})
	if err != nil {
		t.Fatal(err)
	}
	asked := func(what string, ask func(context.Context, string) error) {
		before := len(memory.Mails(address))
		for range 24 * 6 {
			l.clock.Advance(10 * time.Minute)
			if err := ask(ctx, address); account.CodeOf(err) != "" && account.CodeOf(err) != account.CodeTooManyRequests {
				t.Fatal(err)
			}
		}
		if mails := len(memory.Mails(address)) - before; mails == 0 || mails > 20 {
			t.Errorf("%s: %d codes in a day, want some and not more than 20", what, mails)
		}
	}
	asked("Resend", registrar.Resend)
	if _, err := registrar.Confirm(ctx, account.Confirmation{Username: address, Code: memory.Code(address), RegistrationToken: r.RegistrationToken}); err != nil {
		t.Fatal(err)
	}
	asked("ForgotPassword", sessions.ForgotPassword)
}

// Whoever asks for codes under a name, of which no answer tells the address, must not learn it
// from whether more can be had under the address itself.
func TestHandlesTellOfNoAddress(t *testing.T) {
	t.Parallel()
	memory, ctx := accounttest.NewMemory(nil), t.Context()
	l := limit(account.DefaultPolicies())
	registrar := l.registrar(memory, memory)
	const address = "alice@example.com"
	for i := range 10 {
		if _, err := registrar.Register(ctx, account.Registration{Username: fmt.Sprintf("name-%d", i), Password: accounttest.Password, Email: address}); err != nil {
			t.Fatal(err)
		}
		l.clock.Advance(2 * time.Hour)
	}
	before := len(memory.Mails(address))
	for i := range 10 {
		if err := registrar.Resend(ctx, fmt.Sprintf("name-%d", i)); err != nil {
			t.Fatal(err)
		}
	}
	if mails := len(memory.Mails(address)) - before; mails == 0 || mails == 10 {
		t.Fatalf("%d codes of 10 went out, want some and then no more", mails)
	}
	if err := registrar.Resend(ctx, address); err != nil {
		t.Errorf("Resend under the address: %v: the throttle tells whose it is", err)
	}
}

// resending is a directory that sends no codes while it is broken.
type resending struct {
	account.Directory
	broken bool
}

func (d *resending) ResendCode(ctx context.Context, username string) error {
	if d.broken {
		return account.ErrUnavailable(nil)
	}
	return d.Directory.ResendCode(ctx, username)
}

// Codes that did not go out leave the budget of the mailbox behind a name, too.
func TestFailedCodesLeaveTheMailboxItsQuota(t *testing.T) {
	t.Parallel()
	memory, ctx := accounttest.NewMemory(nil), t.Context()
	l, d := limit(account.DefaultPolicies()), &resending{Directory: memory, broken: true}
	registrar := l.registrar(memory, d)
	const address = "alice@example.com"
	if _, err := registrar.Register(ctx, account.Registration{Username: "alice", Password: accounttest.Password, Email: address}); err != nil {
		t.Fatal(err)
	}
	before := len(memory.Mails(address))
	for i := range 40 {
		l.clock.Advance(5 * time.Minute)
		if err := registrar.Resend(ctx, "alice"); err != nil {
			t.Fatalf("code %d, after as many that failed: %v", i, err)
		}
	}
	d.broken = false
	l.clock.Advance(5 * time.Minute)
	if err := registrar.Resend(ctx, "alice"); err != nil {
		t.Fatal(err)
	}
	if codes := len(memory.Mails(address)) - before; codes != 1 {
		t.Errorf("%d codes once they can be sent again, want 1", codes)
	}
}

// Strangers who sign up with somebody's address, as anybody may, and have codes sent there,
// use up nothing of what its owner may ask for.
func TestStrangersUseUpNoReset(t *testing.T) {
	t.Parallel()
	memory, ctx := accounttest.NewMemory(nil), t.Context()
	l := limit(account.DefaultPolicies())
	registrar := l.registrar(memory, memory)
	sessions := l.sessions(memory)
	for name, address := range map[string]string{"alice": "alice@example.com", "bob@example.com": "bob@example.com"} {
		r, err := registrar.Register(ctx, account.Registration{Username: name, Password: accounttest.Password, Email: address})
		if err == nil {
			_, err = registrar.Confirm(ctx, account.Confirmation{Username: name, Code: memory.Code(name), RegistrationToken: r.RegistrationToken})
		}
		if err != nil {
			t.Fatal(err)
		}
		l.clock.Advance(24 * time.Hour)
		for i := range 40 {
			stranger := fmt.Sprintf("stranger-%d-%c", i, name[0])
			_, _ = registrar.Register(ctx, account.Registration{Username: stranger, Password: accounttest.Password, Email: address})
			_ = registrar.Resend(ctx, stranger)
			_ = registrar.Resend(ctx, name)
			if i < 20 {
				l.clock.Advance(10 * time.Minute)
			}
		}
		for range 2 {
			l.clock.Advance(account.MailInterval)
			for i := range 40 {
				stranger := fmt.Sprintf("stranger-%d-%c", i, name[0])
				if i%2 == 0 { // one mail a minute about a name
					_ = sessions.ForgotPassword(ctx, stranger)
				} else {
					_ = registrar.Resend(ctx, stranger)
				}
			}
		}
		before := len(memory.Mails(address))
		if err := sessions.ForgotPassword(ctx, name); err != nil {
			t.Errorf("ForgotPassword of %s: %v", name, err)
		}
		if codes := len(memory.Mails(address)) - before; codes != 1 {
			t.Errorf("ForgotPassword of %s sent %d codes, want 1", name, codes)
		}
	}
}

// A sign-up that the directory refuses sends no mail, and uses up none.
func TestRefusedSignUpsLeaveTheQuota(t *testing.T) {
	t.Parallel()
	memory, ctx := accounttest.NewMemory(nil), t.Context()
	l := limit(account.DefaultPolicies())
	registrar := l.registrar(memory, refusing{memory, &account.Error{Code: account.CodeInvalid}})
	for i := range 30 {
		in := account.Registration{Username: fmt.Sprintf("alice-%d", i), Password: accounttest.Password, Email: "alice@example.com"}
		if _, err := registrar.Register(ctx, in); account.CodeOf(err) != account.CodeInvalid {
			t.Fatalf("sign-up %d: %v, want it refused by the directory", i, err)
		}
		l.clock.Advance(time.Minute)
	}
}

// tried counts the passwords that a directory is asked about.
type tried struct {
	account.Directory
	n int
}

func (d *tried) SignIn(ctx context.Context, username, password string) (account.Tokens, error) {
	d.n++
	return d.Directory.SignIn(ctx, username, password)
}

func (d *tried) ChangePassword(ctx context.Context, token, current, password string) error {
	d.n++
	return d.Directory.ChangePassword(ctx, token, current, password)
}

// Whoever has stolen an access token guesses the password no faster by changing it: the
// new one is tried, too, and counts.
func TestChangePasswordIsNoFasterGuess(t *testing.T) {
	t.Parallel()
	memory := accounttest.NewMemory(nil)
	member(t, memory)
	tokens, err := memory.SignIn(t.Context(), "alice", accounttest.Password)
	if err != nil {
		t.Fatal(err)
	}
	want := guesses(t, limit(account.DefaultPolicies()), from(t, home), "alice")
	d, l := &tried{Directory: memory}, limit(account.DefaultPolicies())
	sessions := account.NewSessions(account.SessionsConfig{Directory: d, Claims: memory, Limits: l.Limits, Now: l.clock.Now})
	for i := range 30 {
		_, err := sessions.ChangePassword(from(t, home), tokens.AccessToken, "not the password", fmt.Sprintf("another password %d", i))
		if code := account.CodeOf(err); code != account.CodeWrongPassword && code != account.CodeTooManyRequests {
			t.Fatal(err)
		}
	}
	if d.n == 0 || d.n > want {
		t.Errorf("%d passwords were tried, want at most the %d of as many sign-ins", d.n, want)
	}
}

// One household has a whole /64, and does not get a budget for each address in it.
func TestIPv6IsCountedByNetwork(t *testing.T) {
	t.Parallel()
	l := limit(account.Policies{account.GuessPair: {{Count: 1, Per: time.Hour}}})
	if _, err := l.SignIn(from(t, "2001:db8:0:1::1"), "alice"); err != nil {
		t.Fatal(err)
	}
	for address, admitted := range map[string]bool{"2001:db8:0:1:ffff::2": false, "2001:db8:0:2::1": true} {
		if _, err := l.SignIn(from(t, address), "alice"); (err == nil) != admitted {
			t.Errorf("%s: got %v, want admitted: %v", address, err, admitted)
		}
	}
	if _, err := l.SignIn(from(t, "::ffff:192.0.2.1"), "bob"); err != nil {
		t.Fatal(err)
	}
	if _, err := l.SignIn(from(t, home), "bob"); err == nil {
		t.Error("an IPv4 address in its IPv6 form has a budget of its own")
	}
}

// A mail that did not go out is counted for the moment only.
func TestFailedMailsLeaveTheQuota(t *testing.T) {
	t.Parallel()
	l := limit(account.DefaultPolicies())
	for i := range 100 {
		sending, err := l.Mail(from(t, home), account.MailReset, "alice@example.com")
		if err != nil {
			t.Fatalf("mail %d, after as many that failed: %v", i, err)
		}
		sending.Failed(t.Context())
		l.clock.Advance(time.Minute)
	}
	sent := 0
	for range 100 {
		if _, err := l.Mail(from(t, home), account.MailReset, "alice@example.com"); err == nil {
			sent++
		}
	}
	if sent == 0 || sent > 3 {
		t.Errorf("then %d at once, want some but no flood", sent)
	}
}

// Nothing in the counters' keys can be read, or found by trying without the key.
func TestCountersHoldNoNames(t *testing.T) {
	t.Parallel()
	l, other := limit(account.DefaultPolicies()), limit(account.DefaultPolicies())
	other.Key = []byte("another key")
	for _, limits := range []limited{l, other} {
		guess, err := limits.SignIn(from(t, home), "alice")
		if err != nil {
			t.Fatal(err)
		}
		guess.Right(t.Context())
		if _, err := limits.Mail(from(t, home), account.MailReset, "alice@example.com"); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]bool{}
	for _, key := range append(l.counters.Keys(), other.counters.Keys()...) {
		if seen[key] || strings.Contains(key, "alice") || strings.Contains(key, home) {
			t.Errorf("the key %q tells of whom it is", key)
		}
		seen[key] = true
	}
	if len(seen) != 10 {
		t.Errorf("%d keys, want the five of each", len(seen))
	}
}

// noCounters are counters that cannot be had.
type noCounters struct{ account.Counters }

func (noCounters) Take(context.Context, string, account.Limit, time.Duration, time.Time) (account.Taken, error) {
	return account.Taken{}, account.ErrUnavailable(errors.New("down"))
}

// Without counters people can sign in, and nobody can try codes or send mail.
func TestWithoutCounters(t *testing.T) {
	t.Parallel()
	l := limit(account.DefaultPolicies())
	l.Counters = noCounters{}
	ctx := from(t, home)
	if _, err := l.SignIn(ctx, "alice"); err != nil {
		t.Errorf("SignIn: %v", err)
	}
	_, code := l.Code(ctx, "alice")
	_, mail := l.Mail(ctx, account.MailReset, "alice")
	for what, err := range map[string]error{"Code": code, "Mail": mail, "SignUp": l.SignUp(ctx)} {
		if account.CodeOf(err) != account.CodeUnavailable {
			t.Errorf("%s: got %v, want unavailable", what, err)
		}
	}
}

func TestParsePolicies(t *testing.T) {
	t.Parallel()
	got, err := account.ParsePolicies(" guess.address = 600/1m , 20000/24h ; sign_up.address=off;")
	if err != nil {
		t.Fatal(err)
	}
	if l := got[account.GuessAddress]; len(l) != 2 || l[1] != (account.Tier{Count: 20000, Per: 24 * time.Hour}) {
		t.Errorf("guess.address: got %v", l)
	}
	if len(got[account.SignUpAddress]) != 0 || len(got[account.GuessPair]) != 3 {
		t.Errorf("the others: got %v", got)
	}
	if off, err := account.ParsePolicies("off"); off != nil || err != nil || account.NewLimits(account.LimitsConfig{Policies: off}) != nil {
		t.Errorf("off: got %v, %v", off, err)
	}
	for _, wrong := range []string{"guess.all=1/1m", "guess.pair", "guess.pair=1", "guess.pair=0/1m", "guess.pair=1/1ms", "guess.pair=1/1m,2/1h,3/2h,4/3h", "guess.pair=-1/1m", "guess.pair=1/1m;guess.pair=2/1m"} {
		if _, err := account.ParsePolicies(wrong); err == nil || !strings.Contains(err.Error(), "guess.") {
			t.Errorf("%s: got %v, want an error that names the limit", wrong, err)
		}
	}
}
