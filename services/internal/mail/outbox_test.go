package mail_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/mail"
)

// keeper keeps mails in memory, or fails.
type keeper struct {
	mails []mail.Kept
	err   error
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)

func (k *keeper) KeepMail(_ context.Context, m account.Mail) error {
	k.mails = append([]mail.Kept{{Mail: m, SentAt: noon}}, k.mails...)
	return k.err
}

func (k *keeper) KeptMails(_ context.Context, to string) ([]mail.Kept, error) {
	var found []mail.Kept
	for _, m := range k.mails {
		if m.To == to {
			found = append(found, m)
		}
	}
	return found, k.err
}

func TestOutbox(t *testing.T) {
	t.Parallel()
	var terminal strings.Builder
	box := mail.NewOutbox(&keeper{}, &terminal)
	for _, m := range []account.Mail{
		{To: "alice@example.com", Subject: "First", Text: "Your code is 111111.\n"},
		{To: "bob@example.com", Subject: "Other", Text: "Your code is 222222.\n"},
		{To: "alice@example.com", Subject: "Second", Text: "Your code is 333333.\n"},
	} {
		if err := box.Send(t.Context(), m); err != nil {
			t.Fatalf("Send: %v", err)
		}
		if !strings.Contains(terminal.String(), m.To) || !strings.Contains(terminal.String(), m.Text) {
			t.Errorf("the terminal does not show the mail to %s", m.To)
		}
	}
	answer := get(box, "/outbox?to=Alice@EXAMPLE.com")
	if answer.Code != http.StatusOK || answer.Header().Get("Content-Type") != "application/json" ||
		answer.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("got %d, %v", answer.Code, answer.Header())
	}
	// What a script does: the first number of six digits is the newest code.
	if got := regexp.MustCompile(`\b\d{6,8}\b`).FindString(answer.Body.String()); got != "333333" {
		t.Errorf("first number: got %q, want the newest code", got)
	}
	var items []map[string]string
	if err := json.Unmarshal(answer.Body.Bytes(), &items); err != nil {
		t.Fatalf("answer: %v", err)
	}
	if len(items) != 2 || items[0]["subject"] != "Second" || items[1]["subject"] != "First" ||
		items[0]["to"] != "alice@example.com" || items[0]["sent_at"] != "2026-03-01T12:00:00Z" {
		t.Errorf("got %v, want the second and the first", items)
	}
	if got := strings.TrimSpace(get(box, "/outbox?to=nobody@example.com").Body.String()); got != "[]" {
		t.Errorf("no mails: got %s, want []", got)
	}
}

func get(h http.Handler, target string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	r.Host = "127.0.0.1:8080"
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestOutboxRefuses(t *testing.T) {
	t.Parallel()
	box := mail.NewOutbox(&keeper{}, &strings.Builder{})
	broken := mail.NewOutbox(&keeper{err: errors.New("broken")}, &strings.Builder{})
	for _, tt := range []struct {
		method, target, host string
		box                  *mail.Outbox
		want                 int
	}{
		{"GET", "/outbox?to=a@example.com", "localhost:8080", box, 200},
		{"HEAD", "/outbox?to=a@example.com", "[::1]:8080", box, 200},
		{"GET", "/outbox?to=a@example.com", "::1", box, 200},
		{"GET", "/outbox?to=a@example.com", "app.localhost", box, 200},
		{"GET", "/outbox?to=a@example.com", "evil.example:8080", box, 403},
		{"GET", "/outbox?to=a@example.com", "192.0.2.1:8080", box, 403},
		{"GET", "/outbox?to=a@example.com", "127.0.0.1.evil.example", box, 403},
		{"GET", "/outbox?to=a@example.com", "", box, 403},
		{"GET", "/outbox", "127.0.0.1", box, 400},
		{"GET", "/outbox?to=alice", "127.0.0.1", box, 400},
		{"POST", "/outbox?to=a@example.com", "127.0.0.1", box, 405},
		{"GET", "/outbox?to=a@example.com", "127.0.0.1", broken, 503},
	} {
		r := httptest.NewRequest(tt.method, tt.target, nil)
		r.Host = tt.host
		w := httptest.NewRecorder()
		tt.box.ServeHTTP(w, r)
		if w.Code != tt.want {
			t.Errorf("%s %s from %q: got %d, want %d", tt.method, tt.target, tt.host, w.Code, tt.want)
		}
		if strings.Contains(w.Body.String(), "broken") {
			t.Errorf("the answer shows the cause: %s", w.Body)
		}
	}
	if err := broken.Send(t.Context(), account.Mail{To: "a@example.com"}); err == nil {
		t.Error("Send to a broken outbox: no error")
	}
}
