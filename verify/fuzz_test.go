package verify_test

import (
	"encoding/base64"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/lestrrat-go/jwx/v3/jwa"

	"spillway.example/verify"
)

// FuzzVerify holds any text to be refused as no good token, unless it says what the
// one good token says, in the one form that tokens have.
func FuzzVerify(f *testing.F) {
	p := newPair(f, "k1", jwa.ES256())
	v := newVerifier(f, keys{p})
	seed := sign(f, p, good(nil), nil)
	want, err := v.Verify(f.Context(), seed)
	if err != nil {
		f.Fatal(err)
	}
	parts := strings.Split(seed, ".")
	theirs, err := json.Marshal(good(func(c map[string]any) { c["sub"] = "mallory" }))
	if err != nil {
		f.Fatal(err)
	}
	payload := base64.RawURLEncoding.EncodeToString(theirs)
	const none = "eyJhbGciOiJub25lIiwia2lkIjoiazEifQ." // {"alg":"none","kid":"k1"}
	for _, s := range []string{
		seed, seed + "=", seed + "==", "", "..", "{}", `{"payload":"e30","signatures":[{}]}`, none + "e30.",
		none + payload + ".", parts[0] + "." + payload + "." + parts[2],
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		switch got, err := v.Verify(t.Context(), s); {
		case err == nil && (got.Subject != want.Subject || got.TokenID != want.TokenID):
			t.Errorf("%q: accepted as %+v", s, got)
		case err == nil && !oneForm.MatchString(s):
			t.Errorf("%q: accepted", s)
		case err != nil:
			wantKind(t, s, err, verify.ErrInvalidToken)
		}
	})
}

// oneForm is the compact serialization (RFC 7515 section 7.1).
var oneForm = regexp.MustCompile(`^[\w-]+\.[\w-]+\.[\w-]+$`)

// FuzzClaims signs any claims: whatever they are, a good key makes no good token of what
// is another's, of another use, or nobody's, nor of what another reader would take for that,
// who goes by the last of two claims of one name.
func FuzzClaims(f *testing.F) {
	p := newPair(f, "k1", jwa.ES256())
	v := newVerifier(f, keys{p})
	for _, s := range []string{
		`{}`, `[]`, `{"sub":"a","sub":"b"}`, `{"exp":1e999}`, `{"aud":[1]}`, `{"cognito:groups":{"a":1}}`,
		`{"sub":"a","iss":"` + issuer + `","client_id":"` + client + `","token_use":"access","iat":1772366400,"exp":1772370000,"client_id":"other"}`,
		`{"sub":"a","iss":"` + issuer + `","client_id":"` + client + `","token_use":"access","iat":1772366400,"exp":1772370000}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := v.Verify(t.Context(), signRaw(t, p, s))
		if err != nil {
			wantKind(t, s, err, verify.ErrInvalidToken)
			return
		}
		if c.Subject == "" || c.Issuer != issuer || c.ClientID != client || c.Use != verify.Access || !now.Before(c.ExpiresAt.Add(verify.DefaultSkew)) {
			t.Errorf("%q: accepted as %+v", s, c)
		}
		var read map[string]any
		if err := c.Decode(&read); err == nil && (read["iss"] != issuer || read["client_id"] != client || read["token_use"] != string(verify.Access)) {
			t.Errorf("%q: accepted as %+v, where another reads %v", s, c, read)
		}
	})
}
