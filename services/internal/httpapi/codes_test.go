package httpapi_test

import (
	"log/slog"
	"os"
	"regexp"
	"strings"
	"testing"

	"spillway.example/services/internal/httpapi"
)

// Every code of the domain has its status here, and its place in the document.
func TestEveryCodeIsDescribed(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("../account/errors.go")
	if err != nil {
		t.Fatal(err)
	}
	codes := regexp.MustCompile(`(?m)^\tCode\w+ +Code = "(\w+)"`).FindAllSubmatch(source, -1)
	if len(codes) < 15 {
		t.Fatalf("found %d codes", len(codes))
	}
	document, err := httpapi.New(httpapi.Config{Title: "Test", Version: "1", Logger: slog.New(slog.DiscardHandler)}).OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	_, enum, _ := strings.Cut(string(document), `"enum":[`)
	enum, _, _ = strings.Cut(enum, "]")
	for _, code := range codes {
		if !strings.Contains(enum, `"`+string(code[1])+`"`) {
			t.Errorf("%s has no status: %s", code[1], enum)
		}
	}
}
