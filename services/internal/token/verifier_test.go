package token_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jws"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/token"
)

const (
	issuer = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_example"
	client = "4example"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// pair is a private key, with its id and algorithm, and the set that holds its public
// half.
type pair struct {
	raw     crypto.Signer
	private jwk.Key
	alg     jwa.SignatureAlgorithm
}

func newPair(tb testing.TB, id string, alg jwa.SignatureAlgorithm) pair {
	tb.Helper()
	var raw crypto.Signer
	var err error
	if alg == jwa.RS256() {
		raw, err = rsa.GenerateKey(rand.Reader, 2048)
	} else {
		raw, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	if err != nil {
		tb.Fatalf("making a key: %v", err)
	}
	private, err := jwk.Import(raw)
	if err != nil {
		tb.Fatalf("importing a key: %v", err)
	}
	for name, v := range map[string]any{jwk.KeyIDKey: id, jwk.AlgorithmKey: alg, jwk.KeyUsageKey: "sig"} {
		if err := private.Set(name, v); err != nil {
			tb.Fatalf("describing a key: %v", err)
		}
	}
	return pair{raw, private, alg}
}

// keys is a set of keys in memory.
type keys struct {
	pairs []pair
}

func (k keys) Key(_ context.Context, id string) (token.Key, error) {
	for _, p := range k.pairs {
		if has, _ := p.private.KeyID(); has == id {
			key, ok := token.NewKey(p.private)
			if !ok {
				return token.Key{}, errors.New("no good key")
			}
			return key, nil
		}
	}
	return token.Key{}, token.ErrUnknownKey
}

// good gives the claims of a good access token, as Cognito makes it, changed.
func good(change func(map[string]any)) map[string]any {
	c := map[string]any{
		"sub": "a-b-c", "iss": issuer, "client_id": client, "origin_jti": "o", "token_use": "access",
		"scope": "aws.cognito.signin.user.admin", "auth_time": now.Unix(), "iat": now.Unix(),
		"exp": now.Add(time.Hour).Unix(), "jti": "j", "username": "alice",
	}
	if change != nil {
		change(c)
	}
	return c
}

// sign makes a token of claims with a pair, and with more headers.
func sign(tb testing.TB, p pair, claims map[string]any, header map[string]any) string {
	tb.Helper()
	payload, err := json.Marshal(claims)
	if err != nil {
		tb.Fatalf("encoding claims: %v", err)
	}
	h := jws.NewHeaders()
	for name, v := range header {
		if err := h.Set(name, v); err != nil {
			tb.Fatalf("header %s: %v", name, err)
		}
	}
	signed, err := jws.Sign(payload, jws.WithKey(p.alg, p.private, jws.WithProtectedHeaders(h)))
	if err != nil {
		tb.Fatalf("signing: %v", err)
	}
	return string(signed)
}

func newVerifier(k token.Keys) *token.Verifier {
	return token.NewVerifier(token.Config{
		Issuer: issuer, ClientID: client, Keys: k, Now: func() time.Time { return now },
	})
}

func TestGoodTokens(t *testing.T) {
	t.Parallel()
	for _, alg := range []jwa.SignatureAlgorithm{jwa.RS256(), jwa.ES256()} {
		p := newPair(t, "k1", alg)
		v := newVerifier(keys{pairs: []pair{newPair(t, "k0", jwa.ES256()), p}})
		got, err := v.Claims(t.Context(), sign(t, p, good(nil), nil))
		if err != nil {
			t.Fatalf("%v: %v", alg, err)
		}
		want := token.Claims{Identity: account.Identity{
			UserID: "a-b-c", Username: "alice", SessionID: "o", Since: now, ExpiresAt: now.Add(time.Hour),
		}}
		if got != want {
			t.Errorf("%v: got %+v, want %+v", alg, got, want)
		}
		id, err := v.Verify(t.Context(), sign(t, p, good(nil), nil))
		if err != nil || id != want.Identity {
			t.Errorf("%v: Verify: got %+v, %v", alg, id, err)
		}
	}
}

func TestClaims(t *testing.T) {
	t.Parallel()
	p := newPair(t, "k1", jwa.ES256())
	v := newVerifier(keys{pairs: []pair{p}})
	at := func(d time.Duration) int64 { return now.Add(d).Unix() }
	set := func(name string, value any) func(map[string]any) {
		return func(c map[string]any) { c[name] = value }
	}
	without := func(name string) func(map[string]any) {
		return func(c map[string]any) { delete(c, name) }
	}
	for _, tt := range []struct {
		name   string
		change func(map[string]any)
		ok     bool
	}{
		{"another pool", set("iss", issuer+"2"), false},
		{"no issuer", without("iss"), false},
		{"another client", set("client_id", "other"), false},
		{"no client", without("client_id"), false},
		{"the client as audience", func(c map[string]any) { delete(c, "client_id"); c["aud"] = client }, false},
		{"an id token", func(c map[string]any) {
			delete(c, "client_id")
			c["aud"], c["token_use"] = client, "id"
		}, false},
		{"an id token with a client id", set("token_use", "id"), false},
		{"no use", without("token_use"), false},
		{"expired", set("exp", at(-time.Minute)), false},
		{"expired within the skew", set("exp", at(-29*time.Second)), true},
		{"expired by the skew", set("exp", at(-30*time.Second)), false},
		{"no expiry", without("exp"), false},
		{"an expiry that is no number", set("exp", "tomorrow"), false},
		{"issued in the future", set("iat", at(time.Minute)), false},
		{"issued in the future within the skew", set("iat", at(30*time.Second)), true},
		{"not issued", without("iat"), false},
		{"not yet good", set("nbf", at(time.Minute)), false},
		{"good from within the skew on", set("nbf", at(29*time.Second)), true},
		{"nobody", without("sub"), false},
		{"a subject without a name", set("sub", ""), false},
		{"a subject that is no text", set("sub", 7), false},
		{"no username", without("username"), true},
		{"a username that is no text", set("username", []string{"alice"}), false},
		{"no session", without("origin_jti"), true},
	} {
		_, err := v.Verify(t.Context(), sign(t, p, good(tt.change), nil))
		want := account.CodeInvalidToken
		if tt.ok {
			want = ""
		}
		if got := account.CodeOf(err); got != want {
			t.Errorf("%s: got %q (%v), want %q", tt.name, got, err, want)
		}
	}
}

// TestForgeries holds the verifier to what RFC 8725 and the CVEs before it warn of.
func TestForgeries(t *testing.T) {
	t.Parallel()
	ours, theirs := newPair(t, "k1", jwa.RS256()), newPair(t, "k1", jwa.RS256())
	unknown := newPair(t, "k2", jwa.RS256())
	v := newVerifier(keys{pairs: []pair{ours}})
	encode := base64.RawURLEncoding.EncodeToString
	payload, err := json.Marshal(good(nil))
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(sign(t, ours, good(nil), nil), ".")

	der, err := x509.MarshalPKIXPublicKey(ours.raw.Public())
	if err != nil {
		t.Fatal(err)
	}
	symmetric := func(secret []byte) string {
		signed, err := jws.Sign(payload, jws.WithKey(jwa.HS256(), secret, jws.WithProtectedHeaders(headers(t, "k1"))))
		if err != nil {
			t.Fatalf("signing: %v", err)
		}
		return string(signed)
	}
	public, err := ours.private.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	publicJSON, err := json.Marshal(public)
	if err != nil {
		t.Fatal(err)
	}
	ownKey, err := theirs.private.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	general, err := jws.Sign(payload, jws.WithJSON(), jws.WithKey(ours.alg, ours.private))
	if err != nil {
		t.Fatal(err)
	}

	for name, forged := range map[string]string{
		"alg none":                             encode([]byte(`{"alg":"none","kid":"k1"}`)) + "." + encode(payload) + ".",
		"alg None with the signature":          encode([]byte(`{"alg":"None","kid":"k1"}`)) + "." + parts[1] + "." + parts[2],
		"no alg":                               encode([]byte(`{"kid":"k1"}`)) + "." + parts[1] + "." + parts[2],
		"no signature":                         parts[0] + "." + parts[1] + ".",
		"HS256 with the public key as DER":     symmetric(der),
		"HS256 with the public key as JWK":     symmetric(publicJSON),
		"another algorithm of the same key":    sign(t, pair{ours.raw, reAlg(t, ours, jwa.RS512()), jwa.RS512()}, good(nil), nil),
		"another key under our id":             sign(t, theirs, good(nil), nil),
		"a key that brings itself along":       sign(t, theirs, good(nil), map[string]any{"jwk": ownKey}),
		"a key that says where it is":          sign(t, theirs, good(nil), map[string]any{"jku": "https://evil.example/jwks.json"}),
		"an unknown key":                       sign(t, unknown, good(nil), nil),
		"no key id":                            sign(t, pair{ours.raw, withoutID(t, ours), ours.alg}, good(nil), nil),
		"a critical extension":                 sign(t, ours, good(nil), map[string]any{"crit": []string{"exp"}, "exp": 1}),
		"another's payload":                    parts[0] + "." + encode([]byte(strings.Replace(string(payload), "alice", "mallory", 1))) + "." + parts[2],
		"JSON serialization":                   string(general),
		"raw claims":                           string(payload),
		"two tokens in one":                    strings.Join(parts, ".") + "." + strings.Join(parts, "."),
		"five parts, as if encrypted":          strings.Join(append(parts, parts[1:]...), "."),
		"nothing":                              "",
		"dots":                                 "..",
		"not base64":                           "!.!.!",
		"a header that is no object":           encode([]byte(`[]`)) + "." + parts[1] + "." + parts[2],
		"a key id that is no text":             encode([]byte(`{"alg":"RS256","kid":7}`)) + "." + parts[1] + "." + parts[2],
		"a very long token":                    sign(t, ours, good(func(c map[string]any) { c["groups"] = strings.Repeat("a", 16<<10) }), nil),
		"JSON serialization, nobody's":         `{"payload":"e30","signatures":[]}`,
		"white space inside":                   parts[0] + ". " + parts[1] + "." + parts[2],
		"padding":                              parts[0] + "=." + parts[1] + "." + parts[2],
		"claims that are no object":            signRaw(t, ours, `["sub"]`),
		"claims twice, the second the forgery": parts[0] + "." + encode([]byte(`{"sub":"x","sub":"y"}`)) + "." + parts[2],
	} {
		_, err := v.Verify(t.Context(), forged)
		if got := account.CodeOf(err); got != account.CodeInvalidToken {
			t.Errorf("%s: got %q (%v), want %q", name, got, err, account.CodeInvalidToken)
		}
	}
}

func headers(t *testing.T, id string) jws.Headers {
	t.Helper()
	h := jws.NewHeaders()
	if err := h.Set("kid", id); err != nil {
		t.Fatal(err)
	}
	return h
}

// reAlg gives the pair's key under another algorithm.
func reAlg(t *testing.T, p pair, alg jwa.SignatureAlgorithm) jwk.Key {
	t.Helper()
	k, err := p.private.Clone()
	if err == nil {
		err = k.Set(jwk.AlgorithmKey, alg)
	}
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func withoutID(t *testing.T, p pair) jwk.Key {
	t.Helper()
	k, err := p.private.Clone()
	if err == nil {
		err = k.Remove(jwk.KeyIDKey)
	}
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func signRaw(t *testing.T, p pair, payload string) string {
	t.Helper()
	signed, err := jws.Sign([]byte(payload), jws.WithKey(p.alg, p.private))
	if err != nil {
		t.Fatal(err)
	}
	return string(signed)
}

func TestKeysAway(t *testing.T) {
	t.Parallel()
	p := newPair(t, "k1", jwa.ES256())
	v := newVerifier(away{})
	_, err := v.Verify(t.Context(), sign(t, p, good(nil), nil))
	if got := account.CodeOf(err); got != account.CodeUnavailable {
		t.Errorf("got %q (%v), want %q", got, err, account.CodeUnavailable)
	}
	// What is no token at all is not worth asking for keys.
	_, err = v.Verify(t.Context(), "nonsense")
	if got := account.CodeOf(err); got != account.CodeInvalidToken {
		t.Errorf("nonsense: got %q (%v), want %q", got, err, account.CodeInvalidToken)
	}
}

type away struct{}

func (away) Key(context.Context, string) (token.Key, error) {
	return token.Key{}, errors.New("the keys are away")
}

func TestNewKey(t *testing.T) {
	t.Parallel()
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rs, es := newPair(t, "k", jwa.RS256()).raw, newPair(t, "k", jwa.ES256()).raw
	for _, tt := range []struct {
		name string
		raw  any
		set  map[string]any
		ok   bool
	}{
		{"RSA", rs, map[string]any{"kid": "k", "alg": "RS256", "use": "sig"}, true},
		{"RSA without an algorithm", rs, map[string]any{"kid": "k"}, true},
		{"RSA for another algorithm", rs, map[string]any{"kid": "k", "alg": "PS256"}, false},
		{"RSA for encryption", rs, map[string]any{"kid": "k", "use": "enc"}, false},
		{"RSA without an id", rs, map[string]any{"alg": "RS256"}, false},
		{"P-256", es, map[string]any{"kid": "k", "alg": "ES256"}, true},
		{"P-256 for RS256", es, map[string]any{"kid": "k", "alg": "RS256"}, false},
		{"P-384", p384, map[string]any{"kid": "k"}, false},
		{"a secret", []byte("a secret of some length, 32 bytes"), map[string]any{"kid": "k", "alg": "HS256"}, false},
	} {
		key, err := jwk.Import(tt.raw)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		for name, v := range tt.set {
			if err := key.Set(name, v); err != nil {
				t.Fatalf("%s: %v", tt.name, err)
			}
		}
		got, ok := token.NewKey(key)
		if ok != tt.ok {
			t.Errorf("%s: got %v, want %v", tt.name, ok, tt.ok)
		}
		if private, err := jwk.IsPrivateKey(got.Public); ok && (err != nil || private) {
			t.Errorf("%s: the key is still private", tt.name)
		}
	}
}

// BenchmarkVerify says what one check costs.
func BenchmarkVerify(b *testing.B) {
	for _, alg := range []jwa.SignatureAlgorithm{jwa.RS256(), jwa.ES256()} {
		p := newPair(b, "k1", alg)
		v := newVerifier(keys{pairs: []pair{p}})
		signed := sign(b, p, good(nil), nil)
		b.Run(alg.String(), func(b *testing.B) {
			for b.Loop() {
				if _, err := v.Verify(b.Context(), signed); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
