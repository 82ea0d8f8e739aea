package awstest

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"testing"
)

// digits is a code in a mail. ministack's is always the same, but only where it was sent.
var digits = regexp.MustCompile(`\b\d{6}\b`)

// Code gives the newest code that ministack's Cognito mailed to an address.
func Code(t *testing.T, _, email string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, Cognito.Endpoint(t)+"/_ministack/ses/messages", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatalf("reading ministack's mail: %v", err)
	}
	defer res.Body.Close()
	var box struct {
		Messages map[string][]struct { // by account
			To       []string
			BodyText string
		}
	}
	if err := json.NewDecoder(res.Body).Decode(&box); err != nil {
		t.Fatalf("reading ministack's mail: %v", err)
	}
	for _, messages := range box.Messages {
		for _, m := range slices.Backward(messages) {
			if code := digits.FindString(m.BodyText); code != "" && slices.Contains(m.To, email) {
				return code
			}
		}
	}
	t.Fatalf("ministack sent no code to %s", email)
	return ""
}
