package backend_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/backend"
	"spillway.example/services/internal/settings"
)

// Cognito answers for a token of any pool of its region, so it is not asked about one that
// is not of ours.
func TestTokenOfAnotherPool(t *testing.T) {
	var asked atomic.Int32
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err := key.PublicKey.Bytes() // 4, x, y
	if err != nil {
		t.Fatal(err)
	}
	cognito := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/jwks.json") {
			fmt.Fprintf(w, `{"keys":[{"kty":"EC","crv":"P-256","alg":"ES256","use":"sig","kid":"k","x":%q,"y":%q}]}`,
				base64.RawURLEncoding.EncodeToString(point[1:33]), base64.RawURLEncoding.EncodeToString(point[33:]))
			return
		}
		asked.Add(1)
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		_, _ = io.WriteString(w, `{"Username":"alice","UserAttributes":[{"Name":"sub","Value":"another"}]}`)
	}))
	defer cognito.Close()
	inRegion(t, "us-east-1")
	t.Setenv("AWS_ENDPOINT_URL", cognito.URL)
	s, err := settings.Parse(settings.Login, []string{
		"USER_POOL_ID=us-east-1_ours", "USER_POOL_CLIENT_ID=client", "USER_POOL_CLIENT_SECRET=shh", "JWKS_URL=" + cognito.URL + "/jwks.json",
	})
	if err != nil {
		t.Fatal(err)
	}
	b, err := backend.Open(t.Context(), backend.Config{Settings: s, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	for name, claims := range map[string]string{
		"another pool":   `"iss":"https://cognito-idp.us-east-1.amazonaws.com/us-east-1_theirs","client_id":"client","token_use":"access"`,
		"another client": `"iss":"https://cognito-idp.us-east-1.amazonaws.com/us-east-1_ours","client_id":"theirs","token_use":"access"`,
		"an id token":    `"iss":"https://cognito-idp.us-east-1.amazonaws.com/us-east-1_ours","aud":"client","token_use":"id"`,
	} {
		token := sign(t, key, `{`+claims+`,"sub":"another","username":"alice","exp":4102444800,"iat":1767225600}`)
		_, getUser := b.Directory.GetUser(t.Context(), token)
		for what, err := range map[string]error{
			"GetUser":           getUser,
			"ChangePassword":    b.Directory.ChangePassword(t.Context(), token, "a", "b"),
			"SignOutEverywhere": b.Directory.SignOutEverywhere(t.Context(), token),
		} {
			if account.CodeOf(err) != account.CodeInvalidToken {
				t.Errorf("%s with %s: %v, want an invalid token", what, name, err)
			}
		}
	}
	if asked.Load() != 0 {
		t.Errorf("Cognito was asked %d times", asked.Load())
	}
	ours := sign(t, key, `{"iss":"https://cognito-idp.us-east-1.amazonaws.com/us-east-1_ours","client_id":"client","token_use":"access",`+
		`"sub":"another","username":"alice","exp":4102444800,"iat":1767225600}`)
	if _, err := b.Directory.GetUser(t.Context(), ours); err != nil || asked.Load() != 1 {
		t.Errorf("a token of ours: %v, and Cognito was asked %d times", err, asked.Load())
	}
}

// sign makes a token of the key "k" (RFC 7518 section 3.4).
func sign(t *testing.T, key *ecdsa.PrivateKey, claims string) string {
	t.Helper()
	part := base64.RawURLEncoding.EncodeToString
	text := part([]byte(`{"alg":"ES256","kid":"k"}`)) + "." + part([]byte(claims))
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + part(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...))
}
