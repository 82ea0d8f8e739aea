package mail_test

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/mail"
)

var hello = account.Mail{To: "alice@example.com", Subject: "Grüße, your code", Text: "Your code is 123456.\n.\nBüro\n"}

// mailer makes a mailer to a server.
func mailer(t *testing.T, scheme, user, address string, query url.Values) *mail.SMTP {
	t.Helper()
	query.Set("from", "Accounts <accounts@example.com>")
	u := url.URL{Scheme: scheme, Host: address, RawQuery: query.Encode()}
	if user != "" {
		u.User = url.UserPassword(user, password)
	}
	m, err := mail.NewSMTP(u.String())
	if err != nil {
		t.Fatalf("NewSMTP: %v", err)
	}
	return m
}

func TestSend(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name               string
		scheme, user       string
		starttls           string
		implicit, offering bool // what the server does
		auth               bool
		fails              bool
		encrypted          bool
	}{
		{name: "plain, since there is no other way", scheme: "smtp"},
		{name: "STARTTLS where it is offered", scheme: "smtp", offering: true, encrypted: true},
		{name: "no STARTTLS by wish", scheme: "smtp", offering: true, starttls: "never"},
		{name: "STARTTLS insisted on and not offered", scheme: "smtp", starttls: "always", fails: true},
		{name: "a password over STARTTLS", scheme: "smtp", user: "us@er", offering: true, auth: true, encrypted: true},
		{name: "no password without STARTTLS", scheme: "smtp", user: "us@er", auth: true, fails: true},
		{name: "TLS from the first byte", scheme: "smtps", implicit: true, encrypted: true},
		{name: "a password over TLS", scheme: "smtps", user: "us@er", implicit: true, auth: true, encrypted: true},
		{name: "TLS to a server that speaks none", scheme: "smtps", fails: true},
		{name: "a wrong password", scheme: "smtps", user: "nobody", implicit: true, auth: true, fails: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := &server{auth: tt.auth}
			s.serve(t, tt.implicit, tt.offering)
			query := url.Values{}
			if tt.starttls != "" {
				query.Set("starttls", tt.starttls)
			}
			err := mailer(t, tt.scheme, tt.user, s.address, query).Send(t.Context(), hello)
			got := s.got()
			if tt.fails {
				if err == nil || len(got) != 0 {
					t.Errorf("Send: got %d mails and %v, want none and an error", len(got), err)
				}
				if !tt.encrypted && tt.scheme == "smtp" && len(s.passwords) > 0 {
					t.Error("the password went over the wire in the clear")
				}
				if err != nil && (strings.Contains(err.Error(), "123456") || strings.Contains(err.Error(), password)) {
					t.Errorf("the error shows a secret: %v", err)
				}
				return
			}
			if err != nil || len(got) != 1 {
				t.Fatalf("Send: got %d mails and %v, want one", len(got), err)
			}
			if got[0].encrypted != tt.encrypted || got[0].user != tt.user {
				t.Errorf("got encrypted %v, user %q, want %v, %q", got[0].encrypted, got[0].user, tt.encrypted, tt.user)
			}
			if got[0].from != "accounts@example.com" || got[0].to != hello.To {
				t.Errorf("envelope: got %s to %s", got[0].from, got[0].to)
			}
			wantMessage(t, got[0].data)
		})
	}
}

func wantMessage(t *testing.T, data string) {
	t.Helper()
	m, err := netmail.ReadMessage(strings.NewReader(data))
	if err != nil {
		t.Fatalf("reading the mail: %v", err)
	}
	body, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if got := strings.ReplaceAll(string(body), "\r\n", "\n"); err != nil || strings.TrimRight(got, "\n") != strings.TrimRight(hello.Text, "\n") {
		t.Errorf("text: got %q, %v, want %q", got, err, hello.Text)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil || subject != hello.Subject {
		t.Errorf("subject: got %q, %v, want %q", subject, err, hello.Subject)
	}
	for name, want := range map[string]string{
		"From": `"Accounts" <accounts@example.com>`, "To": "<alice@example.com>", "Auto-Submitted": "auto-generated",
	} {
		if got := m.Header.Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if !strings.HasSuffix(m.Header.Get("Message-Id"), "@example.com>") {
		t.Errorf("Message-Id: got %q", m.Header.Get("Message-Id"))
	}
	if date, err := m.Header.Date(); err != nil || time.Since(date).Abs() > time.Hour {
		t.Errorf("Date: got %v, %v", date, err)
	}
}

func TestNoHeaderCanBeInjected(t *testing.T) {
	t.Parallel()
	s := &server{}
	s.serve(t, false, false)
	m := mailer(t, "smtp", "", s.address, url.Values{})
	for _, bad := range []account.Mail{
		{To: "alice@example.com\r\nBcc: eve@example.com", Subject: "s", Text: "t"},
		{To: "alice@example.com, eve@example.com", Subject: "s", Text: "t"},
		{To: "Eve <eve@example.com>", Subject: "s", Text: "t"},
		{To: "alice@example.com> SIZE=1", Subject: "s", Text: "t"},
		{To: "", Subject: "s", Text: "t"},
		{To: "alice@example.com", Subject: "s\r\nBcc: eve@example.com", Text: "t"},
		{To: "alice@example.com", Subject: "s\nX: y", Text: "t"},
	} {
		if err := m.Send(t.Context(), bad); err == nil {
			t.Errorf("Send to %q with subject %q: no error", bad.To, bad.Subject)
		}
	}
	if got := s.got(); len(got) != 0 {
		t.Errorf("the server got %d mails, want none", len(got))
	}
}

// What is refused for good is told from what may be tried again, and no error has the text.
func TestServerRefuses(t *testing.T) {
	t.Parallel()
	for code, forGood := range map[int]bool{421: false, 451: false, 550: true, 554: true} {
		s := &server{refuse: &smtp.SMTPError{Code: code, Message: "no mailbox <" + hello.To + ">"}}
		s.serve(t, false, false)
		err := mailer(t, "smtp", "", s.address, url.Values{}).Send(t.Context(), hello)
		if err == nil || strings.Contains(err.Error(), "123456") || strings.Contains(err.Error(), hello.To) {
			t.Errorf("Send: got %v, want an error without the text and the address", err)
		}
		if err != nil && !strings.Contains(err.Error(), strconv.Itoa(code)) {
			t.Errorf("Send: got %v, want an error with the reply's code, %d", err, code)
		}
		if errors.Is(err, account.ErrMailRefused) != forGood {
			t.Errorf("reply %d: got %v, refused for good %v", code, err, forGood)
		}
	}
}

// A mail server that does not know our password will not know it in a second either.
func TestServerRefusesPassword(t *testing.T) {
	t.Parallel()
	s := &server{auth: true}
	s.serve(t, false, true)
	err := mailer(t, "smtp", "nobody", s.address, url.Values{}).Send(t.Context(), hello)
	if !errors.Is(err, account.ErrMailRefused) {
		t.Errorf("Send: got %v, want it refused for good", err)
	}
}

// A server that stops answering holds nobody up for longer than the context.
func TestContextEndsSending(t *testing.T) {
	t.Parallel()
	s := &server{reached: make(chan struct{}), stall: make(chan struct{})}
	s.serve(t, false, false)
	defer close(s.stall)
	ctx, cancel := context.WithCancel(t.Context())
	sent := make(chan error)
	go func() { sent <- mailer(t, "smtp", "", s.address, url.Values{}).Send(ctx, hello) }()
	<-s.reached
	cancel()
	if err := <-sent; err == nil || !strings.Contains(err.Error(), net.ErrClosed.Error()) {
		t.Errorf("Send: got %v, want the line closed, not a timeout", err)
	}
}

func TestServerIsAway(t *testing.T) {
	t.Parallel()
	// Port 1 of the loopback interface is nobody's.
	if err := mailer(t, "smtp", "", "127.0.0.1:1", url.Values{}).Send(t.Context(), hello); err == nil {
		t.Error("Send: no error")
	}
}

func TestURLs(t *testing.T) {
	t.Parallel()
	for _, good := range []string{
		"smtp://host?from=a@example.com",
		"smtp://user:pass@host:587?from=a@example.com&starttls=always",
		"smtps://user:pass@host?from=A+B+<a@example.com>",
		"smtp://[::1]:25?from=a@example.com&starttls=never",
	} {
		if _, err := mail.NewSMTP(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{
		"", "host:25", "http://host?from=a@example.com", "smtp://?from=a@example.com", "smtp://host",
		"smtp://host?from=nobody", "smtp://host?from=a@example.com&starttls=maybe",
		"smtps://host?from=a@example.com&starttls=always", "smtp://user:sesame@host:port?from=a@example.com",
		"smtp://user:sesame@host:99999?from=a@example.com", "smtp://user:sesame@host?from=a@example.com&to=b",
		"smtp://user:ses%ame@host?from=a@example.com",
	} {
		_, err := mail.NewSMTP(bad)
		if err == nil {
			t.Errorf("%s: no error", bad)
		} else if strings.Contains(err.Error(), "ses") {
			t.Errorf("%s: the error shows the password: %v", bad, err)
		}
	}
}
