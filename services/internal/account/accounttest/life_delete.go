package accounttest

import (
	"context"
	"time"

	"spillway.example/services/internal/account"
)

// enter signs in and gives the tokens with whom they are of.
func (s *saga) enter(name string) (account.Tokens, account.Identity) {
	s.Helper()
	ctx := context.Background()
	tokens, err := s.sessions.SignIn(ctx, name, Password)
	must(s.T, "SignIn", tokens, err)
	u, err := s.Directory.GetUser(ctx, tokens.AccessToken)
	must(s.T, "GetUser", u, err)
	return tokens, account.Identity{UserID: u.ID, Username: u.Username}
}

// wantGone fails unless nothing is left of an account, and its name and address make
// another one.
func (s *saga) wantGone(name, email string, was account.UserID) {
	s.Helper()
	ctx := context.Background()
	_, err := s.Directory.FindUser(ctx, name)
	wantCode(s.T, "FindUser of a deleted account", err, account.CodeNotFound)
	_, err = s.Claims.Find(ctx, name)
	wantCode(s.T, "Find the claim of a deleted account", err, account.CodeNotFound)
	if found := s.ProfilesOf(s.T, name); len(found) > 0 {
		s.Errorf("profiles of a deleted account: %+v", found)
	}
	if email != "" {
		_, err = s.Claims.EmailOwner(ctx, email)
		wantCode(s.T, "EmailOwner of a deleted account", err, account.CodeNotFound)
	}
	s.wantAnew(name, email, was)
}

// wantAnew signs up for the name of an account that is gone.
func (s *saga) wantAnew(name, email string, was account.UserID) {
	s.Helper()
	got, err := s.register(name, newPassword, email)
	wantCode(s.T, "Register anew", err, "")
	if got.ConfirmationRequired {
		_, err = s.confirm(name, s.Code(s.T, name, email), got.RegistrationToken)
		wantCode(s.T, "Confirm anew", err, "")
	}
	id := s.wantWhole(name, email)
	if id == was {
		s.Error("the new account has the id of the deleted one")
	}
	for who, want := range map[account.UserID]bool{was: true, id: false} {
		void, err := s.mails.Denied(context.Background(), account.Identity{UserID: who, SessionID: "s", Since: s.clock.Now()})
		wantCode(s.T, "Denied", err, "")
		if void != want {
			s.Errorf("access tokens of the deleted account and of the new one: got void %v, want %v", void, want)
		}
	}
	wantCode(s.T, "SignIn with the older password", s.signIn(name, Password), account.CodeInvalidCredentials)
	wantCode(s.T, "SignIn to the new account", s.signIn(name, newPassword), "")
}

func lifeDelete(s *saga) {
	ctx := context.Background()
	for _, names := range [][2]string{{Name("delete"), Address("delete")}, {Address("delete"), ""}, {Name("bare"), ""}} {
		name, email := names[0], names[1]
		if account.IsEmail(name) {
			email = name
		}
		if email != "" {
			s.join(name, email)
		} else if _, err := s.register(name, Password, ""); err != nil {
			s.Fatal(err)
		}
		tokens, who := s.enter(name)
		wantCode(s.T, "Delete with a wrong password", s.registrar.Delete(ctx, who, "not the password"), account.CodeWrongPassword)
		wantCode(s.T, "Delete of another's", s.registrar.Delete(ctx, account.Identity{UserID: "another", Username: name}, Password), account.CodeNotFound)
		s.wantWhole(name, email)
		wantCode(s.T, "Delete", s.registrar.Delete(ctx, who, Password), "")
		_, err := s.sessions.Refresh(ctx, tokens.RefreshToken)
		wantCode(s.T, "Refresh of a deleted account", err, account.CodeInvalidToken)
		wantCode(s.T, "Delete again", s.registrar.Delete(ctx, who, Password), account.CodeNotFound)
		s.wantGone(name, email, who.UserID)
		// A token of the deleted account does nothing to its successor.
		wantCode(s.T, "Delete by an older token", s.registrar.Delete(ctx, who, newPassword), account.CodeNotFound)
		s.wantWhole(name, email)
	}
}

func lifeDeleteForeign(s *saga) {
	ctx := context.Background()
	for what, before := range map[string]func(name string) account.UserID{
		"":                           nil,
		"in the place of an account": func(name string) account.UserID { return s.join(name, Address("before")) },
		"in the place of one to come": func(name string) account.UserID {
			got, err := s.register(name, Password, Address("before"))
			wantCode(s.T, "Register", err, "")
			return got.UserID
		},
	} {
		name := Name("foreign")
		if before != nil {
			wantCode(s.T, "DeleteUser", s.Directory.DeleteUser(ctx, before(name)), "")
		}
		_, err := s.Directory.SignUp(ctx, account.NewUser{Username: name, Password: Password})
		wantCode(s.T, "SignUp "+what, err, "")
		wantCode(s.T, "ConfirmUser", s.Directory.ConfirmUser(ctx, name), "")
		_, who := s.enter(name)
		wantCode(s.T, "Delete "+what, s.registrar.Delete(ctx, who, Password), "")
		s.wantGone(name, "", who.UserID)
	}
}

// lifeDeleteUnsettled deletes an account that the directory has confirmed, and of which the
// table was not told.
func lifeDeleteUnsettled(s *saga) {
	ctx := context.Background()
	name, email := Name("unsettled"), Address("unsettled")
	_, err := s.register(name, Password, email)
	wantCode(s.T, "Register", err, "")
	wantCode(s.T, "Confirm", s.Directory.Confirm(ctx, name, s.Code(s.T, name, email)), "")
	_, who := s.enter(name)
	wantCode(s.T, "Delete", s.registrar.Delete(ctx, who, Password), "")
	s.wantGone(name, email, who.UserID)
}

// lifeDeleteMeanwhile wants a name whose account is being deleted at this moment.
func lifeDeleteMeanwhile(s *saga) {
	name := Name("meanwhile")
	got, err := s.register(name, Password, "")
	wantCode(s.T, "Register", err, "")
	wantCode(s.T, "Retire", s.Claims.Retire(context.Background(), name, got.UserID, s.clock.Now()), "")
	_, err = s.register(name, newPassword, "")
	wantCode(s.T, "Register while the account is deleted", err, account.CodeUsernameTaken)
	if _, err := s.Directory.FindUser(context.Background(), name); err != nil {
		s.Errorf("a sign-up has deleted what another works on: %v", err)
	}
	s.clock.Advance(2 * time.Minute)
	s.wantAnew(name, "", got.UserID)
}

// deleting runs a function, once, before the directory deletes a user.
type deleting struct {
	account.Directory
	meanwhile func()
}

// DeleteUser implements [account.Directory].
func (d *deleting) DeleteUser(ctx context.Context, id account.UserID) error {
	if f := d.meanwhile; f != nil {
		d.meanwhile = nil
		f()
	}
	return d.Directory.DeleteUser(ctx, id)
}

// lifeDeleteTwice has the same deletion come twice at once, and the name in other hands
// before the slower one gets to the directory.
func lifeDeleteTwice(s *saga) {
	ctx := context.Background()
	name := Address("twice")
	s.join(name, name)
	_, who := s.enter(name)
	h := s.Harness
	h.Directory = &deleting{Directory: s.Directory, meanwhile: func() {
		wantCode(s.T, "Delete meanwhile", s.registrar.Delete(ctx, who, Password), "")
		s.wantGone(name, name, who.UserID)
	}}
	wantCode(s.T, "Delete", s.over(h).Delete(ctx, who, Password), "")
	s.wantWhole(name, name)
	wantCode(s.T, "SignIn to the next account", s.signIn(name, newPassword), "")
}

// FailingToErase makes a table of one, that cannot erase an account the first time.
func FailingToErase(c account.Claims) account.Claims { return &failingToErase{Claims: c} }

type failingToErase struct {
	account.Claims
	failed bool
}

// Erase implements [account.Claims].
func (c *failingToErase) Erase(ctx context.Context, username string, id account.UserID) error {
	if !c.failed {
		c.failed = true
		return account.ErrThrottled(nil)
	}
	return c.Claims.Erase(ctx, username, id)
}

// lifeDeleteGoesOn fails to end a deletion, which nobody asks for again.
func lifeDeleteGoesOn(s *saga) {
	ctx := context.Background()
	name := Address("goes-on")
	s.join(name, name)
	_, who := s.enter(name)
	h := s.Harness
	h.Claims = FailingToErase(h.Claims)
	wantCode(s.T, "Delete that fails", s.over(h).Delete(ctx, who, Password), account.CodeUnavailable)
	s.wantGone(name, name, who.UserID)
}

// lifeDeleteCrashes interrupts a deletion at every call to a port, before it and after it.
// Once it has begun, whatever goes on with it ends it: the same request, the process that
// starts next, or whoever wants the name.
func lifeDeleteCrashes(s *saga) {
	goOn := map[string]func(s *saga, name, email string, who account.Identity){
		"by the same request": func(s *saga, name, email string, who account.Identity) {
			err := s.registrar.Delete(context.Background(), who, Password)
			if code := account.CodeOf(err); code != "" && code != account.CodeNotFound {
				s.Fatalf("Delete again: %v", err)
			}
			s.wantGone(name, email, who.UserID)
		},
		"by the next process": func(s *saga, name, email string, who account.Identity) {
			wantCode(s.T, "FinishDeletions", s.registrar.FinishDeletions(context.Background()), "")
			s.wantGone(name, email, who.UserID)
		},
		"by the next sign-up": func(s *saga, name, email string, who account.Identity) {
			s.wantAnew(name, email, who.UserID)
		},
	}
	for how, goOn := range goOn {
		s.everyCrash("deletion, ended "+how, func(s *saga, crash func(Harness) Harness) {
			ctx := context.Background()
			name := Address("delete")
			s.join(name, name)
			_, who := s.enter(name)
			_ = s.over(crash(s.Harness)).Delete(ctx, who, Password) // what is left says how far it got
			claim, err := s.Claims.Find(ctx, name)
			if err == nil && claim.RetiredAt.IsZero() {
				s.wantWhole(name, name) // it never began, and nothing is missing
				return
			}
			s.clock.Advance(time.Hour)
			goOn(s, name, name, who)
		})
	}
}

func lifeExport(s *saga) {
	ctx := context.Background()
	name, email := Name("export"), Address("export")
	id := s.join(name, email)
	tokens, who := s.enter(name)
	e, err := s.registrar.Export(ctx, who, tokens.AccessToken)
	must(s.T, "Export", e, err)
	if e.Profile.UserID != id || e.User.ID != id || e.User.Email != email || e.User.CreatedAt.IsZero() || !e.User.Confirmed ||
		e.Profile.Email != email || e.SignedUp.IsZero() || e.Mailed == (account.Mailed{}) || !e.At.Equal(s.clock.Now()) {
		s.Errorf("Export: incomplete: %+v", e)
	}
	if _, ok := s.Directory.(account.SessionLister); ok != (len(e.Sessions) == 1) {
		s.Errorf("Export: %d sessions; the directory lists them: %v", len(e.Sessions), ok)
	}
	if e.Wish.To != "" {
		s.Errorf("Export: a wish for %q that nobody had", e.Wish.To)
	}
	to := Address("wish")
	wantCode(s.T, "ChangeEmail", s.registrar.ChangeEmail(ctx, who, to, Password), "")
	e, err = s.registrar.Export(ctx, who, tokens.AccessToken)
	must(s.T, "Export", e, err)
	if e.Wish.To != to || !near(e.Wish.ExpiresAt, s.clock.Now().Add(time.Hour)) {
		s.Errorf("Export: the wish is %q until %v", e.Wish.To, e.Wish.ExpiresAt)
	}
	wantCode(s.T, "SignOutEverywhere", s.sessions.SignOutEverywhere(ctx, tokens.AccessToken), "")
	_, err = s.registrar.Export(ctx, who, tokens.AccessToken)
	wantCode(s.T, "Export when signed out", err, account.CodeInvalidToken)
}
