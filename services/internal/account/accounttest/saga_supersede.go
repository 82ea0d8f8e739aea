package accounttest

import (
	"context"
	"sync"
	"time"

	"spillway.example/services/internal/account"
)

func sagaSupersede(s *saga) {
	name, one, two := Name("supersede"), Address("one"), Address("two")
	first, err := s.register(name, Password, one)
	wantCode(s.T, "Register", err, "")
	oldCode := s.Code(s.T, name, one)
	s.clock.Advance(account.Lease - time.Second)
	_, err = s.register(name, "some other password", two)
	wantTaken(s.T, err, true)

	s.clock.Advance(time.Second)
	second, err := s.register(name, "some other password", two)
	wantCode(s.T, "Register past the lease", err, "")
	if second.UserID == first.UserID {
		s.Error("the newer account has the older one's id")
	}
	code := s.Code(s.T, name, two)
	_, err = s.confirm(name, code, first.RegistrationToken)
	wantCode(s.T, "Confirm with the older token", err, account.CodeMismatch)
	if !s.lacks(s.T, ConstantCode) && oldCode != code {
		_, err = s.confirm(name, oldCode, second.RegistrationToken)
		wantCode(s.T, "Confirm with the older code", err, account.CodeMismatch)
	}
	_, err = s.confirm(name, code, second.RegistrationToken)
	wantCode(s.T, "Confirm", err, "")
	if id := s.wantWhole(name, two); id != second.UserID {
		s.Errorf("the account is %s, want %s", id, second.UserID)
	}
	wantCode(s.T, "SignIn with the older password", s.signIn(name, Password), account.CodeInvalidCredentials)
	wantCode(s.T, "SignIn", s.signIn(name, "some other password"), "")

	s.clock.Advance(time.Hour)
	_, err = s.register(name, Password, one)
	wantTaken(s.T, err, false)
}

func sagaPlanted(s *saga) {
	victim := Address("victim")
	planted, err := s.register(victim, "the attacker's password", "")
	wantCode(s.T, "Register by the attacker", err, "")
	_, err = s.confirm(victim, s.Code(s.T, victim, victim), "")
	wantCode(s.T, "Confirm by the owner, who has the code alone", err, account.CodeMismatch)
	_, err = s.confirm(victim, wrong(s.Code(s.T, victim, victim)), planted.RegistrationToken)
	wantCode(s.T, "Confirm by the attacker, who has the token alone", err, account.CodeMismatch)

	s.clock.Advance(2 * account.Lease)
	own, err := s.register(victim, Password, "")
	wantCode(s.T, "Register by the owner", err, "")
	_, err = s.confirm(victim, s.Code(s.T, victim, victim), own.RegistrationToken)
	wantCode(s.T, "Confirm by the owner", err, "")
	s.wantWhole(victim, victim)
	wantCode(s.T, "SignIn by the attacker", s.signIn(victim, "the attacker's password"), account.CodeInvalidCredentials)
	wantCode(s.T, "SignIn by the owner", s.signIn(victim, Password), "")
}

func sagaForeign(s *saga) {
	ctx := context.Background()
	name := Name("foreign")
	_, err := s.Directory.SignUp(ctx, account.NewUser{Username: name, Password: Password})
	wantCode(s.T, "SignUp", err, "")
	wantCode(s.T, "ConfirmUser", s.Directory.ConfirmUser(ctx, name), "")
	got, err := s.register(name, "some other password", Address("foreign"))
	wantTaken(s.T, err, false)
	s.wantWhole(name, "")
	_, err = s.confirm(name, "123456", got.RegistrationToken)
	wantCode(s.T, "Confirm", err, account.CodeMismatch)
	wantCode(s.T, "SignIn", s.signIn(name, Password), "")

	// Under an address the answer tells nothing, and its token must not either.
	email := Address("foreign")
	_, err = s.Directory.SignUp(ctx, account.NewUser{Username: email, Password: Password})
	wantCode(s.T, "SignUp", err, "")
	wantCode(s.T, "ConfirmUser", s.Directory.ConfirmUser(ctx, email), "")
	got, err = s.register(email, "some other password", "")
	wantCode(s.T, "Register", err, "")
	_, err = s.confirm(email, "123456", got.RegistrationToken)
	wantCode(s.T, "Confirm", err, account.CodeMismatch)
	wantCode(s.T, "SignIn", s.signIn(email, Password), "")

	// One that waits is what an interrupted sign-up left, and is superseded.
	name = Name("left")
	_, err = s.Directory.SignUp(ctx, account.NewUser{Username: name, Password: Password})
	wantCode(s.T, "SignUp", err, "")
	_, err = s.register(name, "some other password", "")
	wantCode(s.T, "Register over what was left", err, "")
	s.wantWhole(name, "")
	wantCode(s.T, "SignIn", s.signIn(name, "some other password"), "")
}

func sagaOperator(s *saga) {
	ctx := context.Background()
	// Confirmed by hand, an account is confirmed, and its address unproven.
	name, email := Name("by-hand"), Address("by-hand")
	got, err := s.register(name, Password, email)
	wantCode(s.T, "Register", err, "")
	wantCode(s.T, "ConfirmUser", s.Directory.ConfirmUser(ctx, name), "")
	_, err = s.confirm(name, "123456", got.RegistrationToken)
	wantCode(s.T, "Confirm", err, "")
	if p := s.wantAccount(name); p.EmailVerified {
		s.Error("an address is verified that nobody proved")
	}
	_, err = s.Claims.EmailOwner(ctx, email)
	wantCode(s.T, "EmailOwner", err, account.CodeNotFound)

	// Deleted and made anew by hand, the account is the new one, and nothing is left
	// of the old.
	name = Name("made-anew")
	got, err = s.register(name, Password, Address("made-anew"))
	wantCode(s.T, "Register", err, "")
	wantCode(s.T, "DeleteUser", s.Directory.DeleteUser(ctx, got.UserID), "")
	_, err = s.Directory.SignUp(ctx, account.NewUser{Username: name, Password: Password})
	wantCode(s.T, "SignUp", err, "")
	wantCode(s.T, "ConfirmUser", s.Directory.ConfirmUser(ctx, name), "")
	s.clock.Advance(account.Lease)
	_, err = s.register(name, "some other password", "")
	wantTaken(s.T, err, false)
	s.wantWhole(name, "")
}

func sagaHundred(s *saga) {
	name := Name("hundred")
	var mu sync.Mutex
	taken := 0
	won := race(s.T, 100, func(ctx context.Context) (bool, error) {
		_, err := s.registrar.Register(ctx, account.Registration{Username: name, Password: Password})
		if account.CodeOf(err) == account.CodeUsernameTaken {
			mu.Lock()
			taken++
			mu.Unlock()
			return false, nil
		}
		return err == nil, err
	})
	if won != 1 || taken != 99 {
		s.Errorf("of 100 sign-ups %d won and %d found the name taken, want 1 and 99", won, taken)
	}
	s.wantWhole(name, "")
}

func sagaSupersedeRace(s *saga) {
	name := Name("again")
	_, err := s.register(name, Password, Address("again"))
	wantCode(s.T, "Register", err, "")
	s.clock.Advance(account.Lease)
	won := race(s.T, 10, func(ctx context.Context) (bool, error) {
		_, err := s.registrar.Register(ctx, account.Registration{Username: name, Password: "some other password"})
		if account.CodeOf(err) == account.CodeUsernameTaken {
			return false, nil
		}
		return err == nil, err
	})
	if won != 1 {
		s.Errorf("of 10 sign-ups past the lease %d won, want 1", won)
	}
	s.wantWhole(name, "")
	wantCode(s.T, "SignIn", s.signIn(name, "some other password"), "")
}
