package backend_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/backend"
	"spillway.example/services/internal/settings"
)

// aws is Secrets Manager and Cognito on one endpoint: it has one secret, and takes a
// sign-in only with the hash that is made with the client's secret.
func aws(t *testing.T, secret string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct {
			SecretID       string `json:"SecretId"`
			AuthParameters map[string]string
		}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Errorf("a request that is not JSON: %v", err)
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		if region := r.Header.Get("Authorization"); strings.Contains(region, "/cognito-idp/") && !strings.Contains(region, "/eu-west-1/") {
			t.Errorf("Cognito is asked with %s", region)
		}
		switch target := r.Header.Get("X-Amz-Target"); {
		case strings.HasSuffix(target, ".GetSecretValue") && body.SecretID == "arn:the-secret":
			fmt.Fprintf(w, `{"SecretString":%q}`, secret)
		case strings.HasSuffix(target, ".InitiateAuth") && body.AuthParameters["SECRET_HASH"] == "JaMbYLINcg1/aJdiJ1jhgT8SnzgAoKRgE3eWboVt1fI=":
			fmt.Fprint(w, `{"AuthenticationResult":{"AccessToken":"a","RefreshToken":"r","ExpiresIn":60}}`)
		default:
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, `{"__type":"NotAuthorizedException","message":"no %s for %s"}`, target, body.SecretID)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// inRegion gives the test AWS credentials, good for nothing, and a region.
func inRegion(t *testing.T, region string) {
	t.Helper()
	t.Setenv("AWS_REGION", region)
	t.Setenv("AWS_ACCESS_KEY_ID", "id")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "key")
}

// The client's secret is the same by every way to give it.
func TestClientSecret(t *testing.T) {
	inRegion(t, "us-east-2") // the pool's id says where the pool is
	for name, tt := range map[string]struct{ kept, setting, want string }{
		"itself":       {"", "USER_POOL_CLIENT_SECRET=shh", ""},
		"kept as text": {"shh", "USER_POOL_CLIENT_SECRET_ARN=arn:the-secret", ""},
		"kept as JSON": {`{"client_id":"client","client_secret":"shh"}`, "USER_POOL_CLIENT_SECRET_ARN=arn:the-secret", ""},
		"kept empty":   {"", "USER_POOL_CLIENT_SECRET_ARN=arn:the-secret", "USER_POOL_CLIENT_SECRET_ARN"},
		"not there":    {"shh", "USER_POOL_CLIENT_SECRET_ARN=arn:another", "USER_POOL_CLIENT_SECRET_ARN"},
	} {
		t.Setenv("AWS_ENDPOINT_URL", aws(t, tt.kept))
		s, err := settings.Parse(settings.Login, []string{"USER_POOL_ID=eu-west-1_x", "USER_POOL_CLIENT_ID=client", tt.setting})
		if err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		b, err := backend.Open(t.Context(), backend.Config{Settings: s, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		if tt.want != "" {
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "shh") {
				t.Errorf("%s: got %v, want an error that names %s", name, err, tt.want)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, err := b.Directory.FindUser(t.Context(), "alice"); account.CodeOf(err) != account.CodeInternal {
			t.Errorf("%s: FindUser, which is signed: %v", name, err)
		}
		if tokens, err := b.Directory.SignIn(t.Context(), "alice", "password"); err != nil || tokens.AccessToken != "a" {
			t.Errorf("%s: SignIn: %v", name, err)
		}
		// Without a mail server a notice is lost, and the log says so without the address.
		err = b.Mailer.Send(t.Context(), account.Mail{To: "alice@example.com", Subject: "A notice"})
		if b.Finish(t.Context()); err != nil ||
			!strings.Contains(log.String(), "SMTP_URL") || strings.Contains(log.String(), "alice@") {
			t.Errorf("%s: Send: %v, and the log says %q", name, err, &log)
		}
		// Nor can a code go to another address, and nobody is told that it has.
		err = b.Registrar(s, slog.New(slog.DiscardHandler)).ChangeEmail(t.Context(), account.Identity{Username: "alice"}, "alice@example.com", "password")
		if account.CodeOf(err) != account.CodeUnsupported || !strings.Contains(err.Error(), "SMTP_URL") {
			t.Errorf("%s: ChangeEmail: %v, want unsupported, and why", name, err)
		}
	}
}

// The mail server's URL has a password in it, and may be kept where passwords are.
func TestMailServerKept(t *testing.T) {
	inRegion(t, "eu-west-1")
	for name, tt := range map[string]struct{ kept, want string }{
		"as text":           {"smtp://user:shh@127.0.0.1:1?from=accounts@example.com", ""},
		"as JSON":           {`{"smtp_url":"smtp://user:shh@127.0.0.1:1?from=accounts@example.com"}`, ""},
		"without an origin": {"smtp://user:shh@127.0.0.1:1", "SMTP_URL_ARN"},
		"no URL":            {"shh", "SMTP_URL_ARN"},
		"as other JSON":     {`{"password":"shh"}`, "SMTP_URL_ARN"},
	} {
		t.Setenv("AWS_ENDPOINT_URL", aws(t, tt.kept))
		s, err := settings.Parse(settings.Register, []string{
			"USER_POOL_ID=eu-west-1_x", "USER_POOL_CLIENT_ID=client", "USER_POOL_CLIENT_SECRET=shh", "SMTP_URL_ARN=arn:the-secret",
		})
		if err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		b, err := backend.Open(t.Context(), backend.Config{Settings: s, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		if tt.want != "" {
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "shh") {
				t.Errorf("%s: got %v, want an error that names %s", name, err, tt.want)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		// Nobody is at that address: what matters is that it was asked.
		_ = b.Mailer.Send(t.Context(), account.Mail{To: "alice@example.com", Subject: "A notice"})
		if b.Finish(t.Context()); !strings.Contains(log.String(), "127.0.0.1:1") || strings.Contains(log.String(), "shh") {
			t.Errorf("%s: the log says %q", name, &log)
		}
	}
}
