package embedded_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/embedded"
	"spillway.example/verify"
)

// TestUnknownKeysAreReadSeldom floods a process with made-up keys once the file was read
// for one: the others wait for the next reading, and nobody with a known key does.
func TestUnknownKeysAreReadSeldom(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	if _, err := s.Key(t.Context(), "made up"); !errors.Is(err, verify.ErrUnknownKey) {
		t.Fatalf("a made-up key: got %v", err)
	}
	embedded.HoldReadings(s)
	known := served(t, s)[0]
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			if _, err := s.Key(ctx, fmt.Sprint("made up ", i)); account.CodeOf(err) != account.CodeUnavailable {
				t.Errorf("a made-up key while the file is not read: got %v, want unavailable when it gives up", err)
			}
			if _, err := s.Key(t.Context(), known); err != nil {
				t.Errorf("a known key: %v", err)
			}
		})
	}
	wg.Wait()
}

// TestReplacedInAFlood has another process replace the keys while tokens with made-up keys
// come all the time: what it signs is good at once.
func TestReplacedInAFlood(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	one, other := open(t, dir), open(t, dir)
	member(t, directory(one), "alice")
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for ctx.Err() == nil {
				_, err := one.Key(ctx, "made up")
				if !errors.Is(err, verify.ErrUnknownKey) && ctx.Err() == nil {
					t.Errorf("a made-up key: got %v", err)
				}
			}
		})
	}
	for range 2 {
		wantCode(t, "ReplaceKeys", other.ReplaceKeys(t.Context()), "")
		_, err := one.Verifier().Verify(t.Context(), signIn(t, directory(other), "alice").AccessToken)
		wantCode(t, "Verify a token of the key just made", err, "")
	}
	cancel()
	wg.Wait()
}
