package account_test

import (
	"testing"

	"spillway.example/services/internal/account"
)

// Whatever the setting says, what is read from it can be counted by.
func FuzzParsePolicies(f *testing.F) {
	for _, s := range []string{"on", "off", "", "guess.address=600/1m,20000/24h; sign_up.address=off", "guess.pair=1/1s", "code.account=16777215/744h"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		policies, err := account.ParsePolicies(s)
		if err != nil {
			return
		}
		for name, limit := range policies {
			if len(limit) > account.MaxTiers {
				t.Fatalf("%q: %s has %d windows", s, name, len(limit))
			}
			for _, tier := range limit {
				if tier.Interval() <= 0 || tier.Tolerance() < 0 {
					t.Fatalf("%q: %s has %v every %v, %v at once", s, name, tier, tier.Interval(), tier.Tolerance())
				}
			}
		}
	})
}

// Folding a name twice is folding it once, and what is admitted has one shape.
func FuzzFoldUsername(f *testing.F) {
	for _, s := range []string{"Alice", "ALİCE", "Straße", "аlice", "tanaka田中", "a@example.com", "e\u0301milie"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once, err := account.FoldUsername(s)
		if err != nil {
			return
		}
		if twice, err := account.FoldUsername(once); err != nil || twice != once {
			t.Fatalf("%+q folds to %+q and that to %+q, %v", s, once, twice, err)
		}
	})
}
