package token_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jws"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/account/accounttest"
	"spillway.example/services/internal/token"
	"spillway.example/verify"
)

// one is a single key, whatever its id.
type one struct {
	key  *ecdsa.PrivateKey
	away bool
}

func (o *one) Key(context.Context, string) (verify.Key, error) {
	if o.away {
		return verify.Key{}, errors.New("the keys are away")
	}
	return verify.NewKey(o.key.Public())
}

// counted is a deny list that counts who asks, and can be away.
type counted struct {
	account.Denials
	asked atomic.Int64
	away  atomic.Bool
}

func (c *counted) Denied(ctx context.Context, who account.Identity) (bool, error) {
	c.asked.Add(1)
	if c.away.Load() {
		return false, account.ErrUnavailable(errors.New("the table is away"))
	}
	return c.Denials.Denied(ctx, who)
}

// world is a verifier on a clock with all that it stands on.
type world struct {
	*token.Verifier
	clock *accounttest.Clock
	keys  *one
	list  *counted
}

func newWorld(t *testing.T) world {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	w := world{clock: &accounttest.Clock{}, keys: &one{key: key}, list: &counted{Denials: accounttest.NewMemory(nil)}}
	w.Verifier, err = token.NewVerifier(token.Config{
		Issuer: "https://issuer.example", ClientID: "client", Keys: w.keys, Denials: w.list, Now: w.clock.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// access makes an access token of a session of alice's that begins now.
func (w world) access(t *testing.T, session, use string) string {
	t.Helper()
	now := w.clock.Now().Unix()
	h := jws.NewHeaders()
	if err := h.Set("kid", "k"); err != nil {
		t.Fatal(err)
	}
	claims := fmt.Sprintf(`{"sub":"a-b-c","username":"alice","iss":"https://issuer.example","client_id":"client","token_use":%q,"origin_jti":%q,"auth_time":%d,"iat":%d,"exp":%d}`,
		use, session, now, now+1, now+3600)
	signed, err := jws.Sign([]byte(claims), jws.WithKey(jwa.ES256(), w.keys.key, jws.WithProtectedHeaders(h)))
	if err != nil {
		t.Fatal(err)
	}
	return string(signed)
}

func wantCode(t *testing.T, what string, err error, want account.Code) {
	t.Helper()
	if got := account.CodeOf(err); got != want {
		t.Errorf("%s: got %q (%v), want %q", what, got, err, want)
	}
}

func TestIdentity(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	now := w.clock.Now()
	want := account.Identity{UserID: "a-b-c", Username: "alice", SessionID: "s", Since: now, ExpiresAt: now.Add(time.Hour)}
	good := w.access(t, "s", "access")
	for name, check := range map[string]func(context.Context, string) (account.Identity, error){"Verify": w.Verify, "Offline": w.Offline} {
		if got, err := check(t.Context(), good); err != nil || got != want {
			t.Errorf("%s: got %+v, %v, want %+v", name, got, err, want)
		}
		for what, bad := range map[string]string{"no token": "", "nonsense": "nonsense", "an id token": w.access(t, "s", "id")} {
			_, err := check(t.Context(), bad)
			wantCode(t, name+" "+what, err, account.CodeInvalidToken)
		}
	}
	w.keys.away = true
	_, err := w.Verify(t.Context(), good)
	wantCode(t, "Verify without keys", err, account.CodeUnavailable)
	_, _, err = w.Introspect(t.Context(), good)
	wantCode(t, "Introspect without keys", err, account.CodeUnavailable)
}

// TestSignOutHereCountsAtOnce has a token void at once in the process that voided it, for as
// long as an answer of before may be in use there, and all sessions that are not meant go on.
func TestSignOutHereCountsAtOnce(t *testing.T) {
	t.Parallel()
	for name, revoke := range map[string]func(context.Context, *account.Revoker) error{
		"the user":         func(ctx context.Context, r *account.Revoker) error { return r.RevokeUser(ctx, "a-b-c", nil) },
		"the deleted user": func(ctx context.Context, r *account.Revoker) error { return r.RevokeDeleted(ctx, "a-b-c") },
		"the session":      func(ctx context.Context, r *account.Revoker) error { return r.RevokeSession(ctx, "s1") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			revoker := account.NewRevoker(account.RevokerConfig{Denials: w.Denials(), Now: w.clock.Now, Wait: w.clock.Wait})
			old, other := w.access(t, "s1", "access"), w.access(t, "s2", "access")
			for _, token := range []string{old, other} {
				_, err := w.Verify(t.Context(), token)
				wantCode(t, "before", err, "")
			}
			if err := revoke(t.Context(), revoker); err != nil {
				t.Fatal(err)
			}
			fresh := w.access(t, "s3", "access")
			for range 40 { // past the time that it is remembered
				_, err := w.Verify(t.Context(), old)
				wantCode(t, "after", err, account.CodeInvalidToken)
				if _, err = w.Verify(t.Context(), fresh); name != "the deleted user" {
					wantCode(t, "a session that began later", err, "")
				}
				if _, err = w.Verify(t.Context(), other); name == "the session" {
					wantCode(t, "another session", err, "")
				}
				w.clock.Advance(time.Second)
				if err := w.Denials().DenySession(t.Context(), "s4", w.clock.Now().Add(time.Hour)); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// TestSignOutReachesVerifiers is what docs/tokens.md states: half a minute after a user or
// a session was revoked no access token of theirs is accepted, and new sessions are.
func TestSignOutReachesVerifiers(t *testing.T) {
	t.Parallel()
	for name, revoke := range map[string]func(context.Context, *account.Revoker) error{
		"the user":    func(ctx context.Context, r *account.Revoker) error { return r.RevokeUser(ctx, "a-b-c", nil) },
		"the session": func(ctx context.Context, r *account.Revoker) error { return r.RevokeSession(ctx, "s1") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			revoker := account.NewRevoker(account.RevokerConfig{
				Denials: w.list, Now: w.clock.Now,
				Wait: func(_ context.Context, d time.Duration) error { w.clock.Advance(d); return nil },
			})
			old := w.access(t, "s1", "access")
			for range 50 {
				_, err := w.Verify(t.Context(), old)
				wantCode(t, "before", err, "")
			}
			if n := w.list.asked.Load(); n != 1 {
				t.Errorf("fifty checks looked at the deny list %d times, want once", n)
			}
			if err := revoke(t.Context(), revoker); err != nil {
				t.Fatal(err)
			}
			began := w.clock.Now()
			if _, active, err := w.Introspect(t.Context(), old); err != nil || active {
				t.Errorf("Introspect at once: got active %v, %v", active, err)
			}
			_, err := w.Offline(t.Context(), old)
			wantCode(t, "Offline, which asks nobody", err, "")
			fresh := w.access(t, "s2", "access")
			for w.clock.Now().Sub(began) < verify.DefaultRevokedWithin {
				_, err := w.Verify(t.Context(), fresh)
				wantCode(t, "a new session", err, "")
				w.clock.Advance(time.Second)
			}
			_, err = w.Verify(t.Context(), old)
			wantCode(t, "half a minute later", err, account.CodeInvalidToken)
			_, err = w.Verify(t.Context(), fresh)
			wantCode(t, "a new session half a minute later", err, "")
		})
	}
}

// TestDenyListAway goes on with what is known, and then closes.
func TestDenyListAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	signed := w.access(t, "s", "access")
	_, err := w.Verify(t.Context(), signed)
	wantCode(t, "before", err, "")
	w.list.away.Store(true)
	w.clock.Advance(20 * time.Second)
	_, err = w.Verify(t.Context(), signed)
	wantCode(t, "away for twenty seconds", err, "")
	w.clock.Advance(10 * time.Second)
	_, err = w.Verify(t.Context(), signed)
	wantCode(t, "away for half a minute", err, account.CodeUnavailable)
	_, _, err = w.Introspect(t.Context(), signed)
	wantCode(t, "Introspect", err, account.CodeUnavailable)
}

// TestIntrospect looks at the deny list once whatever the token is.
func TestIntrospect(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good, ended := w.access(t, "s1", "access"), w.access(t, "s2", "access")
	if err := w.list.DenySession(t.Context(), "s2", time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	for i, tt := range []struct {
		name, token string
		want        bool
	}{
		{"a good token", good, true}, {"of a session that has ended", ended, false}, {"an id token", w.access(t, "s1", "id"), false},
		{"a forgery", good[:len(good)-8] + "AAAAAAAA", false}, {"nonsense", "nonsense", false}, {"nothing", "", false},
	} {
		c, active, err := w.Introspect(t.Context(), tt.token)
		if err != nil || active != tt.want || (c.Subject != "") != tt.want {
			t.Errorf("%s: got %+v, active %v, %v", tt.name, c, active, err)
		}
		if n := w.list.asked.Load(); n != int64(i+1) {
			t.Errorf("%s: the deny list was asked %d times in all, want %d", tt.name, n, i+1)
		}
	}
	w.clock.Advance(time.Hour + verify.DefaultSkew)
	if _, active, err := w.Introspect(t.Context(), good); err != nil || active {
		t.Errorf("an expired token: got active %v, %v", active, err)
	}
}
