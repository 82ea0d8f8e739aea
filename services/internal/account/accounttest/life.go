package accounttest

import (
	"context"
	"strings"
	"testing"

	"spillway.example/services/internal/account"
)

// RunLife holds a directory and a store together to what [account.Sessions] and
// [account.Registrar] promise of an account once it is there.
func RunLife(t *testing.T, open func(t *testing.T) Harness) {
	tests := []struct {
		name string
		run  func(s *saga)
	}{
		{"forgotten password", lifeForgotten},
		{"update the profile", lifeProfile},
		{"nobody learns who has an account", lifeUnseen},
		{"an address given to the directory alone gets no code", lifeEmailPlanted},
		{"export", lifeExport},
		{"delete", lifeDelete},
		{"delete what the table was never told of", lifeDeleteForeign},
		{"delete what the table was not told of yet", lifeDeleteUnsettled},
		{"a name whose account is being deleted", lifeDeleteMeanwhile},
		{"two deletions of one account at once", lifeDeleteTwice},
		{"a user that an operator deleted", lifeGone},
		{"the address of a user that an operator deleted", lifeGoneAddress},
		{"a deletion that fails goes on by itself", lifeDeleteGoesOn},
		{"a crash at every step of a deletion", lifeDeleteCrashes},
		{"challenge", lifeChallenge},
		{"change the address", lifeEmail},
		{"an address that is another's", lifeEmailTaken},
		{"a crash at every step of a change of address", lifeEmailCrashes},
		{"a change of address that was interrupted, past its time", lifeEmailLate},
		{"a password that is proven leaves no session", lifeProven},
		{"change the password", lifeChange},
		{"a crash at every step of a change", lifeChangeCrashes},
		{"forgotten password of an account that cannot have one", lifeForgottenByNobody},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.run(newSaga(t, open(t)))
		})
	}
}

// join makes an account with a proven address, beside a handle or as the name itself.
func (s *saga) join(name, email string) account.UserID {
	s.Helper()
	got, err := s.register(name, Password, email)
	wantCode(s.T, "Register", err, "")
	id, err := s.confirm(name, s.Code(s.T, name, email), got.RegistrationToken)
	wantCode(s.T, "Confirm", err, "")
	return id
}

// notices gives how many mails an address got with a word in the subject.
func (s *saga) notices(email, word string) (n int) {
	for _, m := range s.mails.Mails(email) {
		if strings.Contains(m.Subject, word) {
			n++
		}
	}
	return n
}

func lifeForgotten(s *saga) {
	ctx := context.Background()
	email := Address("forgetful")
	id := s.join(email, email)
	// Whoever signs up with the address keeps no code for a new password from its owner.
	before := s.Code(s.T, email, email)
	_, err := s.register(email, "some other password", "")
	wantCode(s.T, "Register a known address", err, "")
	wantCode(s.T, "ForgotPassword", s.sessions.ForgotPassword(ctx, email), "")
	code := s.Code(s.T, email, email)
	if !s.lacks(s.T, ConstantCode) && code == before {
		s.Error("no code was sent for a new password")
	}
	wantCode(s.T, "ForgotPassword at once", s.sessions.ForgotPassword(ctx, email), "")
	if s.Code(s.T, email, email) != code {
		s.Error("a code was sent again at once")
	}
	for what, tt := range map[string]struct {
		in   account.Reset
		want account.Code
	}{
		"a weak password": {account.Reset{Username: email, Code: code, Password: "password1"}, account.CodeInvalid},
		"a wrong code":    {account.Reset{Username: email, Code: wrong(code), Password: newPassword}, account.CodeMismatch},
		"another name":    {account.Reset{Username: Address("nobody"), Code: code, Password: newPassword}, account.CodeMismatch},
	} {
		wantCode(s.T, "ResetPassword with "+what, s.sessions.ResetPassword(ctx, tt.in), tt.want)
	}
	in := account.Reset{Username: strings.ToUpper(email), Code: code, Password: newPassword}
	wantCode(s.T, "ResetPassword", s.sessions.ResetPassword(ctx, in), "")
	s.wantVoid(id)
	wantCode(s.T, "SignIn", s.signIn(email, newPassword), "")
	wantCode(s.T, "SignIn with the older password", s.signIn(email, Password), account.CodeInvalidCredentials)
	if got := s.notices(email, "password was changed"); !s.lacks(s.T, NeverVerifies) && got != 1 {
		s.Errorf("the owner was told %d times, want once", got)
	}
}

func lifeForgottenByNobody(s *saga) {
	ctx := context.Background()
	bare := Name("bare")
	_, err := s.register(bare, Password, "")
	wantCode(s.T, "Register", err, "")
	for _, name := range []string{bare, Name("nobody"), Address("nobody")} {
		wantCode(s.T, "ForgotPassword", s.sessions.ForgotPassword(ctx, name), "")
	}
	wantCode(s.T, "ForgotPassword of no name", s.sessions.ForgotPassword(ctx, "no name"), account.CodeInvalid)

	// Confirmed without its address, which is another account's, an account has none for a
	// code to go to until it is given one.
	shared, name := Address("shared"), Name("second")
	s.join(Name("first"), shared)
	s.join(name, shared)
	post, h := &posting{Directory: s.Directory}, s.Harness
	h.Directory = post
	forgot := func(want int) {
		s.Helper()
		post.codes = 0
		s.clock.Advance(account.MailInterval)
		wantCode(s.T, "ForgotPassword", s.sessionsOver(h).ForgotPassword(ctx, name), "")
		if post.codes != want {
			s.Errorf("%d codes to an account, want %d", post.codes, want)
		}
	}
	forgot(0)
	if mails := s.mails.Mails(shared); len(mails) != 1 || !strings.Contains(mails[0].Text, "new password") {
		s.Errorf("the address was told %+v, want once that no code for a new password comes there", mails)
	}
	_, who := s.enter(name)
	s.moveTo(who, Address("own"))
	forgot(1)
}

func lifeChange(s *saga) {
	ctx := context.Background()
	name, email := Name("changing"), Address("changing")
	id := s.join(name, email)
	one, err := s.sessions.SignIn(ctx, name, Password)
	must(s.T, "SignIn", one, err)
	two, err := s.sessions.SignIn(ctx, name, Password)
	must(s.T, "SignIn", two, err)
	for what, tt := range map[string]struct {
		current, password string
		want              account.Code
	}{
		"a wrong password": {"not the password", newPassword, account.CodeWrongPassword},
		"a weak one":       {Password, "password1", account.CodeInvalid},
		"the same":         {Password, Password, account.CodeInvalid},
	} {
		_, err := s.sessions.ChangePassword(ctx, one.AccessToken, tt.current, tt.password)
		wantCode(s.T, "ChangePassword with "+what, err, tt.want)
	}
	tokens, err := s.sessions.ChangePassword(ctx, one.AccessToken, Password, newPassword)
	must(s.T, "ChangePassword", tokens, err)
	s.wantVoid(id)
	if got := s.notices(email, "password was changed"); !s.lacks(s.T, NeverVerifies) && got != 1 {
		s.Errorf("the owner was told %d times, want once", got)
	}
	s.wantChanged(name, tokens, one, two)
}

// wantChanged fails unless the password is the new one, and of the sessions only the one
// that the change opened goes on.
func (s *saga) wantChanged(name string, now account.Tokens, before ...account.Tokens) {
	s.Helper()
	ctx := context.Background()
	for _, t := range before {
		_, err := s.sessions.Refresh(ctx, t.RefreshToken)
		wantCode(s.T, "Refresh of a session from before", err, account.CodeInvalidToken)
	}
	_, err := s.sessions.Refresh(ctx, now.RefreshToken)
	wantCode(s.T, "Refresh of the new session", err, "")
	wantCode(s.T, "SignIn", s.signIn(name, newPassword), "")
	wantCode(s.T, "SignIn with the older password", s.signIn(name, Password), account.CodeInvalidCredentials)
}

// lifeChangeCrashes interrupts a change of the password at every call to the directory,
// before it and after it, and makes the same request again: then it has been made once,
// or the session that asked has ended and the new password signs in.
func lifeChangeCrashes(s *saga) {
	s.everyCrash("change", func(s *saga, crash func(Harness) Harness) {
		ctx := context.Background()
		name := Name("changing")
		_, err := s.register(name, Password, "")
		wantCode(s.T, "Register", err, "")
		one, err := s.sessions.SignIn(ctx, name, Password)
		must(s.T, "SignIn", one, err)
		two, err := s.sessions.SignIn(ctx, name, Password)
		must(s.T, "SignIn", two, err)
		tokens, err := s.sessionsOver(crash(s.Harness)).ChangePassword(ctx, one.AccessToken, Password, newPassword)
		if err != nil {
			tokens, err = s.sessions.ChangePassword(ctx, one.AccessToken, Password, newPassword)
		}
		if account.CodeOf(err) == account.CodeInvalidToken {
			tokens, err = s.sessions.SignIn(ctx, name, newPassword)
		}
		must(s.T, "ChangePassword again", tokens, err)
		s.wantChanged(name, tokens, one, two)
	})
}
