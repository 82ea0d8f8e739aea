package embedded

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"

	"github.com/alexedwards/argon2id"
	"golang.org/x/crypto/argon2"

	"spillway.example/services/internal/account"
)

// Argon2 is what argon2id is run with (RFC 9106 section 3.1).
type Argon2 struct {
	Memory      uint32 // KiB
	Iterations  uint32
	Parallelism uint8
}

// DefaultArgon2 is OWASP's recommendation where memory is dear (Password Storage
// Cheat Sheet): 19 MiB, two iterations, one lane.
var DefaultArgon2 = Argon2{Memory: 19 << 10, Iterations: 2, Parallelism: 1}

func (a Argon2) check() error {
	if a.Iterations == 0 || a.Parallelism == 0 || a.Memory < 8*uint32(a.Parallelism) {
		return errors.New("argon2id needs an iteration, a lane, and 8 KiB of memory for each lane")
	}
	return nil
}

func (a Argon2) params() *argon2id.Params {
	return &argon2id.Params{
		Memory: a.Memory, Iterations: a.Iterations, Parallelism: a.Parallelism,
		SaltLength: 16, KeyLength: 32,
	}
}

// hasher works out password hashes, no more at once than there are cores for: more
// would be no faster, and each takes its memory.
type hasher struct {
	params *argon2id.Params
	slots  chan struct{}
	// checks is how many checks are under way, most of them waiting for a slot.
	checks atomic.Int64
	onHash func()
	dummy  string
}

func newHasher(a Argon2, onHash func()) *hasher {
	h := &hasher{
		params: a.params(),
		slots:  make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/int(a.Parallelism))),
		onHash: onHash,
	}
	// Its key was drawn, not worked out, so no password is known to fit it.
	h.dummy = fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		a.Memory, a.Iterations, a.Parallelism, random64(h.params.SaltLength), random64(h.params.KeyLength))
	return h
}

func random64(n uint32) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return base64.RawStdEncoding.EncodeToString(b)
}

// hash hashes a password with a new salt.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	release, err := h.acquire(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	return argon2id.CreateHash(password, h.params)
}

// maxChecks is how many checks may be under way for each core: some seconds' worth. Anybody may
// ask for one, and more would only keep everybody waiting.
const maxChecks = 64

// check says whether a password fits a hash, and whether the hash was made with
// other parameters than new ones are. No hash at all takes the same work as one.
// CodeTooManyRequests where too many are under way.
func (h *hasher) check(ctx context.Context, password, hash string) (fits, old bool, err error) {
	defer h.checks.Add(-1)
	if h.checks.Add(1) > int64(maxChecks*cap(h.slots)) {
		return false, false, account.ErrThrottled(errors.New("too many passwords are being checked"))
	}
	release, err := h.acquire(ctx)
	if err != nil {
		return false, false, err
	}
	defer release()
	if hash == "" {
		_, _, err = argon2id.CheckHash(password, h.dummy)
		return false, false, err
	}
	fits, params, err := argon2id.CheckHash(password, hash)
	if err != nil {
		return false, false, fmt.Errorf("checking a password: %w", err)
	}
	return fits, *params != *h.params, nil
}

// acquire waits for a core.
func (h *hasher) acquire(ctx context.Context) (release func(), err error) {
	select {
	case h.slots <- struct{}{}:
		h.onHash()
		return func() { <-h.slots }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting to hash a password: %w", ctx.Err())
	}
}
