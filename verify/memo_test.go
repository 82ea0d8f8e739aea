package verify_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"

	"spillway.example/verify"
)

// ring is keys that can be taken away, and that gives the same key each time.
type ring struct {
	mu   sync.Mutex
	keys map[string]verify.Key
}

func (r *ring) Key(_ context.Context, id string) (verify.Key, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if k, ok := r.keys[id]; ok {
		return k, nil
	}
	return verify.Key{}, verify.ErrUnknownKey
}

func (r *ring) set(t *testing.T, pairs ...pair) {
	t.Helper()
	keys := map[string]verify.Key{}
	for _, p := range pairs {
		id, _ := p.private.KeyID()
		key, err := verify.NewKey(p.raw.Public())
		if err != nil {
			t.Fatal(err)
		}
		keys[id] = key
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keys = keys
}

// TestKnownTokensAreChecked remembers that a signature was good, and nothing else: a known
// token is refused once it has expired, its key is withdrawn or another's, or it is revoked.
func TestKnownTokensAreChecked(t *testing.T) {
	t.Parallel()
	p, clock, keys, l := newPair(t, "k1", jwa.ES256()), newClock(), &ring{}, &list{}
	keys.set(t, p)
	v := newVerifier(t, keys, func(c *verify.Config) { c.Now, c.Revocations = clock.now, l })
	token := sign(t, p, good(nil), nil)
	check := func(what string, want error) {
		t.Helper()
		for range 3 {
			c, err := v.Verify(t.Context(), token)
			wantKind(t, what, err, want)
			if err == nil {
				if c.Subject != "a-b-c" || len(c.Scopes) != 1 || c.Scopes[0] != "aws.cognito.signin.user.admin" {
					t.Errorf("%s: got %+v", what, c)
				}
				c.Scopes[0] = "changed" // by a caller
			}
		}
	}
	check("good", nil)
	keys.set(t)
	check("its key is withdrawn", verify.ErrInvalidToken)
	keys.set(t, newPair(t, "k1", jwa.ES256()))
	check("its key's id is another's", verify.ErrInvalidToken)
	keys.set(t, p)
	check("its key is back", nil)
	_, err := v.Verify(t.Context(), token[:len(token)-4]+"AAAA")
	wantKind(t, "almost the same token", err, verify.ErrInvalidToken)
	l.set("o", false)
	clock.advance(verify.DefaultRevokedWithin)
	check("revoked", verify.ErrInvalidToken)

	token = sign(t, p, good(func(c map[string]any) { c["origin_jti"] = "another" }), nil)
	check("of another session", nil)
	clock.advance(time.Hour + verify.DefaultSkew)
	check("expired", verify.ErrInvalidToken)
}
