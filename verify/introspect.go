package verify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// maxIntrospection is how much of an answer is read, in bytes.
const maxIntrospection = 64 << 10

// Introspector asks login's POST /token/introspect (RFC 7662) whether a token is still
// good. It implements [Revocations].
type Introspector struct {
	url, secret string
	client      *http.Client
}

var _ Revocations = (*Introspector)(nil)

// NewIntrospector makes an Introspector over the endpoint's URL and the
// INTROSPECTION_SECRET that login was given. client may be nil: one that follows no
// redirects, since the secret and the token are for that endpoint alone.
func NewIntrospector(endpoint, secret string, client *http.Client) (*Introspector, error) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, errors.New("verify: the introspection endpoint must be an http or https URL")
	}
	if secret == "" {
		return nil, errors.New("verify: the introspection secret is required")
	}
	if client == nil {
		client = &http.Client{
			Timeout:       askTimeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	return &Introspector{endpoint, secret, client}, nil
}

// Revoked implements [Revocations].
func (i *Introspector) Revoked(ctx context.Context, token string, _ Claims) (bool, error) {
	form := url.Values{"token": {token}, "token_type_hint": {"access_token"}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, i.url, strings.NewReader(form.Encode()))
	if err != nil {
		return false, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Accept", "application/json")
	request.Header.Set("Authorization", "Bearer "+i.secret)
	response, err := i.client.Do(request)
	if err != nil {
		return false, fmt.Errorf("introspecting: %w", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxIntrospection))
	if err != nil {
		return false, fmt.Errorf("introspecting: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return false, fmt.Errorf("introspecting: %s answered %s", i.url, response.Status)
	}
	var answer struct {
		Active *bool `json:"active"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.Active == nil {
		return false, fmt.Errorf("introspecting: %s answered no introspection", i.url)
	}
	return !*answer.Active, nil
}
