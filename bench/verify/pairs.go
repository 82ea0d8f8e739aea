package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jwt"

	"spillway.example/services/local"
	"spillway.example/verify"
)

const (
	issuer   = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI"
	client   = "4example"
	password = "correct horse battery staple"
	// persons is how many accounts sign in in turn.
	persons = 16
	// tokens is how many tokens go round where each is to be a new one: more than
	// package verify remembers.
	tokens = 20_000
)

// pairs is what is measured. end gives back what it stands on.
func pairs(ctx context.Context) (all []pair, end func(), err error) {
	for _, alg := range []jwa.SignatureAlgorithm{jwa.RS256(), jwa.ES256()} {
		more, err := checks(ctx, alg)
		if err != nil {
			return nil, nil, err
		}
		all = append(all, more...)
	}
	more, end, err := services(ctx)
	return append(all, more...), end, err
}

// checks is package verify beside what a user of jwx would write: a set of keys, issuer,
// client and use.
func checks(ctx context.Context, alg jwa.SignatureAlgorithm) ([]pair, error) {
	signer, set, err := newKey(alg)
	if err != nil {
		return nil, err
	}
	jwks := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(set) }))
	defer jwks.Close()
	v, err := verify.New(verify.Config{Issuer: issuer, ClientIDs: []string{client}, JWKSURL: jwks.URL})
	if err != nil {
		return nil, err
	}
	n := 2
	if alg == jwa.ES256() { // cheap to sign
		n = tokens
	}
	signed := make([]string, n)
	for i := range signed {
		if signed[i], err = sign(alg, signer); err != nil {
			return nil, err
		}
	}
	if _, err := v.Verify(ctx, signed[0]); err != nil { // fetches the keys
		return nil, err
	}
	bare := func(token string) error {
		_, err := jwt.Parse([]byte(token), jwt.WithKeySet(set), jwt.WithIssuer(issuer),
			jwt.WithClaimValue("client_id", client), jwt.WithClaimValue("token_use", "access"))
		return err
	}
	ours := func(token string) error {
		_, err := v.Verify(ctx, token)
		return err
	}
	same := pair{
		name: "verify, a token again, " + alg.String(), beside: "jwx", want: 0.8, round: round,
		ours: func() error { return ours(signed[0]) }, bare: func() error { return bare(signed[0]) },
	}
	if alg != jwa.ES256() {
		// RSA's private side is too dear to sign so many: one verifier for each check
		// remembers nothing.
		fresh := func() error {
			v, err := verify.New(verify.Config{Issuer: issuer, ClientIDs: []string{client}, Keys: v.Keys})
			if err != nil {
				return err
			}
			_, err = v.Verify(ctx, signed[0])
			return err
		}
		return []pair{{name: "verify, a new token, " + alg.String(), beside: "jwx", want: 0.8, round: round, ours: fresh, bare: same.bare}, same}, nil
	}
	var next atomic.Int64
	turn := func() string { return signed[int(next.Add(1))%len(signed)] }
	return []pair{
		{
			name: "verify, a new token, " + alg.String(), beside: "jwx", want: 0.8, round: round,
			ours: func() error { return ours(turn()) }, bare: func() error { return bare(turn()) },
		}, same,
	}, nil
}

func newKey(alg jwa.SignatureAlgorithm) (jwk.Key, jwk.Set, error) {
	var raw crypto.Signer
	var err error
	if alg == jwa.RS256() {
		raw, err = rsa.GenerateKey(rand.Reader, 2048)
	} else {
		raw, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	if err != nil {
		return nil, nil, err
	}
	private, err := jwk.Import(raw)
	if err != nil {
		return nil, nil, err
	}
	if err := errors.Join(private.Set(jwk.KeyIDKey, "k"), private.Set(jwk.AlgorithmKey, alg)); err != nil {
		return nil, nil, err
	}
	public, err := private.PublicKey()
	if err != nil {
		return nil, nil, err
	}
	set := jwk.NewSet()
	return private, set, set.AddKey(public)
}

// sign makes an access token as Cognito does.
func sign(alg jwa.SignatureAlgorithm, key jwk.Key) (string, error) {
	now := time.Now()
	t, err := jwt.NewBuilder().Issuer(issuer).Subject("7d0f6a3e-5b1c-4b7e-9a55-1f2e3d4c5b6a").JwtID(rand.Text()).
		IssuedAt(now).Expiration(now.Add(24*time.Hour)).
		Claim("client_id", client).Claim("token_use", "access").Claim("username", "alice").Claim("auth_time", now.Unix()).
		Claim("origin_jti", rand.Text()).Claim("scope", "aws.cognito.signin.user.admin").Claim("version", 2).
		Claim("cognito:groups", []string{"staff", "orders"}).Build()
	if err != nil {
		return "", err
	}
	signed, err := jwt.Sign(t, jwt.WithKey(alg, key))
	return string(signed), err
}

// services is both services in one process on the embedded store, called without a network:
// GET /me beside jwx's check of the same token, and POST /login beside argon2id.
func services(ctx context.Context) (all []pair, end func(), err error) {
	dir, err := os.MkdirTemp("", "spillway-bench-*")
	if err != nil {
		return nil, nil, err
	}
	handler, closed, err := local.Open(ctx, local.Config{
		Environ: []string{"DATA_DIR=" + dir, "LOG_LEVEL=warn"}, Stdout: io.Discard, Stderr: os.Stderr,
	})
	if err != nil {
		return nil, nil, errors.Join(err, os.RemoveAll(dir))
	}
	end = func() { _ = errors.Join(closed(), os.RemoveAll(dir)) }
	defer func() {
		if err != nil {
			end()
		}
	}()
	call := func(method, path, body, token string) (*httptest.ResponseRecorder, error) {
		r := httptest.NewRequestWithContext(ctx, method, path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		w := httptest.NewRecorder()
		if handler.ServeHTTP(w, r); w.Code != http.StatusOK {
			return nil, fmt.Errorf("%s answered %d %s", path, w.Code, w.Body)
		}
		return w, nil
	}
	// Each is one person's, since one account takes few sign-ins at once.
	var people atomic.Int64
	alice := func() string {
		return fmt.Sprintf(`{"username":"alice-%d","password":"`+password+`"}`, people.Add(1)%persons)
	}
	for range persons {
		for _, path := range []string{"/register", "/login"} { // so that their address is known
			if _, err := call(http.MethodPost, path, alice(), ""); err != nil {
				return nil, nil, err
			}
			people.Add(-1)
		}
		people.Add(1)
	}
	w, err := call(http.MethodPost, "/login", alice(), "")
	if err != nil {
		return nil, nil, err
	}
	var session struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &session); err != nil {
		return nil, nil, err
	}
	if w, err = call(http.MethodGet, "/.well-known/jwks.json", "", ""); err != nil {
		return nil, nil, err
	}
	set, err := jwk.Parse(w.Body.Bytes())
	if err != nil {
		return nil, nil, err
	}
	hash, err := argon2id.CreateHash(password, &argon2id.Params{Memory: 19 << 10, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32})
	if err != nil {
		return nil, nil, err
	}
	return []pair{
		{
			name: "GET /me", beside: "jwx", want: 0.8, round: round,
			ours: func() error { _, err := call(http.MethodGet, "/me", "", session.AccessToken); return err },
			bare: func() error { _, err := jwt.Parse([]byte(session.AccessToken), jwt.WithKeySet(set)); return err },
		},
		{
			name: "POST /login", beside: "argon2id", want: 0.9, round: slow, waits: true,
			ours: func() error { _, err := call(http.MethodPost, "/login", alice(), ""); return err },
			bare: func() error {
				if fits, err := argon2id.ComparePasswordAndHash(password, hash); err != nil || !fits {
					return fmt.Errorf("argon2id: %v, %w", fits, err)
				}
				return nil
			},
		},
	}, end, nil
}
