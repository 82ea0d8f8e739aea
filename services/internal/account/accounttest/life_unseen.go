package accounttest

import (
	"context"
	"reflect"
	"time"

	"spillway.example/services/internal/account"
)

// unseenRequest is one that says a name.
type unseenRequest struct {
	of     func(ctx context.Context, name string) (any, error)
	before map[string]int // calls that the answer waits for
	hashes int            // that it waits for
	mails  int            // that go out then
}

// requestsOf gives all that somebody can ask for who knows no more than a name. tokens are
// those that sign-ups gave.
func (w *watched) requestsOf(tokens map[string]string) map[string]unseenRequest {
	const guess = "000001"
	limited := func(counters int, calls ...string) map[string]int {
		m := map[string]int{"Counters.Take": counters}
		for _, c := range calls {
			m[c]++
		}
		return m
	}
	return map[string]unseenRequest{
		"sign-up": {func(ctx context.Context, name string) (any, error) {
			got, err := w.registrar.Register(ctx, account.Registration{Username: name, Password: newPassword})
			if len(got.RegistrationToken) < 16 {
				w.s.Errorf("sign-up: no token in %+v", got)
			}
			tokens[name], got.RegistrationToken = got.RegistrationToken, ""
			return got, err
		}, limited(3), 0, 1},
		"confirm": {func(ctx context.Context, name string) (any, error) {
			return w.registrar.Confirm(ctx, account.Confirmation{Username: name, Code: guess, RegistrationToken: tokens[name]})
		}, limited(3, "look-up", "table write", "Directory.Confirm"), 0, 0},
		"resend": {func(ctx context.Context, name string) (any, error) {
			return nil, w.registrar.Resend(ctx, name)
		}, limited(2), 0, 1},
		"sign-in": {func(ctx context.Context, name string) (any, error) {
			return w.sessions.SignIn(ctx, name, "not the password")
		}, limited(3, "Directory.SignIn"), 1, 0},
		"forgotten": {func(ctx context.Context, name string) (any, error) {
			return nil, w.sessions.ForgotPassword(ctx, name)
		}, limited(2), 0, 1},
		"reset": {func(ctx context.Context, name string) (any, error) {
			return nil, w.sessions.ResetPassword(ctx, account.Reset{Username: name, Code: guess, Password: newPassword})
		}, limited(3, "Directory.ResetPassword"), 1, 0},
	}
}

// lifeUnseen makes the same requests under addresses that nobody has and under ones that
// somebody has, and holds them to the same answer after the same work, and to the same
// work and one mail once it is given.
func lifeUnseen(s *saga) {
	w := watch(s)
	known, shared, waiting, unknown := Address("known"), Address("shared"), Address("waiting"), Address("unknown")
	s.join(known, known)
	s.join(Name("owner"), shared)
	_, err := s.register(waiting, Password, "")
	wantCode(s.T, "Register", err, "")
	tokens := map[string]string{}
	requests := w.requestsOf(tokens)
	for _, what := range []string{"sign-up", "confirm", "resend", "sign-in", "forgotten", "reset"} {
		request := requests[what]
		s.clock.Advance(time.Hour) // or limits would meet those who ask again
		if what != "sign-up" && what != "confirm" {
			unknown = Address("unknown") // the other one waits by now
		}
		traced := func(name string) trace {
			return w.trace(func(ctx context.Context) (any, error) { return request.of(ctx, name) })
		}
		want := traced(unknown)
		if !reflect.DeepEqual(want.Before.Calls, request.before) || want.Mails != request.mails || s.Work != nil && want.Before.Hashes != request.hashes {
			s.Errorf("%s: the answer waits for %+v, and %d mails go out, want %v, %d hashes, and %d mails",
				what, want.Before, want.Mails, request.before, request.hashes, request.mails)
		}
		for how, name := range map[string]string{"": known, "under another name": shared, "by one that waits": waiting} {
			got := traced(name)
			if name == waiting && (what == "sign-up" || what == "sign-in") {
				// No account yet: its maker is told by the next code.
				got.After, got.Mails = want.After, want.Mails
			}
			if !reflect.DeepEqual(got, want) {
				s.Errorf("%s: known %s %+v, unknown %+v", what, how, got, want)
			}
		}
	}
}

// lifeEmailPlanted gives an account another address at the directory, as whoever has one
// of Cognito's access tokens can, and asks for a new password.
func lifeEmailPlanted(s *saga) {
	ctx := context.Background()
	name, post := Name("victim"), &posting{Directory: s.Directory}
	s.join(name, Address("victim"))
	h := s.Harness
	h.Directory = post
	sessions := s.sessionsOver(h)
	s.clock.Advance(account.MailInterval)
	wantCode(s.T, "ForgotPassword", sessions.ForgotPassword(ctx, name), "")
	if !s.lacks(s.T, NeverVerifies) && post.codes != 1 {
		s.Errorf("%d codes to a proven address, want 1", post.codes)
	}
	post.codes = 0
	wantCode(s.T, "SetEmail", s.Directory.SetEmail(ctx, name, Address("thief")), "")
	s.clock.Advance(account.MailInterval)
	wantCode(s.T, "ForgotPassword", sessions.ForgotPassword(ctx, name), "")
	if post.codes != 0 {
		s.Error("a code for a new password went to an address that was not proven here")
	}
}
