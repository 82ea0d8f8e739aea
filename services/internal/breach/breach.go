// Package breach asks whether a password has appeared in a breach, without telling which:
// the range search that Have I Been Pwned offers, and others with it
// (https://haveibeenpwned.com/API/v3#SearchingPwnedPasswordsByRange). It is asked for the
// first five hexadecimal digits of the password's SHA-1, which some hundreds of known
// passwords share, and we look for the rest among its answers.
package breach

import (
	"bufio"
	"context"
	"crypto/sha1" //nolint:gosec // the search's own hash; nothing rests on its strength
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"spillway.example/services/internal/account"
)

const (
	// patience is how long a sign-up waits for the answer.
	patience = time.Second
	// prefix is how many digits of the hash are sent.
	prefix = 5
	// maxAnswer bounds the answer; one is some 40 kB.
	maxAnswer = 1 << 20
)

// Ranges is an endpoint of the search.
type Ranges struct {
	base   *url.URL
	client *http.Client
}

var _ account.Breaches = (*Ranges)(nil)

// New makes Ranges of a base URL such as https://api.pwnedpasswords.com.
func New(base *url.URL) *Ranges {
	return &Ranges{base: base, client: &http.Client{
		Timeout: patience,
		// Whoever is redirected to would be told, too.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Has implements [account.Breaches].
func (r *Ranges) Has(ctx context.Context, password string) (bool, error) {
	sum := sha1.Sum([]byte(password)) //nolint:gosec // as above
	digits := strings.ToUpper(hex.EncodeToString(sum[:]))
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.base.JoinPath("range", digits[:prefix]).String(), nil)
	if err != nil {
		return false, fmt.Errorf("asking for breached passwords: %w", err)
	}
	req.Header.Set("Add-Padding", "true") // or the size of the answer would tell the prefix
	req.Header.Set("User-Agent", "spillway")
	res, err := r.client.Do(req)
	if err != nil {
		return false, fmt.Errorf("asking for breached passwords: %w", withoutURL(err))
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return false, fmt.Errorf("asking for breached passwords: %s", res.Status)
	}
	return find(io.LimitReader(res.Body, maxAnswer), digits[prefix:])
}

// find looks for the rest of a hash among lines of REST:COUNT. Padding has the count 0.
func find(answer io.Reader, rest string) (bool, error) {
	lines := bufio.NewScanner(answer)
	for lines.Scan() {
		suffix, count, ok := strings.Cut(strings.TrimSpace(lines.Text()), ":")
		if ok && strings.EqualFold(suffix, rest) && strings.TrimLeft(count, "0") != "" {
			return true, nil
		}
	}
	if err := lines.Err(); err != nil {
		return false, fmt.Errorf("reading breached passwords: %w", err)
	}
	return false, nil
}

// withoutURL takes the address off a client's error: it ends in the prefix.
func withoutURL(err error) error {
	if e, ok := err.(*url.Error); ok { //nolint:errorlint // http.Client gives it as it is
		return e.Err
	}
	return err
}
