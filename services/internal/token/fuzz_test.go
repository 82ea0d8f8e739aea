package token_test

import (
	"testing"

	"github.com/lestrrat-go/jwx/v3/jwa"

	"spillway.example/services/internal/account"
)

// FuzzVerify holds any text to be refused as no good token, unless it says what the
// one good token says.
func FuzzVerify(f *testing.F) {
	p := newPair(f, "k1", jwa.ES256())
	v := newVerifier(keys{pairs: []pair{p}})
	seed := sign(f, p, good(nil), nil)
	want, err := v.Claims(f.Context(), seed)
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{seed, seed + "=", "", "..", "{}", `{"payload":"e30","signatures":[{}]}`, "eyJhbGciOiJub25lIiwia2lkIjoiazEifQ.e30."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		switch got, err := v.Claims(t.Context(), s); {
		case err == nil && got != want:
			t.Errorf("%q: accepted as %+v", s, got)
		case err != nil && account.CodeOf(err) != account.CodeInvalidToken:
			t.Errorf("%q: got %v, want %q", s, err, account.CodeInvalidToken)
		}
	})
}
