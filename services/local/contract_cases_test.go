package local_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"spillway.example/frontdoor"
	"spillway.example/services/internal/account"
	"spillway.example/services/internal/account/accounttest"
	"spillway.example/services/internal/backend"
	"spillway.example/services/internal/httpapi"
)

// TestContract asks each operation for each error that the OpenAPI document has of it, by both
// doors, over the embedded store, whose ports fail where that takes one: what no request
// reaches is no part of the document, and every answer on the way is in it as it comes.
func TestContract(t *testing.T) {
	t.Parallel()
	c := newStage(t, nil, "http").contract
	t.Run("every", func(t *testing.T) {
		for _, door := range []string{"http", "lambda behind a load balancer"} {
			for _, id := range slices.Sorted(maps.Keys(c.operations)) {
				t.Run(id+" by "+door, func(t *testing.T) {
					t.Parallel()
					newStage(t, c, door).askForAll(id)
				})
			}
			t.Run("request_in_progress by "+door, func(t *testing.T) {
				t.Parallel()
				askAtOnce(t, c, door)
			})
		}
		t.Run("request_timeout", func(t *testing.T) {
			t.Parallel()
			sendSlowly(t, c)
		})
		t.Run("draining", func(t *testing.T) {
			t.Parallel()
			askDraining(t, c)
		})
	})
	for _, pair := range c.pairs() {
		for _, door := range []string{"http", "lambda behind a load balancer"} {
			// A function gets its requests whole, and is never told that it ends.
			if door != "http" && (strings.HasSuffix(pair, " request_timeout") || strings.HasSuffix(pair, " draining")) {
				continue
			}
			if !c.seen[door+": "+pair] {
				t.Errorf("%s: no request is answered with %s, which the document has", door, pair)
			} else if !c.seen[door+": "+pair+" as shown"] {
				t.Errorf("%s: no answer with %s has the text that the example has", door, pair)
			}
		}
	}
	for id, p := range c.operations {
		for status, response := range p.responses {
			for name := range response.Headers {
				if status >= "400" && !c.seen[status+" "+name] {
					t.Errorf("%s: no %s has %s, which the document has", id, status, name)
				}
			}
		}
	}
}

// askForAll asks an operation for each of its errors but those that take time, and for all that
// it is known to have, whether the document has them or not.
func (s *stage) askForAll(id string) {
	s.t.Helper()
	codes := map[string]bool{}
	for _, response := range s.operations[id].responses {
		for code := range response.Content["application/problem+json"].Examples {
			codes[code] = true
		}
	}
	for what := range special {
		if code, ok := strings.CutPrefix(what, id+" "); ok {
			codes[code] = true
		}
	}
	for code := range codes {
		switch code {
		case "request_in_progress", "request_timeout", "draining":
			continue
		}
		ask := special[id+" "+code]
		if ask == nil {
			ask = general[code]
		}
		if ask == nil {
			s.t.Errorf("nothing asks %s for %s", id, code)
			continue
		}
		if g := ask(s, id); g.member("code") != code {
			s.t.Errorf("%s: %s, asked for %s, is %d %s", s.door, id, code, g.status, g.body)
		}
	}
}

// asking sends a request that ends in an error of an operation, and gives the answer.
type asking func(s *stage, id string) got

// good are requests that come to something, each of somebody new.
var good = map[string]func(s *stage) call{
	"register": func(s *stage) call { return post("/register", credentialsOf(s.name(), accounttest.Password)) },
	"confirm":  func(s *stage) call { return s.confirming(s.pending()) },
	"resend":   func(s *stage) call { return post("/register/resend", naming(s.name())) },
	"login":    func(s *stage) call { return post("/login", credentialsOf(s.member().name, accounttest.Password)) },
	"challenge": func(s *stage) call {
		name, session := s.challenged()
		return answering(name, account.NewPasswordRequired, session)
	},
	"forgot": func(s *stage) call { return post("/login/forgot", naming(s.name())) },
	"reset": func(s *stage) call {
		p := s.forgetful()
		return resetting(p.name, p.code)
	},
	"refresh": func(s *stage) call { return post("/token/refresh", `{"refresh_token":"`+s.member().refresh+`"}`) },
	"logout":  func(s *stage) call { return post("/logout", `{"refresh_token":"`+s.member().refresh+`"}`) },
	"change_password": func(s *stage) call {
		return s.member().asks(http.MethodPost, "/me/password", changing("another horse, another staple"))
	},
	"me":          func(s *stage) call { return s.member().asks(http.MethodGet, "/me", "") },
	"sessions":    func(s *stage) call { return s.member().asks(http.MethodGet, "/me/sessions", "") },
	"end_session": func(s *stage) call { return s.member().asks(http.MethodDelete, "/me/sessions/none", "") },
	"account":     func(s *stage) call { return s.member().asks(http.MethodGet, "/account", "") },
	"update_account": func(s *stage) call {
		c := s.member().asks(http.MethodPatch, "/account", `{"locale":"en"}`)
		c.header = http.Header{"If-Match": {"*"}}
		return c
	},
	"export_account": func(s *stage) call { return s.member().asks(http.MethodGet, "/account/export", "") },
	"delete_account": func(s *stage) call {
		return s.member().asks(http.MethodPost, "/account/delete", `{"password":"`+accounttest.Password+`"}`)
	},
	"change_email": func(s *stage) call {
		return s.member().asks(http.MethodPost, "/account/email", moving(s.name()+"@example.com"))
	},
	"confirm_email": func(s *stage) call {
		p := s.moving()
		return p.asks(http.MethodPost, "/account/email/confirm", coding(p.code))
	},
	"introspect": func(*stage) call { return introspect("x", "Bearer "+newSecret) },
	"jwks":       func(*stage) call { return call{method: http.MethodGet, path: "/.well-known/jwks.json"} },
	"readyz":     func(*stage) call { return call{method: http.MethodGet, path: "/readyz"} },
	"healthz":    func(*stage) call { return call{method: http.MethodGet, path: "/healthz"} },
}

// general is how an error is asked for that many operations have.
var general = map[string]asking{
	"malformed_request": func(s *stage, id string) got {
		c := good[id](s)
		c.body = ""
		s.send(c)
		if c.body = `{"`; id == "introspect" {
			c.body = ""
		}
		return s.send(c)
	},
	"body_too_large": func(s *stage, id string) got {
		c := good[id](s)
		c.body += strings.Repeat(" ", httpapi.MaxBody)
		return s.send(c)
	},
	"unsupported_media_type": func(s *stage, id string) got {
		s.send(with(good[id](s), "Content-Encoding", "gzip"))
		return s.send(with(good[id](s), "Content-Type", "text/plain"))
	},
	"invalid_request": func(s *stage, id string) got {
		c := good[id](s)
		c.body = `{}`
		return s.send(c)
	},
	"invalid_token": func(s *stage, id string) got {
		c := good[id](s)
		c.token = ""
		s.send(c)
		c.token = "x.y.z"
		return s.send(c)
	},
	"idempotency_key_reused": func(s *stage, id string) got {
		c := with(good[id](s), "Idempotency-Key", uuid)
		s.made(c)
		c.body = other(c.body)
		return s.send(c)
	},
	// Bearers get through the deny list first, which says of its failures that nobody knows
	// now; an attempt to sign in gets through without counters.
	"internal": func(s *stage, id string) got {
		return s.failing(behind(errors.New("a secret cause")), good[id](s))
	},
	"unavailable": func(s *stage, id string) got {
		return s.failing(behind(account.ErrUnavailable(errors.New("a secret cause"))), good[id](s))
	},
	"too_many_requests": func(s *stage, id string) got {
		return s.failing(behind(account.ErrThrottled(errors.New("a secret cause"))), good[id](s))
	},
}

// behind is a fault of everything but the deny list and the counters.
func behind(err error) func(string) error {
	return func(call string) error {
		if call == "Denials.Denied" || strings.HasPrefix(call, "Counters.") {
			return nil
		}
		return err
	}
}

// special is how an error is asked for that one operation has, or has in its own way.
var special = map[string]asking{
	"register username_taken": func(s *stage, _ string) got {
		s.send(post("/register", credentialsOf(s.pending().name, accounttest.Password))) // for as long as that one waits
		return s.send(post("/register", credentialsOf(s.member().name, accounttest.Password)))
	},
	"register too_many_requests": func(s *stage, id string) got {
		address := s.name() + "@example.com"
		return s.tiring(id, func() call {
			return post("/register", `{"username":"`+s.name()+`","password":"`+accounttest.Password+`","email":"`+address+`"}`)
		})
	},
	"confirm code_mismatch": func(s *stage, _ string) got {
		p := s.pending()
		p.code = "x"
		return s.send(s.confirming(p))
	},
	"confirm code_expired": func(s *stage, _ string) got {
		s = s.other(unlimited)
		p := s.pending()
		code := p.code
		p.code = "x"
		s.tried(s.confirming(p))
		p.code = code
		return s.send(s.confirming(p))
	},
	"confirm too_many_requests": func(s *stage, id string) got {
		p := s.pending()
		p.code = "x"
		return s.tiring(id, func() call { return s.confirming(p) })
	},
	"resend too_many_requests": func(s *stage, id string) got { return s.tiring(id, same(post("/register/resend", naming(s.name())))) },
	"resend internal":          counted(errors.New("a secret cause")),
	"resend unavailable":       counted(account.ErrUnavailable(errors.New("a secret cause"))),
	"login invalid_credentials": func(s *stage, _ string) got {
		return s.send(post("/login", credentialsOf(s.member().name, "a wrong password")))
	},
	"login not_confirmed": func(s *stage, _ string) got {
		return s.send(post("/login", credentialsOf(s.pending().name, accounttest.Password)))
	},
	"login challenge_required": func(s *stage, id string) got {
		s.failing(at("Directory.SignIn", secondFactor), good[id](s))
		return s.send(post("/login", credentialsOf(s.newcomer(), "a horse that was given")))
	},
	"login too_many_requests": func(s *stage, id string) got {
		return s.tiring(id, same(post("/login", credentialsOf(s.name(), "a wrong password"))))
	},
	"challenge invalid_credentials": func(s *stage, _ string) got {
		return s.send(answering(s.name(), account.NewPasswordRequired, "x"))
	},
	"challenge not_supported": func(s *stage, _ string) got {
		name, session := s.challenged()
		return s.send(answering(name, "SMS_MFA", session))
	},
	// Of a second factor, which the embedded store does not have.
	"challenge code_mismatch":      factor(account.ErrCodeMismatch(nil)),
	"challenge code_expired":       factor(account.ErrCodeExpired(nil)),
	"challenge challenge_required": factor(secondFactor),
	"challenge too_many_requests": func(s *stage, id string) got {
		name, session := s.challenged()
		return s.tiring(id, same(answering(name, "SMS_MFA", session)))
	},
	"forgot too_many_requests": func(s *stage, id string) got { return s.tiring(id, same(post("/login/forgot", naming(s.name())))) },
	"forgot internal":          counted(errors.New("a secret cause")),
	"forgot unavailable":       counted(account.ErrUnavailable(errors.New("a secret cause"))),
	"reset code_mismatch":      func(s *stage, _ string) got { return s.send(resetting(s.name(), "x")) },
	"reset code_expired": func(s *stage, _ string) got {
		s = s.other(unlimited)
		p := s.forgetful()
		s.tried(resetting(p.name, "x"))
		return s.send(resetting(p.name, p.code))
	},
	"reset too_many_requests": func(s *stage, id string) got { return s.tiring(id, same(resetting(s.name(), "x"))) },
	"refresh invalid_token":   func(s *stage, _ string) got { return s.send(post("/token/refresh", `{"refresh_token":"x"}`)) },
	"logout invalid_token": func(s *stage, _ string) got {
		s.send(post("/logout", `{"everywhere":true}`))
		c := post("/logout", `{"everywhere":true}`)
		c.token = "x.y.z"
		return s.send(c)
	},
	"change_password wrong_password": func(s *stage, _ string) got {
		return s.send(s.member().asks(http.MethodPost, "/me/password", `{"current_password":"wrong","new_password":"another horse, another staple"}`))
	},
	"change_password challenge_required": func(s *stage, id string) got { // of somebody with a second factor
		return s.failing(at("Directory.SignIn", secondFactor), good[id](s))
	},
	"change_password too_many_requests": func(s *stage, id string) got {
		return s.tiring(id, same(s.member().asks(http.MethodPost, "/me/password", `{"current_password":"wrong","new_password":"another horse, another staple"}`)))
	},
	"me not_found": profileless,
	"sessions not_supported": func(s *stage, id string) got {
		s = s.other(opaqueDirectory)
		return s.send(good[id](s))
	},
	"end_session not_found": func(s *stage, id string) got { return s.send(good[id](s)) },
	"end_session invalid_request": func(s *stage, _ string) got {
		return s.send(s.member().asks(http.MethodDelete, "/me/sessions/"+strings.Repeat("x", 65), ""))
	},
	"end_session not_supported": func(s *stage, id string) got {
		s = s.other(opaqueDirectory)
		return s.send(good[id](s))
	},
	"account not_found":        profileless,
	"export_account not_found": profileless,
	"update_account not_found": profileless,
	"update_account invalid_request": func(s *stage, id string) got {
		c := good[id](s)
		c.body = `{"locale":"x"}`
		return s.send(c)
	},
	"update_account precondition_failed": func(s *stage, id string) got { return s.send(with(good[id](s), "If-Match", `"999"`)) },
	"update_account precondition_required": func(s *stage, id string) got {
		c := good[id](s)
		c.header = nil
		return s.send(c)
	},
	"delete_account not_found": func(s *stage, id string) got { // whom an operator has deleted
		c := good[id](s)
		if err := s.ports.Directory.DeleteUser(s.t.Context(), s.idOf(c.token)); err != nil {
			s.t.Fatal(err)
		}
		return s.send(c)
	},
	"delete_account wrong_password": func(s *stage, _ string) got {
		return s.send(s.member().asks(http.MethodPost, "/account/delete", `{"password":"wrong"}`))
	},
	"delete_account challenge_required": outdated,
	"delete_account too_many_requests": func(s *stage, id string) got {
		return s.tiring(id, same(s.member().asks(http.MethodPost, "/account/delete", `{"password":"wrong"}`)))
	},
	"change_email not_found": profileless,
	"change_email not_supported": func(s *stage, id string) got {
		s = s.other(func(b *backend.Backend) { b.Mailless = errors.New("no mail server") })
		return s.send(good[id](s))
	},
	"change_email wrong_password": func(s *stage, _ string) got {
		return s.send(s.member().asks(http.MethodPost, "/account/email", `{"email":"x@example.com","password":"wrong"}`))
	},
	"change_email challenge_required": outdated,
	"change_email too_many_requests": func(s *stage, id string) got {
		return s.tiring(id, same(s.member().asks(http.MethodPost, "/account/email", moving(s.name()+"@example.com"))))
	},
	"confirm_email not_found": profileless,
	"confirm_email code_mismatch": func(s *stage, _ string) got {
		return s.send(s.moving().asks(http.MethodPost, "/account/email/confirm", coding("x")))
	},
	"confirm_email code_expired": func(s *stage, _ string) got {
		s = s.other(unlimited)
		p := s.moving()
		s.tried(p.asks(http.MethodPost, "/account/email/confirm", coding("x")))
		return s.send(p.asks(http.MethodPost, "/account/email/confirm", coding(p.code)))
	},
	"confirm_email conflict": func(s *stage, _ string) got { // another account was faster to prove the address
		p := s.moving()
		s.made(s.confirming(s.pendingAt(p.email)))
		return s.send(p.asks(http.MethodPost, "/account/email/confirm", coding(p.code)))
	},
	"confirm_email too_many_requests": func(s *stage, id string) got {
		return s.tiring(id, same(s.moving().asks(http.MethodPost, "/account/email/confirm", coding("x"))))
	},
	"introspect invalid_client": func(s *stage, _ string) got {
		s.send(introspect("x", ""))
		return s.send(introspect("x", "Bearer x"))
	},
	"introspect invalid_request": func(s *stage, _ string) got {
		c := introspect("x", "Bearer "+newSecret)
		c.body = "x=y"
		return s.send(c)
	},
	"introspect internal":          denied(errors.New("a secret cause")),
	"introspect unavailable":       denied(account.ErrUnavailable(errors.New("a secret cause"))),
	"introspect too_many_requests": denied(account.ErrThrottled(errors.New("a secret cause"))),
}

// secondFactor is a step that the embedded store never asks for.
var secondFactor = account.ErrChallenge(account.Challenge{
	Name: "SMS_MFA", Session: "a session", Parameters: map[string]string{"CODE_DELIVERY_DESTINATION": "+*******1234"},
})

// profileless asks for somebody whose profile is gone.
func profileless(s *stage, id string) got {
	s.t.Helper()
	c := good[id](s)
	if err := s.ports.Profiles.Delete(s.t.Context(), s.idOf(c.token)); err != nil {
		s.t.Fatal(err)
	}
	return s.send(c)
}

// outdated asks with a password that the directory wants changed before it says anything of it.
func outdated(s *stage, id string) got {
	s.t.Helper()
	return s.failing(at("Directory.SignIn", account.Errorf(account.CodeChallenge, nil, "The password must be reset.")), good[id](s))
}

func factor(err error) asking {
	return func(s *stage, id string) got { return s.failing(at("Directory.RespondToChallenge", err), good[id](s)) }
}

// counted is a request that asks nothing but the counters before its answer.
func counted(err error) asking {
	return func(s *stage, id string) got { return s.failing(at("Counters.Take", err), good[id](s)) }
}

func denied(err error) asking {
	return func(s *stage, id string) got { return s.failing(at("Denials.Denied", err), good[id](s)) }
}

// opaqueDirectory does not know sessions one by one.
func opaqueDirectory(b *backend.Backend) { b.Directory = struct{ account.Directory }{b.Directory} }

// unlimited admits more wrong codes than use one up.
func unlimited(b *backend.Backend) { b.Limits = nil }

// other is a stage that stands on something else.
func (s *stage) other(change func(*backend.Backend)) *stage {
	s.t.Helper()
	return newStage(s.t, s.contract, s.door, change)
}

func same(c call) func() call { return func() call { return c } }

// tiring sends calls until there were too many, for a system behind an operation and for the
// operation itself.
func (s *stage) tiring(id string, next func() call) (g got) {
	s.t.Helper()
	c := good[id](s)
	s.failing(func(call string) error {
		if call == "Denials.Denied" {
			return nil
		}
		return account.ErrThrottled(errors.New("a secret cause"))
	}, c)
	for range 40 {
		if g = s.send(next()); g.status == http.StatusTooManyRequests {
			break
		}
	}
	return g
}

// tried sends a call with a wrong code as often as one may be tried.
func (s *stage) tried(c call) {
	s.t.Helper()
	for range 5 {
		if g := s.send(c); g.member("code") != "code_mismatch" {
			s.t.Fatalf("%s: a wrong code is %d %s", s.door, g.status, g.body)
		}
	}
}

// person is somebody with an account, or about to have one.
type person struct{ name, email, token, refresh, code, registration string }

// asks is a call of a person who is signed in.
func (p person) asks(method, path, body string) call {
	return call{method: method, path: path, body: body, token: p.token}
}

func (s *stage) name() string { return fmt.Sprintf("person-%d", s.people.Add(1)) }

// signIn gives a person with their tokens.
func (s *stage) signIn(p person) person {
	s.t.Helper()
	g := s.made(post("/login", credentialsOf(p.name, accounttest.Password)))
	p.token, p.refresh = g.member("access_token"), g.member("refresh_token")
	return p
}

// member is signed in, and has no address.
func (s *stage) member() person {
	s.t.Helper()
	p := person{name: s.name()}
	s.made(post("/register", credentialsOf(p.name, accounttest.Password)))
	return s.signIn(p)
}

// pending has a code.
func (s *stage) pending() person {
	s.t.Helper()
	return s.pendingAt(s.name() + "@example.com")
}

func (s *stage) pendingAt(email string) person {
	s.t.Helper()
	p := person{name: s.name(), email: email}
	g := s.made(post("/register", `{"username":"`+p.name+`","password":"`+accounttest.Password+`","email":"`+p.email+`"}`))
	p.registration, p.code = g.member("registration_token"), s.mailed(p.email)
	return p
}

// mailed gives the newest code sent to an address.
func (s *stage) mailed(email string) string {
	s.t.Helper()
	mail := s.newest(email)
	code := regexp.MustCompile(`\b\d{6}\b`).FindString(mail)
	if code == "" {
		s.t.Fatalf("no code went to %s: %s", email, mail)
	}
	return code
}

// forgetful has a code for a new password.
func (s *stage) forgetful() person {
	s.t.Helper()
	p := s.pending()
	s.made(s.confirming(p))
	s.made(post("/login/forgot", naming(p.name)))
	p.code = s.mailed(p.email)
	return p
}

// moving is signed in, and has a code for another address.
func (s *stage) moving() person {
	s.t.Helper()
	p := s.member()
	p.email = s.name() + "@example.com"
	s.made(p.asks(http.MethodPost, "/account/email", moving(p.email)))
	p.code = s.mailed(p.email)
	return p
}

// given_ has a password that an operator gave to them.
func (s *stage) newcomer() string {
	s.t.Helper()
	name := s.member().name
	if err := s.ports.Directory.SetTemporaryPassword(s.t.Context(), name, "a horse that was given"); err != nil {
		s.t.Fatal(err)
	}
	return name
}

// challenged is asked for a password of their own.
func (s *stage) challenged() (name, session string) {
	s.t.Helper()
	name = s.newcomer()
	g := s.send(post("/login", credentialsOf(name, "a horse that was given")))
	var p httpapi.Problem
	if err := json.Unmarshal([]byte(g.body), &p); err != nil || p.Challenge == nil {
		s.t.Fatalf("%s: no challenge, but %d %s", s.door, g.status, g.body)
	}
	return name, p.Challenge.Session
}

func (s *stage) idOf(token string) account.UserID {
	s.t.Helper()
	return account.UserID(s.made(call{method: http.MethodGet, path: "/account", token: token}).member("user_id"))
}

func (s *stage) confirming(p person) call {
	return post("/register/confirm", `{"username":"`+p.name+`","code":"`+p.code+`","registration_token":"`+p.registration+`"}`)
}

func naming(name string) string { return `{"username":"` + name + `"}` }
func coding(code string) string { return `{"code":"` + code + `"}` }

func moving(email string) string {
	return `{"email":"` + email + `","password":"` + accounttest.Password + `"}`
}

func changing(password string) string {
	return `{"current_password":"` + accounttest.Password + `","new_password":"` + password + `"}`
}

func resetting(name, code string) call {
	return post("/login/reset", `{"username":"`+name+`","code":"`+code+`","password":"another horse, another staple"}`)
}

func answering(name, challenge, session string) call {
	return post("/login/challenge", `{"username":"`+name+`","challenge":"`+challenge+`","session":"`+session+
		`","responses":{"NEW_PASSWORD":"another horse, another staple","SMS_MFA_CODE":"123456"}}`)
}

// with is a call with another header.
func with(c call, name, value string) call {
	if c.header = c.header.Clone(); c.header == nil {
		c.header = http.Header{}
	}
	c.header.Set(name, value)
	return c
}

// other is another request of the same caller: names are theirs in capitals, too.
func other(body string) string {
	return strings.NewReplacer(`"username":"person-`, `"username":"PERSON-`, `"email":"person-`, `"email":"other-`,
		"another staple", "an older staple", `{"code":"`, `{"code":"1`).Replace(body)
}

// askAtOnce asks each operation that has it for what it says of a request that is still being
// worked on: it does so after a while, so that all are asked at the same time.
func askAtOnce(t *testing.T, c *contract, door string) {
	t.Helper()
	var wg sync.WaitGroup
	for id, p := range c.operations {
		if _, ok := p.responses["409"].Content["application/problem+json"].Examples["request_in_progress"]; !ok {
			continue
		}
		s := newStage(t, c, door)
		again := with(good[id](s), "Idempotency-Key", uuid)
		entered, leave := make(chan struct{}), make(chan struct{})
		s.ports.Finish(t.Context()) // what is asked from now on is asked by the first
		var stopped atomic.Bool
		fault := func(call string) error {
			switch {
			case strings.HasPrefix(call, "Records."):
			case call == "Denials.Denied": // nobody waits for it that long
			case stopped.CompareAndSwap(false, true):
				close(entered)
				<-leave
			}
			return nil
		}
		s.fault.Store(&fault)
		ended := make(chan struct{})
		wg.Go(func() {
			defer close(ended)
			s.made(again)
		})
		wg.Go(func() {
			select {
			case <-entered:
			case <-ended:
				t.Errorf("%s: %s asks for nothing", door, id)
				return
			}
			g := s.send(again)
			close(leave)
			<-ended
			if g.member("code") != "request_in_progress" {
				t.Errorf("%s: %s while it is worked on is %d %s", door, id, g.status, g.body)
			}
		})
	}
	wg.Wait()
}

// sendSlowly sends each operation that takes a body one that does not come to its end.
func sendSlowly(t *testing.T, c *contract) {
	t.Helper()
	w := newStage(t, c, "http").world
	server := httptest.NewServer(w.handler)
	defer server.Close()
	var wg sync.WaitGroup
	for id, p := range c.operations {
		if p.responses["408"].Content == nil {
			continue
		}
		wg.Go(func() {
			token := "x.y.z"
			if id == "introspect" {
				token = newSecret
			}
			conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			_, err = fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: 100\r\n\r\n{", p.method, p.path, token)
			if err != nil {
				t.Error(err)
				return
			}
			res, err := http.ReadResponse(bufio.NewReader(conn), nil)
			g := answer(t, res, err)
			if c.check(t, "http", call{method: p.method, path: p.path}, g); g.status != http.StatusRequestTimeout {
				t.Errorf("%s of a slow body is %d %s", id, g.status, g.body)
			}
		})
	}
	wg.Wait()
}

// askDraining asks whether to send requests to a process that is about to end.
func askDraining(t *testing.T, c *contract) {
	t.Helper()
	ctx, end := context.WithCancel(t.Context())
	listens, ended := make(chan string, 1), make(chan error, 1)
	w := newStage(t, c, "http").world
	go func() {
		ended <- frontdoor.Serve(ctx, w.handler, frontdoor.Options{
			Addr: "127.0.0.1:0", DrainDelay: time.Second, Logger: slog.New(slog.DiscardHandler),
			OnListen: func(addresses []net.Addr) { listens <- addresses[0].String() },
		})
	}()
	address := <-listens
	end()
	for code := ""; code != "draining"; {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/readyz", nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultTransport.RoundTrip(req)
		g := answer(t, res, err)
		c.check(t, "http", call{method: http.MethodGet, path: "/readyz"}, g)
		code = g.member("code")
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
