package accounttest

import (
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"spillway.example/services/internal/account"
)

// Harness is one adapter, or a set of them that work together, under test. Stores
// may be shared by all tests of a run: every name the suites make is new.
type Harness struct {
	Directory account.Directory
	Claims    account.Claims
	Profiles  account.Profiles
	// Code gives the newest code sent to a user.
	Code func(t *testing.T, username, email string) string
	// ProfilesOf gives every stored profile with the username, by a scan: more
	// than one, or one that no claim knows, is an orphan.
	ProfilesOf func(t *testing.T, username string) []account.Profile
	// Work gives what was done so far that whoever watches the machine may see; nil where
	// the adapter does it elsewhere.
	Work func(t *testing.T) Work
	// Emulated says in what the directory is an emulator that differs from its real
	// service; what it cannot show is not asked of it.
	Emulated []Difference
}

// Work is what takes a machine its time.
type Work struct {
	Hashes  int // of passwords
	Commits int // waits for the disk
}

func (w Work) since(begun Work) Work {
	return Work{w.Hashes - begun.Hashes, w.Commits - begun.Commits}
}

// Password is good by every rule. Other passwords for tests are made from it.
const Password = "correct horse battery staple"

// Name makes a username that nobody else has.
func Name(base string) string { return base + "-" + strings.ToLower(rand.Text()[:12]) }

// Address makes an e-mail address that nobody else has.
func Address(base string) string { return Name(base) + "@example.com" }

// wantCode fails the test unless err has the code.
func wantCode(t *testing.T, what string, err error, want account.Code) {
	t.Helper()
	if got := account.CodeOf(err); got != want {
		t.Fatalf("%s: got code %q (%v), want %q", what, got, err, want)
	}
	if err != nil {
		if _, ok := errors.AsType[*account.Error](err); !ok {
			t.Fatalf("%s: got %T, want *account.Error", what, err)
		}
	}
}

// must gives v, or fails the test.
func must[T any](t *testing.T, what string, v T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	return v
}

// near says whether two times are the same for a store that may keep whole seconds.
func near(a, b time.Time) bool { return a.Sub(b).Abs() < 2*time.Second }

// message gives what an error tells the caller.
func message(err error) string {
	if e, ok := errors.AsType[*account.Error](err); ok {
		return e.Message
	}
	return ""
}
