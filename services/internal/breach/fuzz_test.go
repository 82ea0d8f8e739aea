package breach_test

import (
	"net/http"
	"strings"
	"testing"
)

// Whatever an endpoint answers, only the rest of the hash with a count finds a password.
func FuzzAnswer(f *testing.F) {
	rest := digits(breached)[5:]
	for _, s := range []string{"", rest + ":1", rest + ":0", rest + ":", strings.ToLower(rest) + ":12\r\n", ":::\n\x00", rest} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, answer string) {
		r := ranges(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(answer)) }))
		if found, err := r.Has(t.Context(), breached); err == nil && found && !strings.Contains(strings.ToUpper(answer), rest+":") {
			t.Fatalf("%q finds the password", answer)
		}
	})
}
