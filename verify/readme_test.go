package verify_test

import (
	"os"
	"strings"
	"testing"
)

// The README's program is that of an example, which is built with all else.
func TestREADME(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile("../examples/orders/main.go")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), "```go\n"+string(program)+"```") {
		t.Error("the README's program is not examples/orders/main.go")
	}
}
