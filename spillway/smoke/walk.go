// Package smoke walks a running deployment as a person would: sign up, sign in, ask who
// one is, go on with the session, sign out, and delete the account again. It asks for
// nothing but the services' own address, so it needs no credentials of AWS, and works on any
// environment.
package smoke

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Prefix is what the names of accounts begin with that a walk makes.
const Prefix = "smoke-"

// Walk is a walk to make.
type Walk struct {
	// Base is the services' address, such as https://accounts.example.com.
	Base string
	// Account is one that is there, for environments where a sign-up needs a mailbox
	// (EMAIL_REQUIRED). Where it is nil the walk makes one, without an address.
	Account *Account
	// Out gets a line for each step. No password or token is among them.
	Out io.Writer
	// Client does the requests; where it is nil, one that waits 20 seconds for an answer.
	Client *http.Client
	// Pause is how long to wait before a request is tried again; a second where it is
	// zero.
	Pause time.Duration
}

// Account is a username, which is no e-mail address, and its password.
type Account struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

// StepError is a step that went wrong.
type StepError struct {
	Step string
	Err  error
}

func (e *StepError) Error() string { return e.Step + ": " + e.Err.Error() }

func (e *StepError) Unwrap() error { return e.Err }

// Run makes the walk. The error is a [*StepError].
func (w Walk) Run(ctx context.Context) error {
	w.Base = strings.TrimSuffix(w.Base, "/")
	if w.Client == nil {
		w.Client = &http.Client{Timeout: 20 * time.Second}
	}
	if w.Pause == 0 {
		w.Pause = time.Second
	}
	began := time.Now()
	fmt.Fprintln(w.Out, "walking", w.Base)
	s := &session{walk: w, account: w.Account}
	steps := []step{
		{"register", s.register},
		{"register the same name", s.registerAgain},
		{"login with a wrong password", s.loginWrong},
	}
	if w.Account != nil {
		steps = []step{{"register the account's name", s.registerAgain}}
	}
	steps = append(steps, step{"login", s.login}, step{"me", s.me}, step{"refresh", s.refresh},
		step{"me after refresh", s.me}, step{"logout", s.logout}, step{"refresh after logout", s.refreshAfter})
	if w.Account == nil { // it is the walk's own
		steps = append(steps, step{"delete the account", s.remove})
	}
	for _, step := range steps {
		at := time.Now()
		if err := step.take(ctx); err != nil {
			if w.Account == nil && s.userID != "" {
				fmt.Fprintf(w.Out, "the account %s may stay\n", s.account.Username)
			}
			return &StepError{step.name, err}
		}
		fmt.Fprintf(w.Out, "  %-28s %5d ms\n", step.name, time.Since(at).Milliseconds())
	}
	fmt.Fprintf(w.Out, "%d steps went as they should, in %.1f s\n", len(steps), time.Since(began).Seconds())
	return nil
}

type step struct {
	name string
	take func(context.Context) error
}

// session is what the steps hand on.
type session struct {
	walk                      Walk
	account                   *Account
	userID                    string
	accessToken, refreshToken string
}
