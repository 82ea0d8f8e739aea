package verify_test

import (
	"testing"

	"github.com/lestrrat-go/jwx/v3/jwa"

	"spillway.example/verify"
)

// FuzzVerify holds any text to be refused as no good token, unless it says what the
// one good token says.
func FuzzVerify(f *testing.F) {
	p := newPair(f, "k1", jwa.ES256())
	v := newVerifier(f, keys{p})
	seed := sign(f, p, good(nil), nil)
	want, err := v.Verify(f.Context(), seed)
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{seed, seed + "=", "", "..", "{}", `{"payload":"e30","signatures":[{}]}`, "eyJhbGciOiJub25lIiwia2lkIjoiazEifQ.e30."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		switch got, err := v.Verify(t.Context(), s); {
		case err == nil && (got.Subject != want.Subject || got.TokenID != want.TokenID):
			t.Errorf("%q: accepted as %+v", s, got)
		case err != nil:
			wantKind(t, s, err, verify.ErrInvalidToken)
		}
	})
}

// FuzzClaims signs any claims: whatever they are, a good key makes no good token of what
// is another's, of another use, or nobody's.
func FuzzClaims(f *testing.F) {
	p := newPair(f, "k1", jwa.ES256())
	v := newVerifier(f, keys{p})
	for _, s := range []string{
		`{}`, `[]`, `{"sub":"a","sub":"b"}`, `{"exp":1e999}`, `{"aud":[1]}`, `{"cognito:groups":{"a":1}}`,
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
	})
}
