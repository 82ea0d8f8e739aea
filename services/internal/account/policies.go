package account

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Policy names one budget. The names are part of the API: settings and the RateLimit
// fields have them.
type Policy string

// The budgets. A guess is anything that proves who somebody is: a password, a code.
const (
	GuessPair     Policy = "guess.pair"      // guesses for one account from one client address
	GuessAddress  Policy = "guess.address"   // guesses from one address that no success has made known for the account
	SignInAccount Policy = "sign_in.account" // passwords for one account, from all such addresses
	CodeAccount   Policy = "code.account"    // codes for one account, from all such addresses
	MailAddress   Policy = "mail.address"    // mails that one client address causes
	MailRecipient Policy = "mail.recipient"  // mails to one account or e-mail address
	SignUpAddress Policy = "sign_up.address" // sign-ups from one client address
)

// Policies are the limits of budgets. A budget that has none is not counted.
type Policies map[Policy]Limit

// DefaultPolicies are what holds where the settings say nothing. docs/limits.md says
// why they are what they are.
func DefaultPolicies() Policies {
	return Policies{
		GuessPair:     {{10, time.Minute}, {40, time.Hour}, {100, 24 * time.Hour}},
		GuessAddress:  {{60, time.Minute}, {2000, 24 * time.Hour}},
		SignInAccount: {{30, time.Hour}, {100, 24 * time.Hour}},
		CodeAccount:   {{10, time.Hour}, {30, 24 * time.Hour}},
		MailAddress:   {{10, time.Minute}, {30, time.Hour}, {100, 24 * time.Hour}},
		MailRecipient: {{3, time.Minute}, {6, time.Hour}, {20, 24 * time.Hour}},
		SignUpAddress: {{60, time.Hour}, {200, 24 * time.Hour}},
	}
}

// ParsePolicies reads the defaults with changes, such as
//
//	guess.address=600/1m,20000/24h; sign_up.address=off
//
// or "on" for no change, or "off" for no limits at all, for which it gives nil. An error
// names the entry.
func ParsePolicies(s string) (Policies, error) {
	policies := DefaultPolicies()
	switch strings.TrimSpace(s) {
	case "on":
		return policies, nil
	case "off":
		return nil, nil
	}
	said := map[Policy]bool{}
	for entry := range strings.SplitSeq(s, ";") {
		if entry = strings.TrimSpace(entry); entry == "" {
			continue
		}
		name, value, _ := strings.Cut(entry, "=")
		policy := Policy(strings.TrimSpace(name))
		if _, known := policies[policy]; !known {
			names := slices.Sorted(maps.Keys(DefaultPolicies()))
			return nil, fmt.Errorf("%q is none of the limits, which are %v", policy, names)
		}
		if said[policy] {
			return nil, fmt.Errorf("%s is there twice", policy)
		}
		said[policy] = true
		limit, err := parseLimit(strings.TrimSpace(value))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", policy, err)
		}
		policies[policy] = limit
	}
	return policies, nil
}

// parseLimit reads tiers such as 10/1m,40/1h, or "off".
func parseLimit(s string) (Limit, error) {
	if s == "off" {
		return nil, nil
	}
	var l Limit
	for text := range strings.SplitSeq(s, ",") {
		count, per, _ := strings.Cut(strings.TrimSpace(text), "/")
		n, err := strconv.ParseUint(count, 10, 24)
		d, err2 := time.ParseDuration(per)
		if err != nil || err2 != nil || n == 0 || d < time.Second || d > 31*24*time.Hour {
			return nil, fmt.Errorf("%q must be a count and a window of 1s to 744h, such as 10/1m, or off", text)
		}
		l = append(l, Tier{int(n), d})
	}
	if len(l) > MaxTiers {
		return nil, fmt.Errorf("has more than %d windows", MaxTiers)
	}
	return l, nil
}
