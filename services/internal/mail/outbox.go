package mail

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"spillway.example/services/internal/account"
)

// Kept is a mail that an outbox has kept.
type Kept struct {
	account.Mail
	SentAt time.Time
}

// Keeper keeps the newest mails of each address, and for some time only.
type Keeper interface {
	// KeepMail keeps a mail.
	KeepMail(ctx context.Context, m account.Mail) error
	// KeptMails gives the mails kept for an address, newest first.
	KeptMails(ctx context.Context, to string) ([]Kept, error)
}

// Outbox is a mailer that sends nothing. It writes each mail to a terminal and keeps
// it; as an [http.Handler] it lists those kept for an address.
//
// Its mails hold confirmation codes, so whoever mounts it must do so on a loopback
// listener only.
type Outbox struct {
	keeper   Keeper
	mu       sync.Mutex
	terminal io.Writer
}

var (
	_ account.Mailer = (*Outbox)(nil)
	_ http.Handler   = (*Outbox)(nil)
)

// NewOutbox makes an Outbox that keeps its mails with keeper and shows them on
// terminal.
func NewOutbox(keeper Keeper, terminal io.Writer) *Outbox {
	return &Outbox{keeper: keeper, terminal: terminal}
}

// Send implements [account.Mailer].
func (o *Outbox) Send(ctx context.Context, m account.Mail) error {
	if err := o.keeper.KeepMail(ctx, m); err != nil {
		return fmt.Errorf("keeping a mail: %w", err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	// A terminal that is gone is no reason to say that the mail is.
	_, _ = fmt.Fprintf(o.terminal, "\n--- mail to %s: %s\n%s---\n\n", m.To, m.Subject, m.Text)
	return nil
}

// item is a mail in the answer. The text comes before the time, so that a script
// that looks for the first number of six digits finds the code.
type item struct {
	To      string `json:"to"`
	Subject string `json:"subject"`
	Text    string `json:"text"`
	SentAt  string `json:"sent_at"` // RFC 3339 in UTC, whole seconds
}

// ServeHTTP answers GET ?to=address with the mails kept for the address as a JSON
// list, newest first. It answers only to the names of this machine, so that no page
// in a browser can reach it by a name of its own (DNS rebinding).
func (o *Outbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if !local(r.Host) {
		http.Error(w, "the outbox is for this machine only", http.StatusForbidden)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	to, err := account.FoldEmail(r.URL.Query().Get("to"))
	if err != nil {
		http.Error(w, "to must be an e-mail address: /outbox?to=name@example.com", http.StatusBadRequest)
		return
	}
	mails, err := o.keeper.KeptMails(r.Context(), to)
	if err != nil {
		http.Error(w, "the outbox cannot be read", http.StatusServiceUnavailable)
		return
	}
	items := make([]item, 0, len(mails))
	for _, m := range mails {
		items = append(items, item{m.To, m.Subject, m.Text, m.SentAt.UTC().Format(time.RFC3339)})
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(items) // the client went away
}

// local says whether a Host header names this machine's loopback.
func local(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
