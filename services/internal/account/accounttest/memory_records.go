package accounttest

import (
	"context"
	"crypto/hmac"
	"sync"
	"time"

	"spillway.example/services/internal/account"
)

// Records is [account.Records] in memory. The zero Records are ready.
type Records struct {
	mu sync.Mutex
	of map[string]account.Record
}

var _ account.Records = (*Records)(nil)

// Begin implements [account.Records].
func (r *Records) Begin(_ context.Context, n account.Record, now time.Time) (account.Record, bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if old, there := r.of[n.Key]; there && old.Attempt != n.Attempt && now.Before(old.ExpiresAt) {
		over := len(old.Answer) == 0 && !now.Before(old.LeaseUntil) && hmac.Equal(old.Fingerprint, n.Fingerprint)
		if !over {
			return old, false, nil
		}
	}
	if r.of == nil {
		r.of = map[string]account.Record{}
	}
	r.of[n.Key] = n
	return n, true, nil
}

// Finish implements [account.Records].
func (r *Records) Finish(_ context.Context, n account.Record) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	old, there := r.of[n.Key]
	if !there || old.Attempt != n.Attempt {
		return conflict()
	}
	old.Answer, old.ExpiresAt = n.Answer, n.ExpiresAt
	r.of[n.Key] = old
	return nil
}

// Abandon implements [account.Records].
func (r *Records) Abandon(_ context.Context, n account.Record) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if old := r.of[n.Key]; old.Attempt == n.Attempt && len(old.Answer) == 0 {
		delete(r.of, n.Key)
	}
	return nil
}

// Forget implements [account.Records].
func (r *Records) Forget(_ context.Context, owner string, _ time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for key, old := range r.of {
		if old.Owner == owner {
			delete(r.of, key)
		}
	}
	return nil
}

// All gives every record.
func (r *Records) All() (all []account.Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, old := range r.of {
		all = append(all, old)
	}
	return all
}
