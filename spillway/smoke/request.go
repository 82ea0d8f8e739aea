package smoke

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// tries is how often a request is sent that the network or the load balancer swallows: a
// lost packet is no reason to take a deployment back.
const tries = 3

type fields map[string]string

// answer is an answer's status and the fields of its body that steps look at.
type answer struct {
	status    int
	repeated  bool // it is the answer to a later try
	requestID string

	UserID            string `json:"user_id"`
	ConfirmationIsDue bool   `json:"confirmation_required"`
	AccessToken       string `json:"access_token"`
	RefreshToken      string `json:"refresh_token"`
	TokenType         string `json:"token_type"`
	Username          string `json:"username"`
	Code              string `json:"code"` // of a problem
	Detail            string `json:"detail"`
}

// expect wants a status.
func (a answer) expect(status int) error {
	if a.status != status {
		return a.unlike(status)
	}
	return nil
}

// unlike is the error of an answer with another status than want.
func (a answer) unlike(want int) error {
	said := ""
	if a.Code != "" {
		said = fmt.Sprintf(" (%s: %s)", a.Code, a.Detail)
	}
	if a.requestID != "" {
		said += ", request " + a.requestID
	}
	return fmt.Errorf("got %d%s, want %d", a.status, said, want)
}

// send sends a request, again where no service has answered it.
func (w Walk) send(ctx context.Context, method, path, token string, body fields) (answer, error) {
	for try := 1; ; try++ {
		got, err := w.once(ctx, method, path, token, body)
		got.repeated = try > 1
		again := err != nil
		switch got.status {
		case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout, http.StatusTooManyRequests:
			again = true
		}
		if !again || try == tries || ctx.Err() != nil {
			return got, err
		}
		why := err
		if why == nil {
			why = fmt.Errorf("got %d", got.status)
		}
		fmt.Fprintf(w.Out, "  %s %s: %v; trying again\n", method, path, why)
		select {
		case <-time.After(w.Pause):
		case <-ctx.Done():
			return answer{}, ctx.Err()
		}
	}
}

func (w Walk) once(ctx context.Context, method, path, token string, body fields) (answer, error) {
	var payload []byte
	if body != nil {
		var err error
		if payload, err = json.Marshal(body); err != nil {
			return answer{}, err
		}
	}
	r, err := http.NewRequestWithContext(ctx, method, w.Base+path, bytes.NewReader(payload))
	if err != nil {
		return answer{}, err
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	r.Header.Set("User-Agent", "spillway-smoke")
	res, err := w.Client.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return answer{}, err
	}
	got := answer{status: res.StatusCode, requestID: res.Header.Get("X-Request-Id")}
	if err := json.Unmarshal(text, &got); err != nil && len(text) > 0 && res.StatusCode/100 == 2 {
		return answer{}, errors.New("the answer is no JSON") // and what it is may be secret
	}
	return got, nil
}
