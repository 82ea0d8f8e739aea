package main

const (
	verifierFile    = "verify/verifier.go"
	parseFile       = "verify/parse.go"
	jwksFile        = "verify/jwks.go"
	keyFile         = "verify/key.go"
	revocationsFile = "verify/revocations.go"
	poolFile        = "services/internal/backend/pool.go"
	rereadFile      = "services/internal/embedded/reread.go"
)

// signature is the check of a token's signature.
const signature = "payload, err := jws.VerifyCompactFast(t.key.public, []byte(token), t.key.algorithm)"

// imports gives an edit that adds packages to a file that imports "errors".
func imports(file, packages string) edit { return edit{file, `"errors"`, "\"errors\"\n\t" + packages} }

// byHeader checks a token by the algorithm that its header names, as libraries did.
const byHeader = `
func byHeader(k Key, token string) ([]byte, error) {
	parts := strings.Split(token, ".")
	raw, _ := base64.RawURLEncoding.DecodeString(parts[0])
	var header struct{ Alg string }
	if err := json.Unmarshal(raw, &header); err != nil {
		return nil, err
	}
	switch strings.ToLower(header.Alg) {
	case "none":
		return base64.RawURLEncoding.DecodeString(parts[1])
	case "hs256":
		der, err := x509.MarshalPKIXPublicKey(k.public)
		if err != nil {
			return nil, err
		}
		return jws.VerifyCompactFast(der, []byte(token), jwa.HS256())
	}
	return jws.VerifyCompactFast(k.public, []byte(token), k.algorithm)
}

// key gives the key of an id.`

// tokens are the defences of who checks tokens.
func tokens() []defence {
	return []defence{{
		attack:  "`alg` none, HS256 with the public key, another algorithm",
		without: "the key's algorithm, and the library's look at it: the header's counts",
		edits: []edit{
			imports(verifierFile, "\"crypto/x509\"\n\t\"encoding/base64\"\n\t\"encoding/json\"\n\t\"github.com/lestrrat-go/jwx/v3/jwa\""),
			{verifierFile, signature, "payload, err := byHeader(t.key, token)"},
			{verifierFile, "\n// key gives the key of an id.", byHeader},
		},
		tests: []string{"local.TestForgedTokens", "verify.TestForgeries", "verify.FuzzVerify"},
	}, {
		attack:  "`alg` none, HS256 with the public key, another algorithm",
		without: "the signature: nobody checks it",
		edits: []edit{
			imports(verifierFile, `"encoding/base64"`),
			{verifierFile, signature, "_ = jws.VerifyCompactFast\n\tpayload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, \".\")[1])"},
		},
		tests: []string{"local.TestForgedTokens", "verify.TestForgeries", "verify.FuzzVerify"},
	}, {
		attack:  "a key that the token brings along (`jwk`, `jku`, `x5u`), another under our `kid`",
		without: "the issuer's set alone: the key in a header counts",
		edits: []edit{
			{verifierFile, signature, "if m, err := jws.Parse([]byte(token)); err == nil {\n\t\tif k, ok := m.Signatures()[0].ProtectedHeaders().JWK(); ok {\n\t\t\t_, t.key, _ = fromJWK(k)\n\t\t}\n\t}\n\t" + signature},
			{jwksFile, "if id, ok = k.KeyID(); !ok || id == \"\" {", "if id, ok = k.KeyID(); false {"},
		},
		tests: []string{"verify.TestForgeries"},
	}, {
		attack:  "a key that the token brings along (`jwk`, `jku`, `x5u`), another under our `kid`",
		without: "the issuer's set alone: a set that a header names is fetched",
		edits:   []edit{{verifierFile, signature, "if m, err := jws.Parse([]byte(token)); err == nil {\n\t\tif u, ok := m.Signatures()[0].ProtectedHeaders().JWKSetURL(); ok {\n\t\t\tt.key, _ = NewJWKS(u, nil, nil).Key(ctx, t.keyID)\n\t\t}\n\t}\n\t" + signature}},
		tests:   []string{"verify.TestForgeries"},
	}, {
		attack:  "a key that the token brings along (`jwk`, `jku`, `x5u`), another under our `kid`",
		without: "the issuer's set alone: a certificate that a header names is fetched",
		edits:   []edit{{verifierFile, signature, "if m, err := jws.Parse([]byte(token)); err == nil {\n\t\tif u, ok := m.Signatures()[0].ProtectedHeaders().X509URL(); ok {\n\t\t\t_, _ = http.Get(u)\n\t\t}\n\t}\n\t" + signature}},
		tests:   []string{"verify.TestForgeries"},
	}, {
		attack:  "a key that the token brings along (`jwk`, `jku`, `x5u`), another under our `kid`",
		without: "the refusal of unknown ids: the key that is there counts",
		edits:   []edit{{verifierFile, "case errors.Is(err, ErrUnknownKey):\n", "case errors.Is(err, ErrUnknownKey) && id != \"k1\":\n\t\treturn v.key(ctx, \"k1\")\n\tcase errors.Is(err, ErrUnknownKey):\n"}},
		tests:   []string{"verify.TestForgeries"},
	}, {
		attack:  "an id token, another pool's or client's token, an expired one, one from the future",
		without: "`token_use`",
		edits:   []edit{{verifierFile, "case c.Use != v.Use:", "case false:"}},
		tests:   []string{"verify.TestClaims", "verify.TestIDTokens", "local.TestForgedTokens"},
	}, {
		attack:  "an id token, another pool's or client's token, an expired one, one from the future",
		without: "`iss`",
		edits:   []edit{{verifierFile, "case c.Issuer != v.Issuer:", "case false:"}},
		tests:   []string{"verify.TestClaims"},
	}, {
		attack:  "an id token, another pool's or client's token, an expired one, one from the future",
		without: "`client_id`, and `aud` of an id token",
		edits:   []edit{{verifierFile, "case !slices.Contains(v.ClientIDs, c.ClientID):", "case false:"}},
		tests:   []string{"verify.TestClaims", "verify.TestIDTokens"},
	}, {
		attack:  "an id token, another pool's or client's token, an expired one, one from the future",
		without: "`exp`",
		edits:   []edit{{verifierFile, "case !now.Before(c.ExpiresAt.Add(v.Skew)):", "case false:"}},
		tests:   []string{"verify.TestClaims"},
	}, {
		attack:  "an id token, another pool's or client's token, an expired one, one from the future",
		without: "`iat`",
		edits:   []edit{{verifierFile, "case c.IssuedAt.After(now.Add(v.Skew)), ", "case "}},
		tests:   []string{"verify.TestClaims"},
	}, {
		attack:  "an id token, another pool's or client's token, an expired one, one from the future",
		without: "`nbf`",
		edits:   []edit{{verifierFile, ", notBefore.After(now.Add(v.Skew)):", ":"}},
		tests:   []string{"verify.TestClaims"},
	}, {
		attack:  "an id token, another pool's or client's token, an expired one, one from the future",
		without: "the same before Cognito is asked who bears a token",
		edits:   []edit{{poolFile, "if _, err := d.verifier.Offline(ctx, accessToken); err != nil {\n\t\treturn account.User{}, err", "if err := error(nil); err != nil {\n\t\treturn account.User{}, err"}},
		tests:   []string{"backend.TestTokenOfAnotherPool"},
	}, {
		attack:  "an id token, another pool's or client's token, an expired one, one from the future",
		without: "the same before Cognito is asked to change a password",
		edits:   []edit{{poolFile, "accessToken, current, password string) error {\n\tif _, err := d.verifier.Offline(ctx, accessToken); err != nil {", "accessToken, current, password string) error {\n\tif err := error(nil); err != nil {"}},
		tests:   []string{"backend.TestTokenOfAnotherPool"},
	}, {
		attack:  "an id token, another pool's or client's token, an expired one, one from the future",
		without: "the same before Cognito is asked to sign out everywhere",
		edits:   []edit{{poolFile, "SignOutEverywhere(ctx context.Context, accessToken string) error {\n\tif _, err := d.verifier.Offline(ctx, accessToken); err != nil {", "SignOutEverywhere(ctx context.Context, accessToken string) error {\n\tif err := error(nil); err != nil {"}},
		tests:   []string{"backend.TestTokenOfAnotherPool"},
	}, {
		attack:  "a claim or header twice, `CLIENT_ID` for `client_id`, padding, another alphabet, critical extensions",
		without: "names once",
		edits:   []edit{{parseFile, "if twice {", "if false {"}},
		tests:   []string{"verify.TestForgeries", "verify.FuzzClaims"},
	}, {
		attack:  "a claim or header twice, `CLIENT_ID` for `client_id`, padding, another alphabet, critical extensions",
		without: "names as they are written: their capitals count, too",
		edits:   []edit{{parseFile, "func (o object) text(name string) (string, error) {\n\tv := o.v.Get(name)\n", "func (o object) text(name string) (string, error) {\n\tv := o.v.Get(name)\n\tif v == nil {\n\t\tv = o.v.Get(strings.ToUpper(name))\n\t}\n"}},
		tests:   []string{"verify.TestClaims"},
	}, {
		attack:  "a claim or header twice, `CLIENT_ID` for `client_id`, padding, another alphabet, critical extensions",
		without: "one strict form",
		edits:   []edit{{parseFile, "if !compact(token) {", "if false && !compact(token) {"}},
		tests:   []string{"verify.TestForgeries", "verify.FuzzVerify"},
	}, {
		attack:  "a claim or header twice, `CLIENT_ID` for `client_id`, padding, another alphabet, critical extensions",
		without: "the library's look at `crit`",
		edits: []edit{
			imports(verifierFile, "\"crypto\"\n\t\"crypto/rsa\"\n\t\"encoding/base64\""),
			{verifierFile, signature, "payload, err := jws.VerifyCompactFast(t.key.public, []byte(token), t.key.algorithm)\n\tif errors.Is(err, jws.ErrCritPresent()) {\n\t\tparts := strings.Split(token, \".\")\n\t\tsum := sha256.Sum256([]byte(parts[0] + \".\" + parts[1]))\n\t\tsigned, _ := base64.RawURLEncoding.DecodeString(parts[2])\n\t\tif err = rsa.VerifyPKCS1v15(t.key.public.(*rsa.PublicKey), crypto.SHA256, sum[:], signed); err == nil {\n\t\t\tpayload, err = base64.RawURLEncoding.DecodeString(parts[1])\n\t\t}\n\t}"},
		},
		tests: []string{"verify.TestForgeries"},
	}, {
		attack:  "huge tokens",
		without: "16 KiB",
		edits:   []edit{{verifierFile, "if len(token) > maxToken {", "if false {"}},
		tests:   []string{"verify.TestForgeries"},
	}, {
		attack:  "a flood of tokens with made-up keys, to have the keys fetched",
		without: "the time between two fetches",
		edits:   []edit{{jwksFile, "due := s.clock.since(s.tried) >= rest", "due := true || s.clock.since(s.tried) >= rest"}},
		tests:   []string{"verify.TestUnknownKeyIsFetchedOnce"},
	}, {
		attack:  "a flood of tokens with made-up keys, to have the keys fetched",
		without: "one fetch at a time",
		edits: []edit{
			{jwksFile, "if s.fetching != nil && s.clock.since(s.tried) <= fetchTimeout {", "if false {"},
			{jwksFile, "due := s.clock.since(s.tried) >= rest", "due := s.fetching != nil || s.clock.since(s.tried) >= rest"},
		},
		tests: []string{"verify.TestManyWaitForOneFetch"},
	}, {
		attack:  "the same, to have the embedded store's file read",
		without: "the second between two readings",
		edits:   []edit{{rereadFile, "time.Until(r.last.Add(rereadAfter))", "time.Until(r.last.Add(rereadAfter))*0"}},
		tests:   []string{"embedded.TestUnknownKeysAreReadSeldom"},
	}, {
		attack:  "the same, to have the embedded store's file read",
		without: "the wait for the next reading: within the second the last one counts",
		edits: []edit{{
			rereadFile, "\tr := s.rereading.join(", "\ts.rereading.mu.Lock()\n\trests := time.Since(s.rereading.last) < rereadAfter\n\ts.rereading.mu.Unlock()\n\tif rests {\n\t\treturn s.known(ctx)\n\t}\n\tr := s.rereading.join(",
		}},
		tests: []string{"embedded.TestReplacedInAFlood"},
	}, {
		attack:  "taking the keys' endpoint down",
		without: "known keys, once a fetch has failed",
		edits:   []edit{{jwksFile, "s.fetching, s.failed = nil, err\n", "s.fetching, s.failed = nil, err\n\t\tif err != nil {\n\t\t\ts.keys = nil\n\t\t}\n"}},
		tests:   []string{"verify.TestEndpointDownThenBack"},
	}, {
		attack:  "taking the keys' endpoint down",
		without: "known keys, while a fetch is under way",
		edits:   []edit{{jwksFile, "case !known && (due || s.fetching != nil):", "case !known && due || s.fetching != nil:"}},
		tests:   []string{"verify.TestMadeUpKeysHurtNobody"},
	}, {
		attack:  "a token of a key that was withdrawn, to a service that was idle meanwhile",
		without: "the hour",
		edits:   []edit{{jwksFile, "s.keys == nil || s.clock.since(s.fetched) >= maxAge", "s.keys == nil"}},
		tests:   []string{"verify.TestOldKeysCountNoMore"},
	}, {
		attack:  "weak or foreign keys in the set",
		without: "2048 bits",
		edits:   []edit{{keyFile, "k.N.BitLen() < minRSA", "k.N.BitLen() < minRSA/2"}},
		tests:   []string{"verify.TestNewKey"}, // the library leaves such a key out of a set, too
	}, {
		attack:  "weak or foreign keys in the set",
		without: "the curve of ES256",
		edits:   []edit{{keyFile, "k.Curve != elliptic.P256()", "k.Curve == nil && k.Curve != elliptic.P256()"}},
		tests:   []string{"verify.TestNewKey"},
	}, {
		attack:  "weak or foreign keys in the set",
		without: "the use for signatures",
		edits:   []edit{{jwksFile, "use != jwk.ForSignature.String()", "use == jwk.ForSignature.String()+\"!\""}},
		tests:   []string{"verify.TestMixedSet"},
	}, {
		attack:  "weak or foreign keys in the set",
		without: "the algorithm that a key names",
		edits:   []edit{{jwksFile, "named.String() != key.algorithm.String()", "named.String() == \"\""}},
		tests:   []string{"verify.TestMixedSet"},
	}, {
		attack:  "weak or foreign keys in the set",
		without: "public keys alone: the public half of a private one counts",
		edits:   []edit{{keyFile, "case *rsa.PublicKey:", "case *ecdsa.PrivateKey:\n\t\treturn NewKey(&k.PublicKey)\n\tcase *rsa.PrivateKey:\n\t\treturn NewKey(&k.PublicKey)\n\tcase *rsa.PublicKey:"}},
		tests:   []string{"verify.TestMixedSet", "verify.TestNewKey"},
	}, {
		attack:  "a token of a key that was withdrawn, remembered as signed",
		without: "the look at the key",
		edits:   []edit{{verifierFile, "if known {", "if false {"}},
		tests:   []string{"verify.TestKnownTokensAreChecked", "embedded.TestReplaceKeys"},
	}, {
		attack:  "asking introspection without the secret, or learning why a token is not active",
		without: "the secret",
		edits:   []edit{{"services/internal/httpapi/secret.go", "if !isOneOf(secrets, shown) {", "if false && !isOneOf(secrets, shown) {"}},
		tests:   []string{"local.TestIntrospection"},
	}, {
		attack:  "asking introspection without the secret, or learning why a token is not active",
		without: "the look at the deny list for a token that is not good",
		edits:   []edit{{"services/internal/token/verifier.go", "if !good {\n", "if !good {\n\t\treturn verify.Claims{}, false, nil\n\t}\n\tif !good {\n"}},
		tests:   []string{"token.TestIntrospect"},
	}, {
		attack:  "passwords lost elsewhere",
		without: "`BREACHED_PASSWORDS_URL` for a sign-up",
		edits:   []edit{{"services/internal/account/registrar.go", "r.Breaches.Check(ctx, user.Password)", "error(nil)"}},
		tests:   []string{"local.TestBreachedPasswords"},
	}, {
		attack:  "passwords lost elsewhere",
		without: "the same for a password by a code",
		edits:   []edit{{"services/internal/account/reset.go", "s.Breaches.Check(ctx, password)", "error(nil)"}},
		tests:   []string{"local.TestBreachedPasswords"},
	}, {
		attack:  "passwords lost elsewhere",
		without: "the same for a changed password",
		edits:   []edit{{changeFile, "s.Breaches.Check(ctx, password)", "error(nil)"}},
		tests:   []string{"local.TestBreachedPasswords"},
	}, {
		attack:  "passwords lost elsewhere",
		without: "the same for one in the place of a temporary one",
		edits:   []edit{{"services/internal/account/challenge.go", "s.Breaches.Check(ctx, password)", "error(nil)"}},
		tests:   []string{"local.TestBreachedPasswords"},
	}}
}
