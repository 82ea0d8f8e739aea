package verify_test

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
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jws"

	"spillway.example/verify"
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
type keys []pair

func (k keys) Key(_ context.Context, id string) (verify.Key, error) {
	for _, p := range k {
		if has, _ := p.private.KeyID(); has == id {
			return verify.NewKey(p.raw.Public())
		}
	}
	return verify.Key{}, verify.ErrUnknownKey
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

// newVerifier makes a verifier over keys, changed as the test says.
func newVerifier(tb testing.TB, k verify.Keys, change ...func(*verify.Config)) *verify.Verifier {
	tb.Helper()
	c := verify.Config{Issuer: issuer, ClientIDs: []string{client}, Keys: k, Now: func() time.Time { return now }}
	for _, f := range change {
		f(&c)
	}
	v, err := verify.New(c)
	if err != nil {
		tb.Fatalf("New: %v", err)
	}
	return v
}

// wantKind fails the test unless err is of that kind, nil for none.
func wantKind(tb testing.TB, what string, err, want error) {
	tb.Helper()
	if want == nil && err != nil || !errors.Is(err, want) {
		tb.Errorf("%s: got %v, want %v", what, err, want)
	}
	if e, ok := errors.AsType[*verify.Error](err); err != nil && (!ok || e.Reason == "") {
		tb.Errorf("%s: got %T, want a *verify.Error with a reason", what, err)
	}
}

func TestGoodTokens(t *testing.T) {
	t.Parallel()
	for _, alg := range []jwa.SignatureAlgorithm{jwa.RS256(), jwa.ES256()} {
		p := newPair(t, "k1", alg)
		v := newVerifier(t, keys{newPair(t, "k0", jwa.ES256()), p})
		got, err := v.Verify(t.Context(), sign(t, p, good(func(c map[string]any) {
			c["cognito:groups"] = []string{"staff", "night"}
			c["scope"] = "a b/c"
			c["tenant"] = "blue"
		}), nil))
		if err != nil {
			t.Fatalf("%v: %v", alg, err)
		}
		var more struct{ Tenant string }
		if err := got.Decode(&more); err != nil || more.Tenant != "blue" {
			t.Errorf("Decode: got %+v, %v", more, err)
		}
		want := fmt.Sprintf("%+v", []any{
			"a-b-c", "alice", issuer, client, verify.Access, "j", "o", []string{"a", "b/c"}, []string{"staff", "night"},
			now, now, now.Add(time.Hour),
		})
		if got := fmt.Sprintf("%+v", []any{
			got.Subject, got.Username, got.Issuer, got.ClientID, got.Use, got.TokenID, got.SessionID, got.Scopes, got.Groups,
			got.SignedInAt, got.IssuedAt, got.ExpiresAt,
		}); got != want {
			t.Errorf("%v:\ngot  %s\nwant %s", alg, got, want)
		}
	}
}

// TestIDTokens checks id tokens where those are asked for: their client is the audience.
func TestIDTokens(t *testing.T) {
	t.Parallel()
	p := newPair(t, "k1", jwa.ES256())
	v := newVerifier(t, keys{p}, func(c *verify.Config) { c.Use = verify.ID })
	id := func(aud any, change func(map[string]any)) string {
		return sign(t, p, good(func(c map[string]any) {
			delete(c, "client_id")
			delete(c, "username")
			c["token_use"], c["cognito:username"], c["aud"] = "id", "alice", aud
			if change != nil {
				change(c)
			}
		}), nil)
	}
	for _, aud := range []any{client, []string{client}} {
		got, err := v.Verify(t.Context(), id(aud, nil))
		if err != nil || got.Username != "alice" || got.ClientID != client {
			t.Errorf("audience %v: got %+v, %v", aud, got, err)
		}
	}
	for name, bad := range map[string]string{
		"an access token":       sign(t, p, good(nil), nil),
		"another's":             id("other", nil),
		"of two":                id([]string{"other", client}, nil),
		"of none":               id([]string{}, nil),
		"a number":              id(7, nil),
		"a client, no audience": id(nil, func(c map[string]any) { delete(c, "aud"); c["client_id"] = client }),
	} {
		_, err := v.Verify(t.Context(), bad)
		wantKind(t, name, err, verify.ErrInvalidToken)
	}
}

func TestScopes(t *testing.T) {
	t.Parallel()
	p := newPair(t, "k1", jwa.ES256())
	v := newVerifier(t, keys{p}, func(c *verify.Config) { c.Scopes = []string{"orders/read", "orders/write"} })
	for scope, want := range map[string]error{
		"orders/write x orders/read": nil,
		"orders/read":                verify.ErrInsufficientScope,
		"orders/read orders/writes":  verify.ErrInsufficientScope,
		"":                           verify.ErrInsufficientScope,
	} {
		_, err := v.Verify(t.Context(), sign(t, p, good(func(c map[string]any) { c["scope"] = scope }), nil))
		wantKind(t, scope, err, want)
	}
	// What is not good at all is not told which scopes it lacks.
	_, err := v.Verify(t.Context(), sign(t, p, good(func(c map[string]any) { c["exp"] = 1; c["scope"] = "" }), nil))
	wantKind(t, "expired", err, verify.ErrInvalidToken)
}

func TestClaims(t *testing.T) {
	t.Parallel()
	p := newPair(t, "k1", jwa.ES256())
	v := newVerifier(t, keys{p})
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
		{"not good before a text", set("nbf", "now"), false},
		{"an expiry beyond all time", set("exp", 1e300), false},
		{"an expiry before all time", set("exp", -1), false},
		{"times with fractions", set("exp", float64(at(time.Minute))+0.5), true},
		{"claims in capitals", func(c map[string]any) { delete(c, "client_id"); c["CLIENT_ID"] = client }, false},
		{"groups that are no list", set("cognito:groups", 7), false},
		{"nobody", without("sub"), false},
		{"a subject without a name", set("sub", ""), false},
		{"a subject that is no text", set("sub", 7), false},
		{"no username", without("username"), true},
		{"a username that is no text", set("username", []string{"alice"}), false},
		{"no session", without("origin_jti"), true},
	} {
		_, err := v.Verify(t.Context(), sign(t, p, good(tt.change), nil))
		if tt.ok {
			wantKind(t, tt.name, err, nil)
		} else {
			wantKind(t, tt.name, err, verify.ErrInvalidToken)
		}
	}
}

// TestForgeries holds the verifier to what RFC 8725 and the CVEs before it warn of.
func TestForgeries(t *testing.T) {
	t.Parallel()
	ours, theirs := newPair(t, "k1", jwa.RS256()), newPair(t, "k1", jwa.RS256())
	unknown := newPair(t, "k2", jwa.RS256())
	v := newVerifier(t, keys{ours})
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

	// What a header says of where its key is leads here, where the forger's key is.
	elsewhere := newEndpoint(t, theirs)

	for name, forged := range map[string]string{
		"alg none":                           encode([]byte(`{"alg":"none","kid":"k1"}`)) + "." + encode(payload) + ".",
		"alg None with the signature":        encode([]byte(`{"alg":"None","kid":"k1"}`)) + "." + parts[1] + "." + parts[2],
		"no alg":                             encode([]byte(`{"kid":"k1"}`)) + "." + parts[1] + "." + parts[2],
		"no signature":                       parts[0] + "." + parts[1] + ".",
		"HS256 with the public key as DER":   symmetric(der),
		"HS256 with the public key as JWK":   symmetric(publicJSON),
		"another algorithm of the same key":  sign(t, pair{ours.raw, reAlg(t, ours, jwa.RS512()), jwa.RS512()}, good(nil), nil),
		"another key under our id":           sign(t, theirs, good(nil), nil),
		"a key that brings itself along":     sign(t, theirs, good(nil), map[string]any{"jwk": ownKey}),
		"a key that says where it is":        sign(t, theirs, good(nil), map[string]any{"jku": elsewhere.URL}),
		"an unknown key":                     sign(t, unknown, good(nil), nil),
		"our key under an unknown id":        sign(t, pair{ours.raw, withoutID(t, ours), ours.alg}, good(nil), map[string]any{"kid": "k9"}),
		"no key id":                          sign(t, pair{ours.raw, withoutID(t, ours), ours.alg}, good(nil), nil),
		"a critical extension":               sign(t, ours, good(nil), map[string]any{"crit": []string{"exp"}, "exp": 1}),
		"another's payload":                  parts[0] + "." + encode([]byte(strings.Replace(string(payload), "alice", "mallory", 1))) + "." + parts[2],
		"JSON serialization":                 string(general),
		"raw claims":                         string(payload),
		"two tokens in one":                  strings.Join(parts, ".") + "." + strings.Join(parts, "."),
		"five parts, as if encrypted":        strings.Join(append(parts, parts[1:]...), "."),
		"nothing":                            "",
		"dots":                               "..",
		"not base64":                         "!.!.!",
		"a header that is no object":         encode([]byte(`[]`)) + "." + parts[1] + "." + parts[2],
		"a key id that is no text":           encode([]byte(`{"alg":"RS256","kid":7}`)) + "." + parts[1] + "." + parts[2],
		"a very long token":                  sign(t, ours, good(func(c map[string]any) { c["groups"] = strings.Repeat("a", 16<<10) }), nil),
		"JSON serialization, nobody's":       `{"payload":"e30","signatures":[]}`,
		"white space inside":                 parts[0] + ". " + parts[1] + "." + parts[2],
		"padding":                            parts[0] + "=." + parts[1] + "." + parts[2],
		"a key that comes with certificates": sign(t, theirs, good(nil), map[string]any{"x5u": elsewhere.URL}),
		"claims that are no object":          signRaw(t, ours, `["sub"]`),
		"claims that are no JSON":            signRaw(t, ours, string(payload)+"x"),
		"a claim twice":                      signRaw(t, ours, `{"sub":"mallory",`+string(payload[1:])),
		"a claim twice, one of them escaped": signRaw(t, ours, `{"s\u0075b":"mallory",`+string(payload[1:])),
		"a header member twice":              encode([]byte(`{"alg":"none","alg":"RS256","kid":"k1"}`)) + "." + parts[1] + "." + parts[2],
		"padding of the signature":           strings.Join(parts, ".") + "==",
		"another alphabet":                   parts[0] + "." + parts[1] + "." + strings.NewReplacer("-", "+", "_", "/").Replace(parts[2]) + "+",
	} {
		_, err := v.Verify(t.Context(), forged)
		wantKind(t, name, err, verify.ErrInvalidToken)
	}
	elsewhere.wantAsked(t, "by what headers say", 0)
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

func signRaw(t testing.TB, p pair, payload string) string {
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
	v := newVerifier(t, away{})
	_, err := v.Verify(t.Context(), sign(t, p, good(nil), nil))
	wantKind(t, "a token", err, verify.ErrUnavailable)
	// What is no token at all is not worth asking for keys.
	_, err = v.Verify(t.Context(), "nonsense")
	wantKind(t, "nonsense", err, verify.ErrInvalidToken)
}

type away struct{}

func (away) Key(context.Context, string) (verify.Key, error) {
	return verify.Key{}, errors.New("the keys are away")
}

// empty has a key that is for nothing.
type empty struct{}

func (empty) Key(context.Context, string) (verify.Key, error) { return verify.Key{}, nil }

func TestNewKey(t *testing.T) {
	t.Parallel()
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	rs, es := newPair(t, "k", jwa.RS256()).raw, newPair(t, "k", jwa.ES256()).raw
	for name, tt := range map[string]struct {
		key crypto.PublicKey
		ok  bool
	}{
		"RSA": {rs.Public(), true}, "P-256": {es.Public(), true},
		"RSA of 1024 bits": {small.Public(), false}, "P-384": {p384.Public(), false},
		"a private key": {rs, false}, "a secret": {[]byte("a secret"), false}, "nothing": {nil, false}, "no RSA key": {&rsa.PublicKey{}, false},
	} {
		if _, err := verify.NewKey(tt.key); (err == nil) != tt.ok {
			t.Errorf("%s: got %v, want it taken: %v", name, err, tt.ok)
		}
	}
	_, err = newVerifier(t, empty{}).Verify(t.Context(), sign(t, newPair(t, "k", jwa.ES256()), good(nil), nil))
	wantKind(t, "a key that is for nothing", err, verify.ErrInvalidToken)
}

func TestConfig(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*verify.Config){
		"Issuer":        func(c *verify.Config) { c.Issuer = "" },
		"ClientIDs":     func(c *verify.Config) { c.ClientIDs = []string{client, ""} },
		"Use":           func(c *verify.Config) { c.Use = "refresh" },
		"Skew":          func(c *verify.Config) { c.Skew = -1 },
		"RevokedWithin": func(c *verify.Config) { c.RevokedWithin = -1 },
		"Revocations":   func(c *verify.Config) { c.Use, c.Revocations = verify.ID, &list{} },
		"JWKSURL":       func(c *verify.Config) { c.Issuer = "urn:spillway:embedded" },
	} {
		c := verify.Config{Issuer: issuer, ClientIDs: []string{client}}
		change(&c)
		if _, err := verify.New(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error that names %s", err, want)
		}
	}
	v, err := verify.New(verify.Config{Issuer: issuer, ClientIDs: []string{client}})
	if err != nil || v.JWKSURL != issuer+"/.well-known/jwks.json" {
		t.Errorf("got keys at %v, %v", v, err)
	}
}

// BenchmarkVerify says what one check costs; bench/verify compares it with its peers.
func BenchmarkVerify(b *testing.B) {
	for _, alg := range []jwa.SignatureAlgorithm{jwa.RS256(), jwa.ES256()} {
		p := newPair(b, "k1", alg)
		v := newVerifier(b, keys{p})
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
