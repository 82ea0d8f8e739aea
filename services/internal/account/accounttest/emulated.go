package accounttest

import (
	"slices"
	"strings"
	"testing"
)

// Difference is what an emulated directory does otherwise than its real service, or cannot
// show. docs/emulators.md says more of each, and what stands in for it.
type Difference string

// The differences that are known.
const (
	ConstantCode       Difference = "every code is the same, so that a newer one voids none"
	ConfirmsTwice      Difference = "a user who is confirmed can be confirmed again"
	NeverVerifies      Difference = "confirming by code leaves the address unverified, so that no notice goes to it"
	AnySession         Difference = "the session of a challenge is not looked at"
	WaitsAloud         Difference = "whoever has a wrong password is told that an account waits"
	ForgetsUnconfirmed Difference = "a code for a new password is made for a user who is not confirmed, or has no address"
)

// LessShown gives, by suite and behaviour, what is not asked of an emulator that differs so.
// A test that leaves something out without being listed here fails.
func LessShown() map[string][]Difference {
	return map[string][]Difference{
		"directory/a newer code voids the older":                     {ConstantCode},
		"directory/challenge of a temporary password":                {AnySession},
		"directory/find, confirm and delete by own right":            {ConfirmsTwice},
		"directory/forgotten password":                               {ConstantCode},
		"directory/forgotten password of nobody":                     {ForgetsUnconfirmed},
		"directory/sign up with an address and confirm":              {NeverVerifies, WaitsAloud},
		"life/an address given to the directory alone gets no code":  {NeverVerifies},
		"life/change the address":                                    {NeverVerifies},
		"life/change the password":                                   {NeverVerifies},
		"life/forgotten password":                                    {NeverVerifies},
		"saga/a crash at every step":                                 {NeverVerifies},
		"saga/a crash at every step, and the same request again":     {NeverVerifies},
		"saga/a lease keeps others out, then a sign-up supersedes":   {ConstantCode},
		"saga/an address whose account waits gets the common answer": {ConstantCode},
	}
}

// lacks says whether the directory under test differs so.
func (h Harness) lacks(t *testing.T, d Difference) bool {
	t.Helper()
	if !slices.Contains(h.Emulated, d) {
		return false
	}
	path := strings.Split(strings.ReplaceAll(t.Name(), "_", " "), "/")
	for name, differences := range LessShown() {
		_, behaviour, _ := strings.Cut(name, "/")
		if slices.Contains(path, behaviour) && slices.Contains(differences, d) {
			return true
		}
	}
	t.Errorf("LessShown does not list that here %s", d)
	return true
}
