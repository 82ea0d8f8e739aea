package frontdoor

import (
	"testing"

	"pgregory.net/rapid"
)

// TestRun holds the run of plain characters, found eight at a time, to the same found
// one by one.
func TestRun(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := string(rapid.SliceOfN(rapid.OneOf(
			rapid.Byte(), rapid.ByteRange(0x1e, 0x23), rapid.ByteRange(0x5b, 0x5d), rapid.ByteRange(0x7f, 0x81), rapid.ByteRange(0xa0, 0xa3),
		), 0, 40).Draw(t, "s"))
		i := rapid.IntRange(0, len(s)).Draw(t, "i")
		want := i
		for want < len(s) && !stop[s[want]] {
			want++
		}
		if got := run(s, i); got != want {
			t.Fatalf("run(%q, %d): got %d, want %d", s, i, got, want)
		}
	})
}
