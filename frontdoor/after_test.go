package frontdoor_test

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"spillway.example/frontdoor/frontdoortest"
)

// An answer is there before what comes after it has ended, and the next invocation begins
// after that: this function would else be frozen in the middle.
func TestAfterAnswer(t *testing.T) {
	t.Parallel()
	for name, env := range map[string]string{"whole": "STREAMING=", "streamed": "STREAMING=1"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api, err := frontdoortest.NewRuntimeAPI(30 * time.Second)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = api.Close() })
			mayEnd := filepath.Join(t.TempDir(), "go")
			frontdoortest.Start(t, append(api.Env(), env, "GO="+mayEnd), frontdoortest.Binary(t, "./testdata/after"))
			event, err := frontdoortest.Event(frontdoortest.FunctionURL, http.MethodGet, "/", "service.example.com", http.Header{}, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{"after 0", "after 1"} {
				got, err := api.Invoke(t.Context(), event)
				if err != nil || !bytes.Contains(got, []byte(want)) || bytes.Contains(got, []byte("Reader")) {
					t.Fatalf("got %s, %v, want %q", got, err, want)
				}
				if err := os.WriteFile(mayEnd, nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}
