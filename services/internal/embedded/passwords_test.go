package embedded_test

import (
	"context"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/alexedwards/argon2id"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/account/accounttest"
	"spillway.example/services/internal/embedded"
)

// TestEqualWork counts the hashes of each way to fail: whoever waits for the answer
// must not learn from it who has an account.
func TestEqualWork(t *testing.T) {
	t.Parallel()
	var hashes atomic.Int64
	s := open(t, t.TempDir(), func(c *embedded.Config) { c.OnHash = func() { hashes.Add(1) } })
	d := directory(s)
	member(t, d, "alice")
	if _, err := d.SignUp(t.Context(), account.NewUser{Username: "waiting", Password: accounttest.Password}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, password string
		code           account.Code
	}{
		{"alice", accounttest.Password, ""},
		{"alice", "wrong", account.CodeInvalidCredentials},
		{"nobody", accounttest.Password, account.CodeInvalidCredentials},
		{"nobody", "", account.CodeInvalidCredentials},
		{"waiting", accounttest.Password, account.CodeNotConfirmed},
		{"waiting", "wrong", account.CodeInvalidCredentials},
	} {
		before := hashes.Load()
		_, err := d.SignIn(t.Context(), tt.name, tt.password)
		wantCode(t, "SignIn as "+tt.name, err, tt.code)
		if got := hashes.Load() - before; got != 1 {
			t.Errorf("SignIn as %s with %q: got %d hashes, want 1", tt.name, tt.password, got)
		}
	}
	for name, code := range map[string]account.Code{"alice": account.CodeUsernameTaken, "new": ""} {
		before := hashes.Load()
		_, err := d.SignUp(t.Context(), account.NewUser{Username: name, Password: accounttest.Password})
		wantCode(t, "SignUp as "+name, err, code)
		if got := hashes.Load() - before; got != 1 {
			t.Errorf("SignUp as %s: got %d hashes, want 1", name, got)
		}
	}
}

func TestHashIsMadeAnew(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	before := directory(open(t, dir))
	member(t, before, "alice")
	stored := func() string {
		return column[string](t, dir, `SELECT password FROM users WHERE username = 'alice'`)[0]
	}
	old := stored()

	stronger := embedded.Argon2{Memory: 64, Iterations: 3, Parallelism: 2}
	after := directory(open(t, dir, func(c *embedded.Config) { c.Argon2 = stronger }))
	_, err := after.SignIn(t.Context(), "alice", "wrong")
	wantCode(t, "SignIn with a wrong password", err, account.CodeInvalidCredentials)
	if stored() != old {
		t.Error("a wrong password changed the hash")
	}
	signIn(t, after, "alice")
	params, _, _, err := argon2id.DecodeHash(stored())
	if err != nil || params.Memory != 64 || params.Iterations != 3 || params.Parallelism != 2 {
		t.Errorf("got parameters %+v, %v, want %+v", params, err, stronger)
	}
	renewed := stored()
	signIn(t, after, "alice")
	if stored() != renewed {
		t.Error("a hash with the right parameters was made anew")
	}
}

// TestHashingIsBounded asks for many hashes at once, each of which waits: no more than
// there are cores are begun, no more than 64 for each wait, and a context that is done gives up
// its place.
func TestHashingIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var begun atomic.Int64
		hold := make(chan struct{})
		d := directory(open(t, t.TempDir(), func(c *embedded.Config) {
			c.OnHash = func() { begun.Add(1); <-hold }
		}))
		cores := int64(runtime.GOMAXPROCS(0))
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		var gaveUp, refused atomic.Int64
		for range 70 * cores {
			wg.Go(func() {
				_, err := d.SignIn(ctx, "nobody", "password")
				switch account.CodeOf(err) {
				case account.CodeUnavailable:
					gaveUp.Add(1)
				case account.CodeTooManyRequests:
					refused.Add(1)
				}
			})
		}
		synctest.Wait()
		if got := begun.Load(); got != cores {
			t.Errorf("got %d hashes at once, want %d", got, cores)
		}
		if got := refused.Load(); got != 6*cores {
			t.Errorf("got %d that were refused, want %d", got, 6*cores)
		}
		cancel()
		synctest.Wait()
		if got := gaveUp.Load(); got != 63*cores {
			t.Errorf("got %d that gave up, want the %d that waited", got, 63*cores)
		}
		close(hold)
		wg.Wait()
		if got := begun.Load(); got != cores {
			t.Errorf("got %d hashes in all, want %d", got, cores)
		}
	})
}

// TestUserChangesMeanwhile takes the user away while the right password is hashed, and
// puts another of the same name in the place.
func TestUserChangesMeanwhile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	other := directory(open(t, dir))
	var meanwhile func()
	d := directory(open(t, dir, func(c *embedded.Config) { c.OnHash = func() { meanwhile() } }))
	var alice account.UserID
	remove := func() {
		if err := other.DeleteUser(t.Context(), alice); err != nil {
			t.Error(err)
		}
	}
	add := func() { alice = member(t, other, "alice") }
	for name, f := range map[string]func(){
		"gone":    remove,
		"another": func() { remove(); add() },
	} {
		remove()
		add()
		meanwhile = f
		_, err := d.SignIn(t.Context(), "alice", accounttest.Password)
		wantCode(t, "SignIn, user "+name, err, account.CodeInvalidCredentials)
	}
}

// TestSecretsAreNotStored looks for what must not be in the file, in any form that
// could be used.
func TestSecretsAreNotStored(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	box := &postbox{}
	d := s.Directory(box)
	const password = "a password to be looked for"
	if _, err := d.SignUp(t.Context(), account.NewUser{Username: "alice", Password: password, Email: "alice@example.com"}); err != nil {
		t.Fatal(err)
	}
	code := box.code(t)
	content := string(everything(t, dir))
	for what, secret := range map[string]string{"password": password, "code": code} {
		if strings.Contains(content, secret) {
			t.Errorf("the %s is in the file", what)
		}
	}
	if err := d.Confirm(t.Context(), "alice", code); err != nil {
		t.Fatal(err)
	}
	tokens, err := d.SignIn(t.Context(), "alice", password)
	if err != nil {
		t.Fatal(err)
	}
	next, err := d.Refresh(t.Context(), tokens.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	content = string(everything(t, dir))
	for _, token := range []string{tokens.RefreshToken, next.RefreshToken} {
		if strings.Contains(content, token) || strings.Contains(content, string(decoded(t, token))) {
			t.Error("a refresh token is in the file")
		}
	}
}
