package embedded_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/account/accounttest"
	"spillway.example/services/internal/embedded"
	"spillway.example/verify"
)

// kid gives the id of the key that signed a token, by its header, and fails the test unless
// every store serves a key of that id which the signature fits.
func kid(t *testing.T, signed string, stores ...*embedded.Store) string {
	t.Helper()
	for _, s := range stores {
		payload(t, s, signed)
	}
	first, _, _ := strings.Cut(signed, ".")
	raw, err := base64.RawURLEncoding.DecodeString(first)
	if err != nil {
		t.Fatal(err)
	}
	var header struct{ Kid string }
	if err := json.Unmarshal(raw, &header); err != nil || header.Kid == "" {
		t.Fatalf("header %s: %v", raw, err)
	}
	return header.Kid
}

// served gives the ids of the keys that others can fetch.
func served(t *testing.T, s *embedded.Store) (ids []string) {
	t.Helper()
	set, err := s.JWKS(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i := range set.Len() {
		k, _ := set.Key(i)
		id, _ := k.KeyID()
		ids = append(ids, id)
	}
	return ids
}

// TestKeysRotate lives through half a year, in two processes on one folder: keys change
// every ninety days, each is served a day before it signs and until its last token has
// expired, and both processes go by the same key at any time.
func TestKeysRotate(t *testing.T) {
	t.Parallel()
	clock, dir := &accounttest.Clock{}, t.TempDir()
	const day = 24 * time.Hour
	long := func(c *embedded.Config) { c.AccessLifetime = day } // so that tokens meet a change of keys
	stores := []*embedded.Store{open(t, dir, on(clock), long), open(t, dir, on(clock), long)}
	login := []*embedded.Directory{directory(stores[0]), directory(stores[1])}
	member(t, login[0], "alice")
	type signed struct {
		token   string
		expires time.Time
	}
	var tokens []signed
	firstServed, firstSigned, used := map[string]time.Time{}, map[string]time.Time{}, []string{}
	start := clock.Now()
	const step = 11 * time.Hour
	for round := 0; clock.Now().Sub(start) < 185*day; round++ {
		now := clock.Now()
		for _, s := range stores {
			for _, id := range served(t, s) {
				if _, there := firstServed[id]; !there {
					firstServed[id] = now
				}
			}
		}
		i := round % 2
		got := signIn(t, login[i], "alice")
		id := kid(t, got.AccessToken, stores...)
		if other := kid(t, signIn(t, login[1-i], "alice").AccessToken, stores...); other != id {
			t.Fatalf("at %v one process signs with %s, the other with %s", now, id, other)
		}
		if _, there := firstSigned[id]; !there {
			firstSigned[id] = now
			used = append(used, id)
			if age := now.Sub(firstServed[id]); len(used) > 1 && age < day {
				t.Errorf("key %d signs %v after it was first served, want a day", len(used), age)
			}
		}
		tokens = append(tokens, signed{got.AccessToken, now.Add(day)})
		for len(tokens) > 0 && !now.Before(tokens[0].expires) {
			tokens = tokens[1:]
		}
		for _, tok := range tokens {
			for n, s := range stores {
				if _, err := s.Verifier().Offline(t.Context(), tok.token); err != nil {
					t.Fatalf("at %v process %d refuses a token that expires at %v: %v", now, n, tok.expires, err)
				}
			}
		}
		clock.Advance(step)
	}
	if len(used) != 3 {
		t.Fatalf("%d keys signed in 185 days, want 3", len(used))
	}
	for i, id := range used[1:] {
		if age := firstSigned[id].Sub(firstSigned[used[i]]); (age - embedded.DefaultKeyMaxAge).Abs() > 2*step {
			t.Errorf("key %d signed for %v, want ninety days", i+1, age)
		}
	}
	if got := served(t, stores[0]); !slices.Equal(got, used[2:]) {
		t.Errorf("served at last: %v, want %v alone", got, used[2:])
	}
}

// TestKeyChange goes through one change of keys, in two processes, and stops a second before
// and after each time that docs/tokens.md states: the new key is served a day before it
// signs, and the old one until its last token has expired, and not much longer.
func TestKeyChange(t *testing.T) {
	t.Parallel()
	const (
		day    = 24 * time.Hour
		access = time.Hour
		seen   = time.Minute // by then every process has read the file anew
	)
	clock, dir := &accounttest.Clock{}, t.TempDir()
	hour := func(c *embedded.Config) { c.AccessLifetime = access }
	stores := []*embedded.Store{open(t, dir, on(clock), hour), open(t, dir, on(clock), hour)}
	member(t, directory(stores[0]), "alice")
	start := clock.Now()
	at := func(d time.Duration) { clock.Advance(start.Add(d).Sub(clock.Now())) }
	serves := func(when string, want ...string) {
		t.Helper()
		for i, s := range stores {
			if got := served(t, s); !slices.Equal(got, want) {
				t.Errorf("%s process %d serves %v, want %v", when, i, got, want)
			}
		}
	}
	// signs gives the last token of all processes, which one key must have signed.
	signs := func(when, want string) (token string) {
		t.Helper()
		for i, s := range stores {
			token = signIn(t, directory(s), "alice").AccessToken
			if got := kid(t, token, stores...); got != want {
				t.Errorf("%s process %d signs with %s, want %s", when, i, got, want)
			}
		}
		return token
	}
	older := served(t, stores[0])[0]
	const published = embedded.DefaultKeyMaxAge - day
	at(published - seen)
	serves("before its time", older)

	at(published)
	newer := served(t, stores[0])[0]
	if newer == older {
		t.Fatal("a day before the key is too old there is no other")
	}
	serves("a day before", newer, older)

	at(published + day - time.Second)
	last := signs("a second too early", older)
	at(published + day)
	signs("from then on", newer)
	at(published + day - time.Second + access - time.Second)
	serves("until the last token has expired", newer, older)
	for i, s := range stores {
		if _, err := s.Verifier().Offline(t.Context(), last); err != nil {
			t.Errorf("process %d refuses the last token of the old key: %v", i, err)
		}
	}
	at(published + day + access + 15*time.Minute)
	serves("when that is over", newer)
	for i, s := range stores {
		if _, err := s.Key(t.Context(), older); !errors.Is(err, verify.ErrUnknownKey) {
			t.Errorf("process %d still takes what the old key has signed: %v", i, err)
		}
	}
	if left := column[string](t, dir, `SELECT id FROM signing_keys`); !slices.Equal(left, []string{newer}) {
		t.Errorf("the file has the keys %v, want %s alone", left, newer)
	}
}

// TestKeysModel turns the clock as it likes, and asks for rotations, in three processes:
// what was signed in one is good until it expires, in each of them.
func TestKeysModel(t *testing.T) {
	t.Parallel()
	clock, dir := &accounttest.Clock{}, t.TempDir()
	var stores []*embedded.Store
	for range 3 {
		stores = append(stores, open(t, dir, on(clock), func(c *embedded.Config) {
			c.KeyMaxAge, c.AccessLifetime = embedded.MinKeyMaxAge, 24*time.Hour
		}))
	}
	member(t, directory(stores[0]), "alice")
	rapid.Check(t, func(rt *rapid.T) {
		type signed struct {
			token   string
			expires time.Time
		}
		var tokens []signed
		one := func(rt *rapid.T) *embedded.Store { return stores[rapid.IntRange(0, len(stores)-1).Draw(rt, "process")] }
		rt.Repeat(map[string]func(*rapid.T){
			"wait": func(rt *rapid.T) {
				clock.Advance(time.Duration(rapid.IntRange(1, 40*60).Draw(rt, "minutes")) * time.Minute)
			},
			"wait a little": func(rt *rapid.T) {
				clock.Advance(time.Duration(rapid.IntRange(1, 90).Draw(rt, "seconds")) * time.Second)
			},
			"sign in": func(rt *rapid.T) {
				got, err := directory(one(rt)).SignIn(context.Background(), "alice", accounttest.Password)
				if err != nil {
					rt.Fatal(err)
				}
				tokens = append(tokens, signed{got.AccessToken, clock.Now().Add(24 * time.Hour)})
			},
			"rotate": func(rt *rapid.T) {
				if err := one(rt).RotateKeys(context.Background()); err != nil && account.CodeOf(err) != account.CodeConflict {
					rt.Fatal(err)
				}
			},
			"verify": func(rt *rapid.T) {
				s := one(rt)
				for _, tok := range tokens {
					if !clock.Now().Before(tok.expires) {
						continue
					}
					if _, err := s.Verifier().Offline(context.Background(), tok.token); err != nil {
						rt.Fatalf("a token that has not expired is refused: %v", err)
					}
				}
			},
			"": func(*rapid.T) {},
		})
	})
}

// TestRotateByHand publishes a key for tomorrow, once.
func TestRotateByHand(t *testing.T) {
	t.Parallel()
	clock := &accounttest.Clock{}
	s := open(t, t.TempDir(), on(clock))
	before := served(t, s)
	wantCode(t, "RotateKeys", s.RotateKeys(t.Context()), "")
	wantCode(t, "RotateKeys again", s.RotateKeys(t.Context()), account.CodeConflict)
	keys, err := s.SigningKeys(t.Context())
	if err != nil || len(keys) != 2 || keys[0].Signs || !keys[1].Signs || keys[1].ID != before[0] || !keys[0].SignsFrom.Equal(clock.Now().Add(embedded.KeyLead)) {
		t.Fatalf("SigningKeys: got %+v, %v", keys, err)
	}
	if got := served(t, s); len(got) != 2 {
		t.Errorf("served: %v, want both", got)
	}
	clock.Advance(embedded.KeyLead)
	if keys, err := s.SigningKeys(t.Context()); err != nil || len(keys) != 2 || !keys[0].Signs || keys[1].Signs {
		t.Errorf("a day later: got %+v, %v", keys, err)
	}
}

// TestReplaceKeys has tokens of a key that may be stolen refused in every process within a
// minute, while sessions go on.
func TestReplaceKeys(t *testing.T) {
	t.Parallel()
	clock, dir := &accounttest.Clock{}, t.TempDir()
	one, other := open(t, dir, on(clock)), open(t, dir, on(clock))
	member(t, directory(one), "alice")
	stolen := signIn(t, directory(one), "alice")
	if _, err := other.Verifier().Verify(t.Context(), stolen.AccessToken); err != nil {
		t.Fatal(err)
	}
	wantCode(t, "ReplaceKeys", one.ReplaceKeys(t.Context()), "")
	_, err := one.Verifier().Verify(t.Context(), stolen.AccessToken)
	wantCode(t, "Verify here, at once", err, account.CodeInvalidToken)
	clock.Advance(time.Minute)
	_, err = other.Verifier().Verify(t.Context(), stolen.AccessToken)
	wantCode(t, "Verify there, a minute later", err, account.CodeInvalidToken)
	fresh, err := directory(other).Refresh(t.Context(), stolen.RefreshToken)
	wantCode(t, "Refresh", err, "")
	for _, s := range []*embedded.Store{one, other} {
		if _, err := s.Verifier().Verify(t.Context(), fresh.AccessToken); err != nil {
			t.Errorf("Verify what was signed since: %v", err)
		}
	}
	if got := served(t, one); len(got) != 1 {
		t.Errorf("served: %v, want one", got)
	}
}

// TestUnreadableKeys tells what cannot be known from what is wrong.
func TestUnreadableKeys(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	member(t, directory(s), "alice")
	signed := signIn(t, directory(s), "alice").AccessToken
	if _, err := raw(t, dir).ExecContext(t.Context(), `UPDATE signing_keys SET private = x'00', id = 'x'`); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Key(t.Context(), "made up"); account.CodeOf(err) != account.CodeInternal {
		t.Errorf("an unknown key, of a file that cannot be read: got %v", err)
	}
	if _, err := s.Verifier().Verify(t.Context(), signed); err != nil {
		t.Errorf("a key that was read before: got %v", err)
	}
	if _, err := embedded.Open(t.Context(), embedded.Config{
		DataDir: t.TempDir(), Issuer: "i", ClientID: "c", KeyMaxAge: embedded.MinKeyMaxAge - 1,
	}); err == nil {
		t.Error("keys may change faster than they are published")
	}
}
