package accounttest

import (
	"context"
	"regexp"
	"slices"
	"testing"
	"time"

	"spillway.example/services/internal/account"
)

// settled makes a confirmed claim with a proven address.
func settled(t *testing.T, h Harness) account.Claim {
	t.Helper()
	c, _ := attached(t, h, newClaim(Name("settled")))
	_, err := h.Claims.Settle(context.Background(), account.Settlement{Username: c.Username, Attempt: c.Attempt, UserID: c.UserID, Email: c.Email, At: epoch})
	wantCode(t, "Settle", err, "")
	return c
}

func anotherAddress(t *testing.T, h Harness) {
	ctx := context.Background()
	c, other := settled(t, h), settled(t, h)
	_, err := h.Claims.TryEmailChange(ctx, c.UserID)
	wantCode(t, "TryEmailChange of none", err, account.CodeNotFound)
	_, err = h.Claims.FindEmailChange(ctx, c.UserID)
	wantCode(t, "FindEmailChange of none", err, account.CodeNotFound)
	nobodys := account.EmailChange{UserID: account.UserID(Name("nobody")), To: Address("nobody"), ExpiresAt: time.Now().Add(time.Hour)}
	wantCode(t, "PutEmailChange of no account", h.Claims.PutEmailChange(ctx, nobodys), account.CodeNotFound)
	_, err = h.Claims.FindEmailChange(ctx, nobodys.UserID)
	wantCode(t, "FindEmailChange of no account", err, account.CodeNotFound)
	for _, to := range []string{Address("older"), Address("newer")} {
		change := account.EmailChange{
			UserID: c.UserID, From: c.Email, To: to, Salt: []byte("salt"), Hash: []byte("hash"), ExpiresAt: time.Now().Add(time.Hour).UTC(),
		}
		wantCode(t, "PutEmailChange", h.Claims.PutEmailChange(ctx, change), "")
		tries := 0
		for range 2 {
			got, err := h.Claims.TryEmailChange(ctx, c.UserID)
			must(t, "TryEmailChange", got, err)
			if got.To != to || got.From != c.Email || got.Tries <= tries || string(got.Hash) != "hash" || string(got.Salt) != "salt" || !near(got.ExpiresAt, change.ExpiresAt) {
				t.Errorf("TryEmailChange: got %+v after try %d, want one more of %+v", got, tries, change)
			}
			found, err := h.Claims.FindEmailChange(ctx, c.UserID)
			must(t, "FindEmailChange", found, err)
			if found.To != to || found.Tries != got.Tries {
				t.Errorf("FindEmailChange: got %+v, want %+v", found, got)
			}
			tries = got.Tries
		}
	}
	for range 2 {
		wantCode(t, "DropEmailChange", h.Claims.DropEmailChange(ctx, c.UserID), "")
	}
	_, err = h.Claims.TryEmailChange(ctx, c.UserID)
	wantCode(t, "TryEmailChange of a dropped one", err, account.CodeNotFound)

	move := account.EmailMove{Username: c.Username, UserID: c.UserID, To: Address("moved"), At: epoch.Add(time.Hour)}
	taken := move
	taken.To = other.Email
	owned, err := h.Claims.MoveEmail(ctx, taken)
	wantCode(t, "MoveEmail to another's", err, "")
	if owned {
		t.Error("MoveEmail: the address is another's and counts as owned")
	}
	foreign := move
	foreign.UserID = other.UserID
	_, err = h.Claims.MoveEmail(ctx, foreign)
	wantCode(t, "MoveEmail under another's name", err, account.CodeConflict)
	foreign.Username = Name("none")
	_, err = h.Claims.MoveEmail(ctx, foreign)
	wantCode(t, "MoveEmail under no name", err, account.CodeNotFound)
	for range 2 {
		owned, err := h.Claims.MoveEmail(ctx, move)
		wantCode(t, "MoveEmail", err, "")
		if !owned {
			t.Error("MoveEmail: the address is not owned")
		}
	}
	wantOwner(t, h, move.To, c.UserID)
	wantOwner(t, h, c.Email, "")
	wantOwner(t, h, other.Email, other.UserID)
	p, err := h.Profiles.Get(ctx, c.UserID)
	must(t, "Get", p, err)
	if p.Email != move.To || !p.EmailVerified || p.Version != 3 || !near(p.UpdatedAt, move.At) {
		t.Errorf("profile after MoveEmail: %+v", p)
	}
	// Of many who move to one address at once, one gets there.
	to := Address("wanted")
	movers := make(chan account.Claim, 5)
	for range cap(movers) {
		movers <- settled(t, h)
	}
	won := race(t, cap(movers), func(ctx context.Context) (bool, error) {
		c := <-movers
		return h.Claims.MoveEmail(ctx, account.EmailMove{Username: c.Username, UserID: c.UserID, To: to, At: epoch})
	})
	if won != 1 {
		t.Errorf("%d moved to one address, want 1", won)
	}
	wantCode(t, "Retire", h.Claims.Retire(ctx, c.Username, c.UserID, epoch), "")
	move.To = Address("late")
	_, err = h.Claims.MoveEmail(ctx, move)
	wantCode(t, "MoveEmail of a retired account", err, account.CodeConflict)
}

// wantOwner fails unless an address is a user's, or nobody's.
func wantOwner(t *testing.T, h Harness, email string, want account.UserID) {
	t.Helper()
	got, err := h.Claims.EmailOwner(context.Background(), email)
	if account.CodeOf(err) == account.CodeNotFound {
		err = nil
	}
	if err != nil || got != want {
		t.Errorf("owner of an address: got %q, %v, want %q", got, err, want)
	}
}

var sixDigits = regexp.MustCompile(`\b\d{6}\b`)

// mailed gives the newest code that we mailed to an address ourselves.
func (s *saga) mailed(email string) string {
	s.Helper()
	for _, m := range slices.Backward(s.mails.Mails(email)) {
		if code := sixDigits.FindString(m.Text); code != "" {
			return code
		}
	}
	s.Fatalf("no code was mailed")
	return ""
}

func lifeEmail(s *saga) {
	ctx := context.Background()
	name, from, to := Name("moving"), Address("from"), Address("to")
	s.join(name, from)
	_, who := s.enter(name)
	for what, tt := range map[string]struct {
		email, password string
		want            account.Code
	}{
		"what is no address": {"nowhere", Password, account.CodeInvalid},
		"a wrong password":   {to, "not the password", account.CodeWrongPassword},
	} {
		wantCode(s.T, "ChangeEmail with "+what, s.registrar.ChangeEmail(ctx, who, tt.email, tt.password), tt.want)
	}
	if !s.lacks(s.T, NeverVerifies) { // or the directory's address is to be set
		wantCode(s.T, "ChangeEmail to the same address", s.registrar.ChangeEmail(ctx, who, from, Password), account.CodeInvalid)
	}
	_, err := s.registrar.ConfirmEmail(ctx, who, "123456")
	wantCode(s.T, "ConfirmEmail of no change", err, account.CodeMismatch)

	wantCode(s.T, "ChangeEmail", s.registrar.ChangeEmail(ctx, who, to, Password), "")
	code := s.mailed(to)
	_, err = s.registrar.ConfirmEmail(ctx, who, wrong(code))
	wantCode(s.T, "ConfirmEmail with a wrong code", err, account.CodeMismatch)
	_, err = s.registrar.ConfirmEmail(ctx, account.Identity{UserID: "another", Username: name}, code)
	wantCode(s.T, "ConfirmEmail of another's", err, account.CodeMismatch)
	s.wantWhole(name, from)
	p, err := s.registrar.ConfirmEmail(ctx, who, code)
	must(s.T, "ConfirmEmail", p, err)
	if p.Email != to || !p.EmailVerified {
		s.Errorf("ConfirmEmail: got %+v", p)
	}
	s.wantMoved(name, from, to)
	wantCode(s.T, "ChangeEmail to the address it has", s.registrar.ChangeEmail(ctx, who, to, Password), account.CodeInvalid)
	_, err = s.registrar.ConfirmEmail(ctx, who, code)
	wantCode(s.T, "ConfirmEmail again", err, account.CodeMismatch)
	if got := s.notices(from, "another address"); got != 1 {
		s.Errorf("the older address was told %d times, want once", got)
	}
	// The address that was left is free, and a code is good for an hour and five tries.
	s.join(Name("successor"), from)
	wantCode(s.T, "ChangeEmail", s.registrar.ChangeEmail(ctx, who, Address("late"), Password), "")
	s.clock.Advance(time.Hour)
	_, err = s.registrar.ConfirmEmail(ctx, who, "000000")
	wantCode(s.T, "ConfirmEmail too late", err, account.CodeExpired)
	third := Address("third")
	wantCode(s.T, "ChangeEmail", s.registrar.ChangeEmail(ctx, who, third, Password), "")
	for range 5 {
		_, err = s.registrar.ConfirmEmail(ctx, who, wrong(s.mailed(third)))
		wantCode(s.T, "ConfirmEmail with a wrong code", err, account.CodeMismatch)
	}
	_, err = s.registrar.ConfirmEmail(ctx, who, s.mailed(third))
	wantCode(s.T, "ConfirmEmail after five tries", err, account.CodeExpired)
}

// wantMoved fails unless an account has its new address everywhere, and the older is free.
func (s *saga) wantMoved(name, from, to string) {
	s.Helper()
	s.wantWhole(name, to)
	u, err := s.Directory.FindUser(context.Background(), name)
	must(s.T, "FindUser", u, err)
	if u.Email != to || !u.EmailVerified {
		s.Errorf("the directory has the address %q, verified %v, want %q", u.Email, u.EmailVerified, to)
	}
	wantOwner(s.T, s.Harness, from, "")
}

func lifeEmailTaken(s *saga) {
	ctx := context.Background()
	name, from, owned := Name("moving"), Address("from"), Address("owned")
	s.join(name, from)
	s.join(owned, owned)
	_, who := s.enter(name)
	wantCode(s.T, "ChangeEmail to another's", s.registrar.ChangeEmail(ctx, who, owned, Password), "")
	if got := s.notices(owned, "belongs to your account"); got != 1 {
		s.Errorf("the owner was told %d times, want once", got)
	}
	_, err := s.registrar.ConfirmEmail(ctx, who, "123456")
	wantCode(s.T, "ConfirmEmail", err, account.CodeMismatch)

	// Whoever asks must not learn which of two addresses has an account: neither by the wish
	// that is left, nor by an older code, nor by how often a code may be tried.
	seen := map[string][]account.Code{}
	for _, address := range []string{owned, Address("free")} {
		own := Address("own")
		wantCode(s.T, "ChangeEmail", s.registrar.ChangeEmail(ctx, who, own, Password), "")
		older := s.mailed(own)
		wantCode(s.T, "ChangeEmail", s.registrar.ChangeEmail(ctx, who, address, Password), "")
		if wish, err := s.Claims.FindEmailChange(ctx, who.UserID); err != nil || wish.To != address {
			s.Errorf("the wish is for %q, want %q (%v)", wish.To, address, err)
		}
		for range 7 {
			_, err := s.registrar.ConfirmEmail(ctx, who, older)
			seen[address] = append(seen[address], account.CodeOf(err))
		}
		if !slices.Equal(seen[address], seen[owned]) {
			s.Errorf("the older code: %v for a free address, %v for one that is owned", seen[address], seen[owned])
		}
	}

	// Somebody else proves the address before the code is used.
	to := Address("to")
	wantCode(s.T, "ChangeEmail", s.registrar.ChangeEmail(ctx, who, to, Password), "")
	code := s.mailed(to)
	s.join(Name("faster"), to)
	_, err = s.registrar.ConfirmEmail(ctx, who, code)
	wantCode(s.T, "ConfirmEmail of an address that another has proven", err, account.CodeConflict)
	s.wantWhole(name, from)
}

// lifeEmailCrashes interrupts the proof of an address at every call to a port, before it
// and after it, and makes the same request again.
func lifeEmailCrashes(s *saga) {
	s.everyCrash("change of address", func(s *saga, crash func(Harness) Harness) {
		ctx := context.Background()
		name, from, to := Name("moving"), Address("from"), Address("to")
		s.join(name, from)
		_, who := s.enter(name)
		wantCode(s.T, "ChangeEmail", s.registrar.ChangeEmail(ctx, who, to, Password), "")
		code := s.mailed(to)
		_, err := s.over(crash(s.Harness)).ConfirmEmail(ctx, who, code)
		if err != nil {
			_, err = s.registrar.ConfirmEmail(ctx, who, code)
		}
		if account.CodeOf(err) != account.CodeMismatch { // it was done but for its answer
			wantCode(s.T, "ConfirmEmail again", err, "")
		}
		s.wantMoved(name, from, to)
		if s.notices(from, "another address") == 0 {
			s.Error("the older address was not told")
		}
	})
}

// unset is a directory that cannot be told of an address.
type unset struct{ account.Directory }

// SetEmail implements [account.Directory].
func (unset) SetEmail(context.Context, string, string) error { return account.ErrUnavailable(nil) }

// lifeEmailLate ends a change of address that was interrupted after the table had moved, and
// whose code's time is over.
func lifeEmailLate(s *saga) {
	ctx := context.Background()
	h := s.Harness
	h.Directory = unset{h.Directory}
	for what, end := range map[string]func(s *saga, who account.Identity, to, code string) string{
		"by its code": func(s *saga, who account.Identity, to, code string) string {
			for range 6 {
				_, err := s.registrar.ConfirmEmail(ctx, who, wrong(code))
				wantCode(s.T, "ConfirmEmail with a wrong code", err, account.CodeMismatch)
			}
			_, err := s.registrar.ConfirmEmail(ctx, who, code)
			wantCode(s.T, "ConfirmEmail", err, "")
			return to
		},
		"by another code": func(s *saga, who account.Identity, to, _ string) string {
			s.moveTo(who, to)
			return to
		},
		"by another code, the wish forgotten": func(s *saga, who account.Identity, to, _ string) string {
			wantCode(s.T, "DropEmailChange", s.Claims.DropEmailChange(ctx, who.UserID), "")
			s.moveTo(who, to)
			return to
		},
		"by a third address": func(s *saga, who account.Identity, _, _ string) string {
			third := Address("third")
			s.moveTo(who, third)
			return third
		},
	} {
		s.Run(what, func(t *testing.T) {
			s := newSaga(t, s.Harness)
			name, first, from, to := Name("moving"), Address("first"), Address("from"), Address("to")
			s.join(name, first)
			_, who := s.enter(name)
			s.moveTo(who, from)
			wantCode(s.T, "ChangeEmail", s.registrar.ChangeEmail(ctx, who, to, Password), "")
			code := s.mailed(to)
			_, err := s.over(h).ConfirmEmail(ctx, who, code)
			wantCode(s.T, "ConfirmEmail that is interrupted", err, account.CodeUnavailable)
			s.clock.Advance(2 * time.Hour)
			s.wantMoved(name, from, end(s, who, to, code))
			if got := s.notices(from, "another address"); got != 1 {
				s.Errorf("the older address was told %d times, want once", got)
			}
		})
	}
}

// moveTo moves an account to an address.
func (s *saga) moveTo(who account.Identity, to string) {
	s.Helper()
	ctx := context.Background()
	wantCode(s.T, "ChangeEmail", s.registrar.ChangeEmail(ctx, who, to, Password), "")
	_, err := s.registrar.ConfirmEmail(ctx, who, s.mailed(to))
	wantCode(s.T, "ConfirmEmail", err, "")
}
