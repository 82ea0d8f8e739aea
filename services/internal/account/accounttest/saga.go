package accounttest

import (
	"context"
	"errors"
	"slices"
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
