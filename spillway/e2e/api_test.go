//go:build e2e

package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

const password = "correct horse battery staple"

// The doors, as the gateway's rules name them in the header X-Door; the empty one is
// whichever has its turn.
const (
	byHTTP   = "http"
	byLambda = "lambda"
	byEither = ""
)

// api talks to the services through the gateway, by one door.
type api struct {
	base, door string
}

// client has no connection of the gateway's more than it needs, and never repeats a
// request by itself: what is lost is to be seen.
var client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: time.Minute}

// answer is an answer's status and the fields of its body that tests look at.
type answer struct {
	Status int `json:"-"`

	Message           string `json:"message"`
	UserID            string `json:"user_id"`
	RegistrationToken string `json:"registration_token"`
	ConfirmationIsDue bool   `json:"confirmation_required"`
	AccessToken       string `json:"access_token"`
	RefreshToken      string `json:"refresh_token"`
	TokenType         string `json:"token_type"`
	ExpiresIn         int    `json:"expires_in"`
	Username          string `json:"username"`
	Email             string `json:"email"`
	EmailVerified     bool   `json:"email_verified"`
	Code              string `json:"code"` // of a problem
	Detail            string `json:"detail"`
}

type fields map[string]any

func (a api) post(ctx context.Context, path string, body fields) (answer, error) {
	return a.call(ctx, http.MethodPost, path, body, "")
}

func (a api) call(ctx context.Context, method, path string, body fields, token string) (answer, error) {
	var payload []byte
	if body != nil {
		var err error
		if payload, err = json.Marshal(body); err != nil {
			return answer{}, err
		}
	}
	r, err := http.NewRequestWithContext(ctx, method, a.base+path, bytes.NewReader(payload))
	if err != nil {
		return answer{}, err
	}
	r.GetBody = nil // else net/http might repeat it
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if a.door != byEither {
		r.Header.Set("X-Door", a.door)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return do(r)
}

func do(r *http.Request) (answer, error) {
	res, err := client.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return answer{}, err
	}
	got := answer{Status: res.StatusCode}
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &got); err != nil {
			return got, fmt.Errorf("%s %s: %d with a body that is no JSON: %.100q", r.Method, r.URL.Path, res.StatusCode, raw)
		}
	}
	return got, nil
}

// invoke invokes a function directly, at its emulator.
func invoke(ctx context.Context, emulator string, event fields) (answer, error) {
	payload, err := json.Marshal(event)
	if err != nil {
		return answer{}, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, emulator+"/2015-03-31/functions/function/invocations", bytes.NewReader(payload))
	if err != nil {
		return answer{}, err
	}
	res, err := client.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	var out struct {
		StatusCode int    `json:"statusCode"`
		Body       string `json:"body"`
	}
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil {
		return answer{}, err
	}
	got := answer{Status: out.StatusCode}
	return got, json.Unmarshal([]byte(out.Body), &got)
}

// code reads the newest code that the local Cognito has mailed to an address.
func code(ctx context.Context, mailbox, to string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, mailbox+"/_ministack/ses/messages", nil)
	if err != nil {
		return "", err
	}
	res, err := client.Do(r)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	var mail struct {
		Messages map[string][]struct {
			To       []string
			BodyText string
		} `json:"messages"`
	}
	if err := json.NewDecoder(res.Body).Decode(&mail); err != nil {
		return "", err
	}
	found := ""
	for _, messages := range mail.Messages {
		for _, m := range messages {
			if slices.ContainsFunc(m.To, func(a string) bool { return strings.EqualFold(a, to) }) {
				if c := regexp.MustCompile(`\b\d{6}\b`).FindString(m.BodyText); c != "" {
					found = c
				}
			}
		}
	}
	if found == "" {
		return "", fmt.Errorf("there is no mail with a code for %s", to)
	}
	return found, nil
}
