package mail_test

import (
	"net/url"
	"strings"
	"testing"

	"spillway.example/services/internal/mail"
)

// FuzzNewSMTP reads any text as an SMTP URL, with a password in it, and never shows
// the password.
func FuzzNewSMTP(f *testing.F) {
	for _, s := range [][2]string{
		{"smtp", "host:587?from=a@example.com"}, {"smtps", "host?from=A+<a@example.com>"},
		{"smtp", "[::1]:25?from=a@example.com&starttls=never"}, {"", ""}, {"smtp", "host:port"}, {"smtp", "%zz"},
	} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, scheme, rest string) {
		const secret = "Xq7Xq7Xq7"
		m, err := mail.NewSMTP(scheme + "://user:" + secret + "@" + rest)
		if (m == nil) == (err == nil) {
			t.Errorf("got %v and %v", m, err)
		}
		if err != nil && strings.Contains(err.Error(), secret) && !strings.Contains(scheme+rest, url.QueryEscape(secret)) {
			t.Errorf("the error shows the password: %v", err)
		}
	})
}
