package accounttest

import (
	"context"

	"spillway.example/services/internal/account"
)

// failingToFind is a directory that cannot say who is there.
type failingToFind struct{ account.Directory }

// FindUser implements [account.Directory].
func (failingToFind) FindUser(context.Context, string) (account.User, error) {
	return account.User{}, account.ErrUnavailable(nil)
}

// lifeGone has an operator delete users at the directory, which tells the table nothing.
func lifeGone(s *saga) {
	ctx := context.Background()
	for _, names := range [][2]string{{Name("gone"), Address("gone")}, {Address("gone"), ""}, {Name("bare"), ""}} {
		name, email := names[0], names[1]
		if account.IsEmail(name) {
			email = name
		}
		was := s.made(name, email)
		wantCode(s.T, "DeleteUser", s.Directory.DeleteUser(ctx, was), "")

		h := s.Harness
		h.Directory = failingToFind{h.Directory}
		_, err := s.over(h).Register(ctx, account.Registration{Username: name, Password: newPassword, Email: email})
		if !account.IsEmail(name) { // which is told by mail
			wantCode(s.T, "Register while the directory is away", err, account.CodeUnavailable)
		}
		if claim, err := s.Claims.Find(ctx, name); err != nil || claim.UserID != was || !claim.RetiredAt.IsZero() {
			s.Errorf("the directory is away, and the account is taken for gone: %+v, %v", claim, err)
		}
		s.wantAnew(name, email, was)
	}

	// One that an operator made anew is theirs.
	name := Name("anew")
	was := s.made(name, Address("anew"))
	wantCode(s.T, "DeleteUser", s.Directory.DeleteUser(ctx, was), "")
	by, err := s.Directory.SignUp(ctx, account.NewUser{Username: name, Password: newPassword})
	wantCode(s.T, "SignUp by hand", err, "")
	wantCode(s.T, "ConfirmUser", s.Directory.ConfirmUser(ctx, name), "")
	_, err = s.register(name, "some other password", "")
	wantTaken(s.T, err, false)
	if id := s.wantWhole(name, ""); id != by.UserID {
		s.Errorf("the account is %s, want that of the operator, %s", id, by.UserID)
	}

	// A directory may take a moment to know of a new user.
	name = Name("new")
	got, err := s.register(name, Password, "")
	wantCode(s.T, "Register", err, "")
	wantCode(s.T, "DeleteUser", s.Directory.DeleteUser(ctx, got.UserID), "")
	_, err = s.register(name, newPassword, "")
	wantTaken(s.T, err, false)
}

// lifeGoneAddress wants the address of an account that is gone, under another name.
func lifeGoneAddress(s *saga) {
	ctx := context.Background()
	email := Address("address")
	was := s.made(Name("gone"), email)
	wantCode(s.T, "DeleteUser", s.Directory.DeleteUser(ctx, was), "")
	s.wantAnew(email, email, was)

	to := Address("to")
	was = s.made(Name("gone"), to)
	wantCode(s.T, "DeleteUser", s.Directory.DeleteUser(ctx, was), "")
	name, from := Name("moving"), Address("from")
	s.join(name, from)
	_, who := s.enter(name)
	wantCode(s.T, "ChangeEmail", s.registrar.ChangeEmail(ctx, who, to, Password), "")
	_, err := s.registrar.ConfirmEmail(ctx, who, s.mailed(to))
	wantCode(s.T, "ConfirmEmail", err, "")
	s.wantMoved(name, from, to)
}

// made makes an account, with a proven address where it is to have one, that is no longer
// new.
func (s *saga) made(name, email string) account.UserID {
	s.Helper()
	defer s.clock.Advance(account.Lease)
	if email != "" {
		return s.join(name, email)
	}
	got, err := s.register(name, Password, "")
	wantCode(s.T, "Register", err, "")
	return got.UserID
}
