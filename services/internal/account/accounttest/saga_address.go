package accounttest

import (
	"context"
	"testing"

	"spillway.example/services/internal/account"
)

func sagaAddress(s *saga) {
	email := Address("address")
	got, err := s.register(email, Password, "")
	wantCode(s.T, "Register", err, "")
	if got.UserID != "" || !got.ConfirmationRequired || got.RegistrationToken == "" {
		s.Errorf("Register: got %+v, want a token, a code to come and no id", got)
	}
	id, err := s.confirm(email, s.Code(s.T, email, email), got.RegistrationToken)
	wantCode(s.T, "Confirm", err, "")
	if whole := s.wantWhole(email, email); id != whole {
		s.Errorf("Confirm: got id %s, want %s", id, whole)
	}
	wantCode(s.T, "SignIn", s.signIn(email, Password), "")
}

func sagaKnownAddress(s *saga) {
	email := Address("known")
	first, err := s.register(email, Password, email)
	wantCode(s.T, "Register", err, "")
	code := s.Code(s.T, email, email)

	// While it is leased.
	second, err := s.register(email, "some other password", "")
	wantCode(s.T, "Register a leased address", err, "")
	wantLike(s.T, second, first)
	_, err = s.confirm(email, code, second.RegistrationToken)
	wantCode(s.T, "Confirm with the token of a refused sign-up", err, account.CodeMismatch)

	_, err = s.confirm(email, code, first.RegistrationToken)
	wantCode(s.T, "Confirm", err, "")
	for range 3 {
		s.clock.Advance(account.MailInterval / 2)
		third, err := s.register(email, "some other password", "")
		wantCode(s.T, "Register a known address", err, "")
		wantLike(s.T, third, first)
		_, err = s.confirm(email, code, third.RegistrationToken)
		wantCode(s.T, "Confirm with the token of a refused sign-up", err, account.CodeMismatch)
	}
	if got := len(s.mails.Mails(email)); got != 1 {
		s.Errorf("notices to the owner within %v: got %d, want 1", account.MailInterval, got)
	}
	s.wantWhole(email, email)
	wantCode(s.T, "SignIn", s.signIn(email, Password), "")
	wantCode(s.T, "SignIn with a refused sign-up's password", s.signIn(email, "some other password"), account.CodeInvalidCredentials)
}

// wantLike fails unless two answers differ in the token alone.
func wantLike(t *testing.T, got, want account.Registered) {
	t.Helper()
	if got.RegistrationToken == "" || got.RegistrationToken == want.RegistrationToken ||
		len(got.RegistrationToken) != len(want.RegistrationToken) {
		t.Error("the token is missing, of another length, or the same")
	}
	got.RegistrationToken = want.RegistrationToken
	if got != want {
		t.Errorf("answer: got %+v, want one like %+v", got, want)
	}
}

func sagaSharedAddress(s *saga) {
	email := Address("shared")
	names := []string{Name("first"), Name("second")}
	for i, name := range names {
		got, err := s.register(name, Password, email)
		wantCode(s.T, "Register with an address in use", err, "")
		_, err = s.confirm(name, s.Code(s.T, name, email), got.RegistrationToken)
		wantCode(s.T, "Confirm with an address in use", err, "")
		wantCode(s.T, "SignIn", s.signIn(name, Password), "")
		if got := len(s.mails.Mails(email)); got != i {
			s.Errorf("notices of a lost claim after account %d: got %d, want %d", i+1, got, i)
		}
	}
	s.wantWhole(names[0], email)
	s.wantWhole(names[1], "")
}

func sagaOwnedAddress(s *saga) {
	email, name := Address("owned"), Name("owner")
	got, err := s.register(name, Password, email)
	wantCode(s.T, "Register", err, "")
	_, err = s.confirm(name, s.Code(s.T, name, email), got.RegistrationToken)
	wantCode(s.T, "Confirm", err, "")

	for range 3 {
		again, err := s.register(email, "some other password", "")
		wantCode(s.T, "Register the owned address as a name", err, "")
		if again.UserID != "" || !again.ConfirmationRequired || again.RegistrationToken == "" {
			s.Errorf("Register: got %+v, want what an unknown address gets", again)
		}
	}
	if got := len(s.mails.Mails(email)); got != 1 {
		s.Errorf("notices to the owner: got %d, want 1", got)
	}
	_, err = s.Directory.FindUser(context.Background(), email)
	wantCode(s.T, "FindUser by the address", err, account.CodeNotFound)
}

func sagaWaitingAddress(s *saga) {
	email := Address("waiting")
	_, err := s.register(email, Password, "")
	wantCode(s.T, "Register", err, "")
	before := s.Code(s.T, email, email)
	unknown := s.signIn(Address("unknown"), Password)
	wantCode(s.T, "SignIn as nobody", unknown, account.CodeInvalidCredentials)
	for _, password := range []string{Password, "not the password"} {
		err := s.signIn(email, password)
		wantCode(s.T, "SignIn to an account that waits", err, account.CodeInvalidCredentials)
		if message(err) != message(unknown) {
			s.Errorf("an account that waits says %q, an unknown one %q", message(err), message(unknown))
		}
	}
	if got := s.Code(s.T, email, email); got != before {
		s.Error("a code was sent again at once")
	}
	s.clock.Advance(account.MailInterval)
	wantCode(s.T, "SignIn later", s.signIn(email, Password), account.CodeInvalidCredentials)
	after := s.Code(s.T, email, email)
	if !s.lacks(s.T, ConstantCode) && after == before {
		s.Error("no code was sent again")
	}
	wantCode(s.T, "Resend", s.registrar.Resend(context.Background(), email), "")
	if got := s.Code(s.T, email, email); got != after {
		s.Error("a code was sent again at once")
	}
	wantCode(s.T, "Resend to nobody", s.registrar.Resend(context.Background(), Address("nobody")), "")
}
