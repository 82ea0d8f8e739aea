package embedded_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jwt"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/account/accounttest"
	"spillway.example/services/internal/embedded"
	"spillway.example/verify"
)

// payload gives a token's claims, its signature checked against the store's keys.
func payload(t *testing.T, s *embedded.Store, signed string) map[string]any {
	t.Helper()
	set, err := s.JWKS(t.Context())
	if err != nil {
		t.Fatalf("JWKS: %v", err)
	}
	parsed, err := jwt.Parse([]byte(signed), jwt.WithKeySet(set), jwt.WithValidate(false))
	if err != nil {
		t.Fatalf("parsing a token: %v", err)
	}
	raw, err := json.Marshal(parsed)
	if err != nil {
		t.Fatal(err)
	}
	claims := map[string]any{}
	if err := json.Unmarshal(raw, &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

// TestTokensLookLikeCognitos compares with the claims of Cognito's own tokens
// ("Understanding user pool JSON web tokens" of its developer guide).
func TestTokensLookLikeCognitos(t *testing.T) {
	t.Parallel()
	clock, box := &accounttest.Clock{}, &postbox{}
	s := open(t, t.TempDir(), on(clock))
	d := s.Directory(box)
	made := signUp(t, d, alice)
	if err := d.Confirm(t.Context(), "alice", box.code(t)); err != nil {
		t.Fatal(err)
	}
	signedIn := clock.Now()
	first := signIn(t, d, "alice")
	clock.Advance(time.Minute)
	tokens, err := d.Refresh(t.Context(), first.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	if tokens.TokenType != "Bearer" || tokens.ExpiresIn != time.Hour {
		t.Errorf("got type %q, expires in %v", tokens.TokenType, tokens.ExpiresIn)
	}
	access, id := payload(t, s, tokens.AccessToken), payload(t, s, tokens.IDToken)
	common := map[string]any{
		"sub": string(made.UserID), "iss": "https://issuer.example", "auth_time": float64(signedIn.Unix()),
		"iat": float64(clock.Now().Unix()), "exp": float64(clock.Now().Add(time.Hour).Unix()),
		"origin_jti": payload(t, s, first.AccessToken)["origin_jti"],
	}
	for what, tt := range map[string]struct{ got, want map[string]any }{
		"access": {access, map[string]any{
			"token_use": "access", "client_id": "client", "username": "alice", "scope": "aws.cognito.signin.user.admin",
		}},
		"id": {id, map[string]any{
			"token_use": "id", "aud": []any{"client"}, "cognito:username": "alice",
			"email": "alice@example.com", "email_verified": true,
		}},
	} {
		maps.Copy(tt.want, common)
		if jti, _ := tt.got["jti"].(string); len(jti) != 36 || jti == access["jti"] && what == "id" {
			t.Errorf("%s token: got jti %q", what, jti)
		}
		tt.want["jti"] = tt.got["jti"]
		if !maps.EqualFunc(tt.got, tt.want, equal) {
			t.Errorf("%s token:\ngot  %v\nwant %v", what, tt.got, tt.want)
		}
	}
}

// equal compares two values of a JSON object.
func equal(a, b any) bool {
	la, ok := a.([]any)
	if !ok {
		return a == b
	}
	lb, _ := b.([]any)
	return slices.Equal(la, lb)
}

func TestLifetimes(t *testing.T) {
	t.Parallel()
	clock := &accounttest.Clock{}
	d := directory(open(t, t.TempDir(), on(clock), func(c *embedded.Config) {
		c.AccessLifetime, c.RefreshLifetime = 5*time.Minute, time.Hour
	}))
	member(t, d, "alice")
	tokens := signIn(t, d, "alice")
	if tokens.ExpiresIn != 5*time.Minute {
		t.Errorf("got expires in %v, want 5m", tokens.ExpiresIn)
	}
	clock.Advance(5*time.Minute + verify.DefaultSkew)
	_, err := d.GetUser(t.Context(), tokens.AccessToken)
	wantCode(t, "GetUser with an expired token", err, account.CodeInvalidToken)
	wantCode(t, "SignOutEverywhere with an expired token", d.SignOutEverywhere(t.Context(), tokens.AccessToken), account.CodeInvalidToken)
	clock.Advance(time.Hour - 5*time.Minute - verify.DefaultSkew)
	_, err = d.Refresh(t.Context(), tokens.RefreshToken)
	wantCode(t, "Refresh after the session's end", err, account.CodeInvalidToken)
}

// TestOthersCanCheck checks the store's tokens as a service of somebody else's would:
// by the set of keys it serves.
func TestOthersCanCheck(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		set, err := s.JWKS(r.Context())
		if err != nil {
			t.Errorf("JWKS: %v", err)
		}
		for i := range set.Len() {
			key, _ := set.Key(i)
			if private, err := jwk.IsPrivateKey(key); err != nil || private {
				t.Errorf("a private key is served: %v, %v", private, err)
			}
		}
		if err := json.NewEncoder(w).Encode(set); err != nil {
			t.Errorf("encoding: %v", err)
		}
	}))
	t.Cleanup(server.Close)
	d := directory(s)
	want := member(t, d, "alice")
	v, err := verify.New(verify.Config{Issuer: "https://issuer.example", ClientIDs: []string{"client"}, JWKSURL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	tokens := signIn(t, d, "alice")
	got, err := v.Verify(t.Context(), tokens.AccessToken)
	if err != nil || got.Subject != string(want) || got.Username != "alice" {
		t.Errorf("Verify: got %+v, %v", got, err)
	}
	_, err = v.Verify(t.Context(), tokens.IDToken)
	if !errors.Is(err, verify.ErrInvalidToken) {
		t.Errorf("Verify an id token: got %v", err)
	}
}

// TestTokensAcrossProcesses checks in one process what another has signed, with a key
// that came to the file later, too; and not what another folder's store has signed.
func TestTokensAcrossProcesses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	register, login := open(t, dir), directory(open(t, dir))
	member(t, login, "alice")
	signed := signIn(t, login, "alice").AccessToken
	if _, err := register.Verifier().Verify(t.Context(), signed); err != nil {
		t.Errorf("Verify: %v", err)
	}

	if _, err := raw(t, dir).ExecContext(t.Context(), `DELETE FROM signing_keys`); err != nil {
		t.Fatal(err)
	}
	newer := directory(open(t, dir)) // makes a new key
	signed = signIn(t, newer, "alice").AccessToken
	if _, err := register.Verifier().Verify(t.Context(), signed); err != nil {
		t.Errorf("Verify with a newer key: %v", err)
	}

	other := directory(open(t, t.TempDir()))
	member(t, other, "alice")
	_, err := register.Verifier().Verify(context.Background(), signIn(t, other, "alice").AccessToken)
	wantCode(t, "Verify another store's token", err, account.CodeInvalidToken)
}

// TestDeletedUser leaves nothing of a user, and nothing for the next of that name.
func TestDeletedUser(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := directory(open(t, dir))
	signUp(t, d, alice)
	if err := d.ConfirmUser(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	tokens := signIn(t, d, "alice")
	signUp(t, d, account.NewUser{Username: "waiting", Password: accounttest.Password, Email: "waiting@example.com"})
	for _, name := range []string{"alice", "waiting"} {
		u, err := d.FindUser(t.Context(), name)
		wantCode(t, "FindUser", err, "")
		wantCode(t, "DeleteUser", d.DeleteUser(t.Context(), u.ID), "")
	}
	left := column[string](t, dir, `
		SELECT id FROM users UNION SELECT user_id FROM codes UNION SELECT id FROM sessions UNION SELECT session_id FROM refresh_tokens`)
	if len(left) != 0 {
		t.Errorf("got rows of %v, want none", left)
	}
	_, err := d.GetUser(t.Context(), tokens.AccessToken)
	wantCode(t, "GetUser after DeleteUser", err, account.CodeInvalidToken)
	member(t, d, "alice")
	_, err = d.GetUser(t.Context(), tokens.AccessToken)
	wantCode(t, "GetUser after the name was given anew", err, account.CodeInvalidToken)
}

// TestAccessEndsWithTheSession has an access token that would outlive its session.
func TestAccessEndsWithTheSession(t *testing.T) {
	t.Parallel()
	clock := &accounttest.Clock{}
	d := directory(open(t, t.TempDir(), on(clock), func(c *embedded.Config) { c.RefreshLifetime = time.Minute }))
	member(t, d, "alice")
	tokens := signIn(t, d, "alice")
	clock.Advance(time.Minute)
	_, err := d.GetUser(t.Context(), tokens.AccessToken)
	wantCode(t, "GetUser", err, account.CodeInvalidToken)
}

// TestAccessEndsWithThePassword changes passwords in every way, and crashes at once: whatever
// ends sessions voids their access tokens in the same step.
func TestAccessEndsWithThePassword(t *testing.T) {
	t.Parallel()
	const next = "another horse, another staple"
	for name, change := range map[string]func(context.Context, *testing.T, *embedded.Directory, *postbox, account.Tokens) error{
		"reset": func(ctx context.Context, t *testing.T, d *embedded.Directory, box *postbox, _ account.Tokens) error {
			return errors.Join(d.ForgotPassword(ctx, "alice"), d.ResetPassword(ctx, "alice", box.code(t), next))
		},
		"a temporary password": func(ctx context.Context, _ *testing.T, d *embedded.Directory, _ *postbox, _ account.Tokens) error {
			return d.SetTemporaryPassword(ctx, "alice", next)
		},
		"sign out everywhere": func(ctx context.Context, _ *testing.T, d *embedded.Directory, _ *postbox, tokens account.Tokens) error {
			return d.SignOutEverywhere(ctx, tokens.AccessToken)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			s := open(t, dir)
			box := &postbox{}
			d := s.Directory(box)
			signUp(t, d, alice)
			wantCode(t, "Confirm", d.Confirm(t.Context(), "alice", box.code(t)), "")
			member(t, d, "bob")
			before, bobs := signIn(t, d, "alice"), signIn(t, d, "bob")
			if err := change(t.Context(), t, d, box, before); err != nil {
				t.Fatal(err)
			}
			after := open(t, dir).Verifier() // of the next process
			_, err := after.Verify(t.Context(), before.AccessToken)
			wantCode(t, "Verify", err, account.CodeInvalidToken)
			_, err = after.Verify(t.Context(), bobs.AccessToken)
			wantCode(t, "Verify of somebody else", err, "")
		})
	}
}
