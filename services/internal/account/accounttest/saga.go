package accounttest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"spillway.example/services/internal/account"
)

// RunSaga holds a directory and a store together to what [account.Registrar] and
// [account.Sessions] promise, crashes at every point included.
func RunSaga(t *testing.T, open func(t *testing.T) Harness) {
	tests := []struct {
		name string
		run  func(s *saga)
	}{
		{"a name and a password", sagaBare},
		{"a handle with an address", sagaHandle},
		{"an address as username", sagaAddress},
		{"a known address looks like an unknown one", sagaKnownAddress},
		{"a lease keeps others out, then a sign-up supersedes", sagaSupersede},
		{"a password planted on somebody's address gains nothing", sagaPlanted},
		{"an address given beside a handle is claimed by proof", sagaSharedAddress},
		{"an address owned under another name", sagaOwnedAddress},
		{"an address whose account waits gets the common answer", sagaWaitingAddress},
		{"a user the table was never told of", sagaForeign},
		{"what an operator did meanwhile", sagaOperator},
		{"what breaks a rule leaves nothing", sagaRules},
		{"nobody supersedes while the directory is asked", sagaConfirming},
		{"a hundred at once", sagaHundred},
		{"two sign-ups supersede at once", sagaSupersedeRace},
		{"a crash at every step", sagaCrashes},
		{"a crash at every step, and the same request again", sagaRepeats},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.run(newSaga(t, open(t)))
		})
	}
}

// saga is one test: a harness, a clock, the mails sent, and the use cases over them.
type saga struct {
	*testing.T
	Harness
	clock     *Clock
	mails     *Memory
	registrar *account.Registrar
	sessions  *account.Sessions
}

func newSaga(t *testing.T, h Harness) *saga {
	s := &saga{T: t, Harness: h, clock: &Clock{}, mails: NewMemory(nil)}
	s.registrar = s.over(h)
	s.sessions = s.sessionsOver(h)
	return s
}

// over makes a Registrar on the test's clock and mailer over the harness's ports.
func (s *saga) over(h Harness) *account.Registrar {
	return account.NewRegistrar(account.RegistrarConfig{
		Directory: h.Directory, Claims: h.Claims, Profiles: h.Profiles, Mailer: s.mails, Now: s.clock.Now, Revoker: s.revoker(), Wait: s.clock.Wait,
	})
}

// revoker keeps its deny list with the test's mails.
func (s *saga) revoker() *account.Revoker {
	return account.NewRevoker(account.RevokerConfig{
		Denials: s.mails, Now: s.clock.Now,
		Wait: s.clock.Wait,
	})
}

// sessionsOver is the same for Sessions.
func (s *saga) sessionsOver(h Harness) *account.Sessions {
	return account.NewSessions(account.SessionsConfig{
		Directory: h.Directory, Claims: h.Claims, Mailer: s.mails, Now: s.clock.Now, Verifier: s.mails,
		Revoker: s.revoker(),
	})
}

// wantVoid fails unless the access tokens are void that a user got before now, and those
// to come are not.
func (s *saga) wantVoid(id account.UserID) {
	s.Helper()
	for want, since := range map[bool]time.Time{true: s.clock.Now().Add(-2 * time.Second), false: s.clock.Now()} {
		void, err := s.mails.Denied(context.Background(), account.Identity{UserID: id, SessionID: "s", Since: since.Truncate(time.Second)})
		wantCode(s.T, "Denied", err, "")
		if void != want {
			s.Errorf("an access token of a session since %v: got void %v", since, void)
		}
	}
}

func (s *saga) register(name, password, email string) (account.Registered, error) {
	return s.registrar.Register(context.Background(), account.Registration{Username: name, Password: password, Email: email})
}

func (s *saga) confirm(name, code, token string) (account.UserID, error) {
	return s.registrar.Confirm(context.Background(), account.Confirmation{Username: name, Code: code, RegistrationToken: token})
}

func (s *saga) signIn(name, password string) error {
	_, err := s.sessions.SignIn(context.Background(), name, password)
	return err
}

// wantWhole fails unless the name has one confirmed account: one directory user, one
// profile, one permanent claim, all of the same id, and the address if there is one.
func (s *saga) wantWhole(name, email string) account.UserID {
	s.Helper()
	p := s.wantAccount(name)
	if p.Email != email || p.EmailVerified != (email != "") {
		s.Errorf("profile: got address %q, verified %v, want %q", p.Email, p.EmailVerified, email)
	}
	if email != "" {
		owner, err := s.Claims.EmailOwner(context.Background(), email)
		if err != nil || owner != p.UserID {
			s.Errorf("owner of the address: got %s, %v, want %s", owner, err, p.UserID)
		}
	}
	return p.UserID
}

// wantAccount is wantWhole but for the address.
func (s *saga) wantAccount(name string) account.Profile {
	s.Helper()
	ctx := context.Background()
	user, err := s.Directory.FindUser(ctx, name)
	must(s.T, "FindUser", user, err)
	claim, err := s.Claims.Find(ctx, name)
	must(s.T, "Find", claim, err)
	if !user.Confirmed || !claim.Confirmed || claim.UserID != user.ID {
		s.Errorf("user %+v and claim %+v do not agree on one confirmed account", user, claim)
	}
	found := s.ProfilesOf(s.T, name)
	if len(found) != 1 || found[0].UserID != user.ID {
		s.Fatalf("profiles of the name: got %+v, want one, of %s", found, user.ID)
	}
	return found[0]
}

func sagaBare(s *saga) {
	name := Name("Bare")
	got, err := s.register(name, Password, "")
	wantCode(s.T, "Register", err, "")
	folded, _ := account.FoldUsername(name)
	id := s.wantWhole(folded, "")
	if got != (account.Registered{UserID: id}) {
		s.Errorf("Register: got %+v, want the id %s alone", got, id)
	}
	wantCode(s.T, "SignIn", s.signIn(folded, Password), "")
	wantCode(s.T, "SignIn in other letters", s.signIn(name, Password), "")
	_, err = s.register(folded, "some other password", "")
	wantTaken(s.T, err, false)
	p, err := s.registrar.Profile(context.Background(), account.Identity{UserID: id})
	must(s.T, "Profile", p, err)
	if p.Username != folded {
		s.Errorf("Profile: got %+v", p)
	}
}

// wantTaken fails unless err says that the name is taken, by a lease or for good.
func wantTaken(t *testing.T, err error, leased bool) {
	t.Helper()
	wantCode(t, "Register a taken name", err, account.CodeUsernameTaken)
	if e, _ := errors.AsType[*account.Error](err); (e.RetryAfter > 0) != leased {
		t.Errorf("taken: got retry after %v; leased: %v", e.RetryAfter, leased)
	}
}

func sagaHandle(s *saga) {
	name, email := Name("handle"), Address("handle")
	got, err := s.register(name, Password, email)
	wantCode(s.T, "Register", err, "")
	if got.UserID == "" || !got.ConfirmationRequired || got.RegistrationToken == "" {
		s.Errorf("Register: got %+v, want an id, a token and a code to come", got)
	}
	_, err = s.register(name, "some other password", Address("other"))
	wantTaken(s.T, err, true)
	wantCode(s.T, "SignIn before the code", s.signIn(name, Password), account.CodeNotConfirmed)

	code := s.Code(s.T, name, email)
	for what, in := range map[string]account.Confirmation{
		"a wrong code":    {Username: name, Code: wrong(code), RegistrationToken: got.RegistrationToken},
		"no token":        {Username: name, Code: code},
		"a wrong token":   {Username: name, Code: code, RegistrationToken: got.RegistrationToken + "x"},
		"an unknown name": {Username: Name("nobody"), Code: code, RegistrationToken: got.RegistrationToken},
	} {
		_, err := s.registrar.Confirm(context.Background(), in)
		wantCode(s.T, "Confirm with "+what, err, account.CodeMismatch)
	}
	s.clock.Advance(time.Hour) // codes live longer than leases
	for range 2 {
		id, err := s.confirm(name, code, got.RegistrationToken)
		wantCode(s.T, "Confirm", err, "")
		if id != got.UserID {
			s.Errorf("Confirm: got id %s, want %s", id, got.UserID)
		}
	}
	s.wantWhole(name, email)
	wantCode(s.T, "SignIn", s.signIn(name, Password), "")
	_, err = s.register(name, "some other password", email)
	wantTaken(s.T, err, false)
}

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

func sagaRules(s *saga) {
	_, err := s.register("no spaces", "short", "nowhere")
	wantCode(s.T, "Register", err, account.CodeInvalid)
	e, _ := errors.AsType[*account.Error](err)
	var names []string
	for _, f := range e.Fields {
		names = append(names, f.Name)
	}
	slices.Sort(names)
	if !slices.Equal(names, []string{"email", "password", "username"}) {
		s.Errorf("fields that break a rule: got %v", names)
	}
	email := Address("mine")
	_, err = s.register(email, Password, Address("yours"))
	wantCode(s.T, "Register an address beside another", err, account.CodeInvalid)
	_, err = s.Claims.Find(context.Background(), email)
	wantCode(s.T, "Find after a refusal", err, account.CodeNotFound)
}

// confirming runs a function while the directory confirms.
type confirming struct {
	account.Directory
	meanwhile func()
}

func (d confirming) Confirm(ctx context.Context, username, code string) error {
	d.meanwhile()
	return d.Directory.Confirm(ctx, username, code)
}

func sagaConfirming(s *saga) {
	name, email := Name("confirming"), Address("confirming")
	got, err := s.register(name, Password, email)
	wantCode(s.T, "Register", err, "")
	s.clock.Advance(time.Hour) // the lease is long over
	h := s.Harness
	h.Directory = confirming{h.Directory, func() {
		_, err := s.register(name, "some other password", "")
		wantTaken(s.T, err, true)
	}}
	_, err = s.over(h).Confirm(context.Background(), account.Confirmation{
		Username: name, Code: s.Code(s.T, name, email), RegistrationToken: got.RegistrationToken,
	})
	wantCode(s.T, "Confirm", err, "")
	s.wantWhole(name, email)
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
