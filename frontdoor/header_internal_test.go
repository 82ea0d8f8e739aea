package frontdoor

import (
	"net/textproto"
	"testing"

	"pgregory.net/rapid"
)

// TestCanonical holds the table of known names to net/textproto's spelling.
func TestCanonical(t *testing.T) {
	t.Parallel()
	taken := 0
	for _, k := range known {
		if k.lower == "" {
			continue
		}
		taken++
		if got, want := canonical(k.lower), textproto.CanonicalMIMEHeaderKey(k.lower); got != want {
			t.Errorf("canonical(%q): got %q, want %q", k.lower, got, want)
		}
	}
	if taken < 35 {
		t.Errorf("only %d names have a slot of their own: choose another hash", taken)
	}
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.OneOf(rapid.StringMatching(`[A-Za-z-]{0,12}`), rapid.String()).Draw(t, "name")
		if got, want := canonical(name), textproto.CanonicalMIMEHeaderKey(name); got != want {
			t.Fatalf("canonical(%q): got %q, want %q", name, got, want)
		}
	})
}
