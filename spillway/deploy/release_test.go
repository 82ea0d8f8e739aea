package deploy_test

import (
	"strings"
	"testing"

	"spillway.example/spillway/deploy"
)

func TestPrevious(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ history, current, want string }{
		{"", "a", ""},
		{"a", "a", ""},
		{"a b", "b", "a"},
		{"a b b", "b", "a"},
		{"a b", "c", "b"},          // c was applied, and never came to serve
		{"a b <a", "a", ""},        // not to b, which was bad
		{"a b c <b", "b", "a"},     // twice
		{"a b c <b <a", "a", ""},   // thrice
		{"a b <a c", "c", "a"},     // past b
		{"a b <a b c", "c", "b"},   // b was mended by what it stands on
		{"a b <z", "z", ""},        // to an image that was named by hand
		{"a b <z c", "c", "z"},     // and from there
		{"a b c <a d <a", "a", ""}, // past all of them
	} {
		var history []deploy.Release
		for r := range strings.FieldsSeq(tt.history) {
			if image, ok := strings.CutPrefix(r, "<"); ok {
				history = append(history, deploy.Release{Image: image, Verb: "rollback"})
			} else {
				history = append(history, deploy.Release{Image: r, Verb: "apply"})
			}
		}
		if got := deploy.Previous(history, tt.current); got != tt.want {
			t.Errorf("after %q with %s: got %q, want %q", tt.history, tt.current, got, tt.want)
		}
	}
}
