package rpc_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"spillway.example/services/internal/rpc"
)

// Callers who hang up say nothing about register: however many do, the next is served.
func TestCallersWhoHangUp(t *testing.T) {
	t.Parallel()
	source, id, token := member(t)
	h := rpc.Handler(source, always, quiet)
	var hold atomic.Bool
	host := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if hold.Load() {
			<-r.Context().Done()
			return
		}
		h.ServeHTTP(w, r)
	}))
	for _, scheme := range []string{"grpc", "http"} {
		c := client(t, scheme+"://"+host)
		hold.Store(true)
		for range 20 {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(5*time.Millisecond, cancel)
			if _, err := c.ProfileOf(ctx, token); err == nil {
				t.Fatal("a question that was given up is answered")
			}
			cancel()
		}
		hold.Store(false)
		if p, err := c.ProfileOf(t.Context(), token); err != nil || p.UserID != id {
			t.Errorf("%s, after 20 callers hung up: got %+v, %v", scheme, p, err)
		}
	}
}
