package embedded_test

import (
	"testing"

	"github.com/alexedwards/argon2id"

	"spillway.example/services/internal/account/accounttest"
	"spillway.example/services/internal/embedded"
)

// BenchmarkSignIn signs in on all cores at once, with what people get by default.
// BenchmarkArgon2id is the part of it that cannot be less.
func BenchmarkSignIn(b *testing.B) {
	d := directory(open(b, b.TempDir(), func(c *embedded.Config) { c.Argon2 = embedded.DefaultArgon2 }))
	member(b, d, "alice")
	b.SetParallelism(4)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := d.SignIn(b.Context(), "alice", accounttest.Password); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkArgon2id(b *testing.B) {
	a := embedded.DefaultArgon2
	hash, err := argon2id.CreateHash(accounttest.Password, &argon2id.Params{
		Memory: a.Memory, Iterations: a.Iterations, Parallelism: a.Parallelism, SaltLength: 16, KeyLength: 32,
	})
	if err != nil {
		b.Fatal(err)
	}
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if fits, err := argon2id.ComparePasswordAndHash(accounttest.Password, hash); !fits || err != nil {
				b.Error(fits, err)
			}
		}
	})
}

// BenchmarkRefresh and BenchmarkGetUser are what a signed-in user costs.
func BenchmarkRefresh(b *testing.B) {
	d := directory(open(b, b.TempDir()))
	member(b, d, "alice")
	token := signIn(b, d, "alice").RefreshToken
	for b.Loop() {
		tokens, err := d.Refresh(b.Context(), token)
		if err != nil {
			b.Fatal(err)
		}
		token = tokens.RefreshToken
	}
}

func BenchmarkGetUser(b *testing.B) {
	d := directory(open(b, b.TempDir()))
	member(b, d, "alice")
	tokens := signIn(b, d, "alice")
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := d.GetUser(b.Context(), tokens.AccessToken); err != nil {
				b.Error(err)
			}
		}
	})
}
