package verify

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// Revocations knows which tokens were revoked before their time. Implementations are
// safe for concurrent use.
type Revocations interface {
	// Revoked says whether a token, good by all that it says, was revoked. What it
	// answers for one token of a session holds for all of them.
	Revoked(ctx context.Context, token string, c Claims) (bool, error)
}

// DefaultRevokedWithin is how long at most a revoked token goes on to be accepted.
const DefaultRevokedWithin = 30 * time.Second

const (
	// maxAnswers bounds how many answers of one age are kept.
	maxAnswers = 1 << 16
	// askTimeout bounds one question, askAgain is the time between two while no
	// answers come.
	askTimeout = 2 * time.Second
	askAgain   = time.Second
)

// revocationCache keeps the answers of Revocations, so that a session costs one question
// in a while however many requests it makes.
type revocationCache struct {
	source       Revocations
	fresh, stale time.Duration // the ages up to which an answer is used, and used at need
	clock        clock
	asking       singleflight.Group
	complaints   complaints

	mu      sync.Mutex
	newer   map[session]answer
	older   map[session]answer // none is younger than turned
	turned  time.Time
	resting time.Time // nobody is asked before: the last question failed
	failed  error
}

// session is what answers are kept by.
type session struct {
	subject, id string
	began       int64
}

type answer struct {
	revoked bool
	asked   time.Time // when the question was asked: the answer may be as old
}

func newRevocationCache(source Revocations, within time.Duration, now func() time.Time, log *slog.Logger) *revocationCache {
	wall := clock(now)
	return &revocationCache{
		source: source, fresh: within / 3, stale: within / 6 * 5,
		clock: wall, turned: wall.now(), complaints: complaints{log: log, clock: wall},
	}
}

// ask says whether a token was revoked, by an answer that is fresh, by a new one, or by
// the last one where none can be had.
func (r *revocationCache) ask(ctx context.Context, token string, c Claims) (bool, error) {
	key := session{c.Subject, c.SessionID, c.Began().Unix()}
	if key.id == "" {
		sum := sha256.Sum256([]byte(token)) // a token of no session is alone
		key.id = string(sum[:])
	}
	kept, there, rest := r.look(key)
	age := r.clock.since(kept.asked)
	// One that says revoked ends, too: an introspection endpoint says so of a token whose
	// key is gone, and the next token of the session is good.
	if there && age < r.fresh {
		return kept.revoked, nil
	}
	if rest == nil {
		// The question outlives who asked first, since others may wait for it.
		asked := r.asking.DoChan(key.subject+"\x00"+key.id, func() (any, error) {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askTimeout)
			defer cancel()
			a := answer{asked: r.clock.now()}
			var err error
			a.revoked, err = r.source.Revoked(ctx, token, c)
			r.keep(key, a, err)
			if err != nil {
				r.complaints.about(ctx, "whether tokens were revoked is not known", err)
			}
			return a.revoked, err
		})
		select {
		case got := <-asked:
			if got.Err == nil {
				return got.Val.(bool), nil
			}
			rest = got.Err
		case <-ctx.Done():
			rest = ctx.Err()
		}
	}
	if there && r.clock.since(kept.asked) < r.stale {
		return kept.revoked, nil
	}
	return false, rest
}

// look gives the answer kept for a session, and the error of the last question while
// nobody is to be asked.
func (r *revocationCache) look(key session) (a answer, there bool, rest error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if a, there = r.newer[key]; !there {
		a, there = r.older[key]
	}
	if r.clock.now().Before(r.resting) {
		rest = r.failed
	}
	return a, there, rest
}

// keep keeps an answer, or that none came, and forgets those that are too old to be used.
func (r *revocationCache) keep(key session, a answer, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.resting, r.failed = r.clock.now().Add(askAgain), err
		return
	}
	if r.newer == nil || len(r.newer) >= maxAnswers || r.clock.since(r.turned) >= r.stale {
		r.older, r.newer, r.turned = r.newer, map[session]answer{}, r.clock.now()
	}
	r.newer[key] = a
}
