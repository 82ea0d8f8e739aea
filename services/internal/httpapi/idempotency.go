package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/telemetry"
)

// Idempotent is embedded in the input of an operation that makes or sends something, so
// that it may be asked for again without doing so twice. The input must also say whom it
// is about: by [Bearer], or by a method Subject that gives the username in it.
type Idempotent struct {
	IdempotencyKey string `json:"-" header:"Idempotency-Key" minLength:"16" maxLength:"255" pattern:"^[!-+.-~-]*$" patternDescription:"visible ASCII without a comma" doc:"Random text, such as a UUID, new for each request. The same request with the same key gets the same answer for 24 hours and is done once." example:"1f0c5d52-8a3e-4a51-9d0b-6a0f2f3d9c11"`
}

func (i *Idempotent) idempotencyKey() string { return i.IdempotencyKey }

type keyed interface{ idempotencyKey() string }

// kept is an answer that is given again.
type kept struct {
	Out     json.RawMessage `json:"out,omitempty"`
	Problem *Problem        `json:"problem,omitempty"`
}

// replayed has f answer once for each key, request and caller. The key may come as it is
// or as the quoted text that the draft has it be (RFC 9651): both are compared as they
// came.
func replayed[In, Out any](a *API, op Operation, f func(context.Context, *In) (*Out, error)) func(context.Context, *In) (*Out, error) {
	return func(ctx context.Context, in *In) (*Out, error) {
		key := any(in).(keyed).idempotencyKey() //nolint:forcetypeassert // Handle has looked
		if key == "" || a.replays == nil {
			return f(ctx, in)
		}
		caller, err := a.caller(ctx, in)
		switch {
		case err != nil:
			return nil, err
		case caller == "":
			return f(ctx, in)
		}
		request, err := json.Marshal(in)
		if err != nil {
			return nil, fmt.Errorf("encoding a request: %w", err)
		}
		call := account.Call{Operation: op.ID, Caller: caller, Key: key, Request: string(request)}
		var out *Out
		var problem *Problem
		answer, err := a.replays.Do(ctx, call, func(ctx context.Context) (answer []byte, final bool) {
			got, err := f(ctx, in)
			if out = got; err != nil {
				problem = NewProblem(ctx, a.log, err)
			}
			return encode(out, problem), problem == nil || problem.final()
		})
		switch {
		case err != nil:
			return nil, err
		case problem != nil:
			return nil, problem
		case out != nil:
			return out, nil
		}
		return again[Out](ctx, answer)
	}
}

// caller says whom a request is about, or nobody where its bearer is nobody: then the
// operation itself says so. CodeUnavailable where that cannot be known.
func (a *API) caller(ctx context.Context, in any) (account.Caller, error) {
	switch in := in.(type) {
	case interface{ Token() (string, error) }:
		token, _ := in.Token() // the operation says that there is none
		if token == "" || a.bearer == nil {
			return "", nil
		}
		who, err := a.bearer(ctx, token)
		switch account.CodeOf(err) {
		case "":
			return account.CallerByID(who.UserID), nil
		case account.CodeInvalidToken:
			return "", nil
		}
		return "", err
	case interface{ Subject() string }:
		return account.CallerByName(in.Subject()), nil
	}
	panic(fmt.Sprintf("%T says nothing of whom it is about", in))
}

// final says whether another try would end the same, at any time: with a fresh token, too,
// and once the answer's challenge is over. What breaks a rule ends the same without a record,
// which nobody has to pay for whoever sends it again and again.
func (p *Problem) final() bool {
	return p.Status < http.StatusInternalServerError && p.retryAfter == 0 &&
		p.Code != string(account.CodeInvalidToken) && p.Code != string(account.CodeChallenge) &&
		p.Code != string(account.CodeInvalid)
}

// encode makes what is kept of an answer.
func encode(out any, p *Problem) []byte {
	raw, err := json.Marshal(out)
	if err != nil {
		panic(err) // huma writes the same as JSON
	}
	answer, err := json.Marshal(kept{Out: raw, Problem: p})
	if err != nil {
		panic(err) // texts and numbers
	}
	return answer
}

// again decodes an answer.
func again[Out any](ctx context.Context, answer []byte) (*Out, error) {
	var k kept
	if err := json.Unmarshal(answer, &k); err != nil {
		return nil, fmt.Errorf("decoding an answer: %w", err)
	}
	if k.Problem != nil {
		k.Problem.RequestID = telemetry.RequestID(ctx)
		return nil, k.Problem
	}
	var out *Out
	if err := json.Unmarshal(k.Out, &out); err != nil {
		return nil, fmt.Errorf("decoding an answer: %w", err)
	}
	return out, nil
}
