package account

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"log/slog"
	"time"
)

const (
	// replayFor is how long an answer is given again.
	replayFor = 24 * time.Hour
	// replayLease is how long an attempt has for its work. It is more than any takes
	// that works on the strength of a lease on a name.
	replayLease = Lease
	// replayPatience is about how long a request waits for the same one before it.
	replayPatience = 3 * time.Second
	// comeBack is the longest that such a request is then told to wait.
	comeBack = 5 * time.Second
)

// ReplaysConfig is what [Replays] stand on. Records and Key are required.
type ReplaysConfig struct {
	Records Records
	// Key keeps the records unreadable for whoever has them alone. It is secret, and
	// the same for all copies of a service.
	Key    []byte
	Now    func() time.Time
	Logger *slog.Logger
}

// Replays give a request that comes again the answer that it got before
// (draft-ietf-httpapi-idempotency-key-header-07). See docs/idempotency.md.
type Replays struct{ ReplaysConfig }

// NewReplays makes Replays. Now defaults to the wall clock, Logger to silence.
func NewReplays(c ReplaysConfig) *Replays {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return &Replays{c}
}

// Call is one request, as far as it matters for whether it came before.
type Call struct {
	Operation string
	Caller    Caller
	Key       string // what the caller has chosen for it; not to be guessed
	Request   string // all of what they ask for
}

// Caller is the account that a call is about.
type Caller string

// CallerByName is whoever a call names that nobody has proven to be.
func CallerByName(username string) Caller {
	if folded, err := FoldUsername(username); err == nil {
		username = folded
	}
	return Caller("name#" + username)
}

// CallerByID is the bearer of a verified token.
func CallerByID(id UserID) Caller { return Caller("user#" + string(id)) }

// Do gives the answer that a call got before, or has f work one out. final says that it
// is to be given again: what the caller may mend by waiting is not. CodeKeyReused
// where the key came with another request; CodeInProgress where another still works on
// the same one. Where the records cannot be had, it fails before f is asked.
//
// The context that f gets has it do what an interrupted attempt at the same call did, see
// [Registrar.Register].
func (r *Replays) Do(ctx context.Context, c Call, f func(context.Context) (answer []byte, final bool)) ([]byte, error) {
	mine := Record{
		Key: r.hash("key", c.Operation, string(c.Caller), c.Key), Fingerprint: r.derive("fingerprint", c),
		Owner: r.hash("owner", string(c.Caller)), Attempt: rand.Text(),
	}
	standing, begun, err := r.begin(ctx, &mine)
	switch {
	case err != nil:
		return nil, err
	case begun:
		return r.work(withAttempt(ctx, r.derive("attempt", c)), mine, c, f)
	case !hmac.Equal(standing.Fingerprint, mine.Fingerprint):
		return nil, Errorf(CodeKeyReused, nil, "The Idempotency-Key came before with another request; use a new one.")
	case len(standing.Answer) == 0:
		return nil, &Error{
			Code: CodeInProgress, Message: "The same request is still being worked on.",
			RetryAfter: max(time.Second, min(comeBack, standing.LeaseUntil.Sub(r.Now()))),
		}
	}
	return r.open(standing, c)
}

// begin takes the call, or waits for whoever works on it to give an answer.
func (r *Replays) begin(ctx context.Context, mine *Record) (standing Record, begun bool, err error) {
	pause, waited := replayPatience/64, time.Duration(0)
	for {
		now := r.Now()
		mine.LeaseUntil, mine.ExpiresAt = now.Add(replayLease), now.Add(replayFor)
		standing, begun, err = r.Records.Begin(ctx, *mine, now)
		working := err == nil && !begun && len(standing.Answer) == 0 && hmac.Equal(standing.Fingerprint, mine.Fingerprint)
		if !working || waited >= replayPatience {
			return standing, begun, err
		}
		select {
		case <-ctx.Done():
			return standing, false, nil
		case <-time.After(pause):
		}
		waited += pause
		pause = min(2*pause, max(replayPatience-waited, time.Millisecond))
	}
}

// work has f answer, and stores what it answers.
func (r *Replays) work(ctx context.Context, mine Record, c Call, f func(context.Context) ([]byte, bool)) (answer []byte, err error) {
	final := false
	defer func() { // after a panic, too
		ctx, cancel := toTheEnd(ctx, 5*time.Second)
		defer cancel()
		var err error
		if final {
			mine.Answer = r.seal(mine, c, answer)
			err = r.Records.Finish(ctx, mine)
		} else {
			err = r.Records.Abandon(ctx, mine)
		}
		if err != nil { // the next such request begins anew when the lease is over
			r.Logger.WarnContext(ctx, "an answer is not kept for a request that comes again", "err", err)
		}
	}()
	answer, final = f(ctx)
	return answer, nil
}

// Forget removes what is held of an account.
func (r *Replays) Forget(ctx context.Context, username string, id UserID) error {
	return errors.Join(
		r.Records.Forget(ctx, r.hash("owner", string(CallerByName(username))), r.Now()),
		r.Records.Forget(ctx, r.hash("owner", string(CallerByID(id))), r.Now()),
	)
}

func (r *Replays) hash(parts ...string) string {
	return base64.RawURLEncoding.EncodeToString(keyed(r.Key, parts...)[:18])
}

// derive gives 32 bytes that only whoever makes the same call can have: they hang on the
// caller's key, which is stored nowhere, so that nobody can try out passwords on them.
func (r *Replays) derive(use string, c Call) []byte {
	return keyed(r.Key, use, c.Operation, string(c.Caller), c.Key, c.Request)
}

// cipher is for the answer to a call.
func (r *Replays) cipher(c Call) cipher.AEAD {
	block, err := aes.NewCipher(r.derive("answer", c))
	if err != nil {
		panic(err) // the key has 32 bytes
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // AES has the right block size
	}
	return aead
}

func (r *Replays) seal(of Record, c Call, answer []byte) []byte {
	return r.cipher(c).Seal(nil, nil, answer, []byte(of.Key)) //nolint:gosec // G407: this AEAD draws its nonce itself
}

func (r *Replays) open(of Record, c Call) ([]byte, error) {
	answer, err := r.cipher(c).Open(nil, nil, of.Answer, []byte(of.Key))
	if err != nil {
		return nil, Errorf(CodeInternal, err, "")
	}
	return answer, nil
}

type attemptKey struct{}

func withAttempt(ctx context.Context, seed []byte) context.Context {
	return context.WithValue(ctx, attemptKey{}, seed)
}

// attemptText gives a random text for an attempt: the same one for the same use where the
// request may come again.
func attemptText(ctx context.Context, use string) string {
	seed, ok := ctx.Value(attemptKey{}).([]byte)
	if !ok {
		return rand.Text()
	}
	return base64.RawURLEncoding.EncodeToString(keyed(seed, use)[:18])
}
