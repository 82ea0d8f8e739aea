package account

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

const (
	// trustFor is how long after a success an address keeps a budget of its own for an
	// account, so that no stranger's failures can keep its owner out.
	trustFor = 30 * 24 * time.Hour
	// trustAnew is how old that may be before a success renews it.
	trustAnew = 24 * time.Hour
	// countWithin bounds how long a guess waits for the counters, and what is noted of
	// it afterwards: signing in goes on without them.
	countWithin = time.Second
)

// LimitsConfig is what [Limits] stand on. Counters and Key are required.
type LimitsConfig struct {
	Counters Counters
	Policies Policies
	// Key makes the counters' keys, with the names and addresses in them, unreadable. It
	// is secret, and the same for all copies of both services.
	Key    []byte
	Count  Count // of LimitsReached and UncountedSignIns
	Now    func() time.Time
	Logger *slog.Logger
}

// Limits hold what people ask for to its budgets: for each account, for each client
// address (see [WithClient]) and for both together. They count names that nobody has as
// they count others. The nil Limits admit everything.
type Limits struct{ LimitsConfig }

// NewLimits makes Limits, nil where there are no policies. Now defaults to the wall
// clock, Logger to silence.
func NewLimits(c LimitsConfig) *Limits {
	if c.Policies == nil {
		return nil
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return &Limits{c}
}

// Guess is an attempt to prove who somebody is.
type Guess struct {
	limits *Limits // nil where the pair is not counted
	pair   string  // its counter's key
	taken  Taken
}

// SignIn counts an attempt to sign in to an account. CodeTooManyRequests. Where the
// counters cannot be had the attempt is let go on: the directory's own throttle still
// stands, and their outage must not be everybody's.
func (l *Limits) SignIn(ctx context.Context, name string) (Guess, error) {
	if l == nil {
		return Guess{}, nil
	}
	short, cancel := context.WithTimeout(ctx, countWithin)
	defer cancel()
	g, err := l.guess(short, SignInAccount, name)
	if code := CodeOf(err); code == "" || code == CodeTooManyRequests {
		return g, err
	}
	l.Logger.WarnContext(ctx, "a sign-in was not counted", "err", err)
	l.Count.Add(ctx, "UncountedSignIns")
	return Guess{}, nil
}

// Code counts an attempt at a code of an account. CodeTooManyRequests. Where the counters
// cannot be had it fails: six digits can be guessed, and their owner can wait. Codes that
// not everybody may try have a budget of their own, named by how: nobody uses it up from
// outside.
func (l *Limits) Code(ctx context.Context, name string, how ...string) (Guess, error) {
	if l == nil {
		return Guess{}, nil
	}
	return l.guess(ctx, CodeAccount, name, how...)
}

// guess counts a guess from an address that is known for the account on its own, and
// any other on the address's budget and the account's too. The address comes first, so
// that one that has used up its own takes nothing of the account's.
func (l *Limits) guess(ctx context.Context, account Policy, name string, how ...string) (Guess, error) {
	client := clientOf(ctx)
	taken, err := l.take(ctx, GuessPair, name, client)
	g := Guess{pair: l.key(GuessPair, name, client), taken: taken}
	if len(l.Policies[GuessPair]) > 0 {
		g.limits = l
	}
	if err != nil || l.Now().Before(taken.TrustedUntil) {
		return g, err
	}
	if client != "" {
		if _, err := l.take(ctx, GuessAddress, client); err != nil {
			return g, err
		}
	}
	_, err = l.take(ctx, account, append([]string{name}, how...)...)
	return g, err
}

// Right notes that a guess was right: the address is known for the account from now on,
// and what it got wrong before is forgotten. Nobody else's budget changes.
func (g Guess) Right(ctx context.Context) {
	l := g.limits
	if l == nil || !g.taken.Earlier && g.taken.TrustedUntil.Sub(l.Now()) > trustFor-trustAnew {
		return // nothing to forget, and known already: most sign-ins cost one write
	}
	ctx, cancel := toTheEnd(ctx, countWithin)
	defer cancel()
	if err := l.Counters.Trust(ctx, g.pair, l.Now().Add(trustFor)); err != nil {
		l.Logger.WarnContext(ctx, "an address is not noted as known", "err", err)
	}
}

// SignUp counts a sign-up. CodeTooManyRequests. Where the counters cannot be had it
// fails.
func (l *Limits) SignUp(ctx context.Context) error {
	client := clientOf(ctx)
	if l == nil || client == "" {
		return nil
	}
	_, err := l.take(ctx, SignUpAddress, client)
	return err
}

// MailUse is what a mail is for. Each has budgets of its own: who signs up with somebody's
// address, as anybody may, must not use up their codes for a new password.
type MailUse string

// The uses of mails.
const (
	MailSignUp       MailUse = "sign-up"
	MailConfirmation MailUse = "confirmation"
	MailReset        MailUse = "reset"
	MailEmail        MailUse = "email"
	mailOfSignIn     MailUse = "sign-in"
)

// Sending is a mail that somebody caused and that may yet fail.
type Sending struct {
	limits *Limits
	taken  *takings // nil where nothing is counted
}

// takings are what was taken of counters for a mail, until it is given back.
type takings struct {
	mu   sync.Mutex
	list []taking
}

// taking is what was taken of a counter.
type taking struct {
	policy Policy
	key    string
}

// Mail counts a mail to whoever has a name or an e-mail address, whether or not anybody
// does. CodeTooManyRequests. Where the counters cannot be had it fails.
func (l *Limits) Mail(ctx context.Context, use MailUse, recipient string) (Sending, error) {
	s := l.sending()
	if l == nil {
		return s, nil
	}
	if client := clientOf(ctx); client != "" {
		if err := s.take(ctx, MailAddress, client); err != nil {
			return s, err
		}
	}
	return s, s.take(ctx, MailRecipient, string(use), recipient)
}

// sending is a mail that nothing has been counted for yet.
func (l *Limits) sending() Sending { return Sending{l, new(takings)} }

// Unseen counts a mail of which no answer may tell (that an account waits, or which address
// a handle has) to the address that it goes to, as a part of the one that was asked for. It
// counts apart, or the budget for what is asked for under the address would tell. It gives
// false where the mail must not go out.
func (s Sending) Unseen(ctx context.Context, use MailUse, address string) (bool, error) {
	if s.limits == nil {
		return true, nil
	}
	err := s.take(ctx, MailRecipient, string(use)+", unseen", address)
	if CodeOf(err) == CodeTooManyRequests {
		return false, nil
	}
	return err == nil, err
}

func (s Sending) take(ctx context.Context, p Policy, of ...string) error {
	_, err := s.limits.take(ctx, p, of...)
	if err == nil {
		s.taken.mu.Lock()
		defer s.taken.mu.Unlock()
		s.taken.list = append(s.taken.list, taking{p, s.limits.key(p, of...)})
	}
	return err
}

// Failed gives a mail that did not go out back to the budgets but for their shortest
// windows, see [Counter.Refund]. It does so once.
func (s Sending) Failed(ctx context.Context) {
	if s.taken == nil {
		return
	}
	ctx, cancel := toTheEnd(ctx, countWithin)
	defer cancel()
	s.taken.mu.Lock()
	list := s.taken.list
	s.taken.list = nil
	s.taken.mu.Unlock()
	for _, t := range list {
		if err := s.limits.Counters.Refund(ctx, t.key, s.limits.Policies[t.policy]); err != nil {
			s.limits.Logger.WarnContext(ctx, "a mail that was not sent stays counted", "err", err)
		}
	}
}

type sendingKey struct{}

// watched gives a context for whatever sends the mail, see [MailFailed].
func (s Sending) watched(ctx context.Context) context.Context {
	return context.WithValue(ctx, sendingKey{}, s)
}

// MailFailed tells the budgets that a mail did not go out which was to be sent with ctx:
// a mailer calls it that had said that the mail would.
func MailFailed(ctx context.Context) {
	if s, ok := ctx.Value(sendingKey{}).(Sending); ok {
		s.Failed(ctx)
	}
}

// take counts an attempt on one budget. CodeTooManyRequests.
func (l *Limits) take(ctx context.Context, p Policy, of ...string) (Taken, error) {
	limit := l.Policies[p]
	if len(limit) == 0 {
		return Taken{Admitted: true}, nil
	}
	taken, err := l.Counters.Take(ctx, l.key(p, of...), limit, limit.Longest(), l.Now())
	if err != nil {
		return Taken{}, err
	}
	if !taken.Admitted {
		l.Logger.InfoContext(ctx, "limit reached", "policy", string(p), "after", taken.After)
		l.Count.Add(ctx, "LimitsReached")
		return taken, &Error{
			Code: CodeTooManyRequests, Message: "Too many attempts; try again later.",
			RetryAfter: taken.After, Quota: &Quota{Policy: p, Tier: taken.Tier},
		}
	}
	return taken, nil
}

// key names a counter by a hash that nobody can invert who does not have the key.
func (l *Limits) key(p Policy, of ...string) string {
	return base64.RawURLEncoding.EncodeToString(keyed(l.Key, append([]string{string(p)}, of...)...)[:18])
}

// keyed hashes a list of texts (HMAC-SHA-256). The quotes keep two lists apart.
func keyed(key []byte, parts ...string) []byte {
	h := hmac.New(sha256.New, key)
	for _, p := range parts {
		fmt.Fprintf(h, "%q", p)
	}
	return h.Sum(nil)
}
