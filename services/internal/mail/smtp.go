package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/textproto"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"
	gomail "github.com/wneessen/go-mail"

	"spillway.example/services/internal/account"
)

// smtpTimeout bounds the sending of one mail; the context may end it sooner.
const smtpTimeout = 10 * time.Second

// SMTP sends mails by a mail server (RFC 5321), a connection each. See [NewSMTP].
type SMTP struct {
	host     string
	from     *netmail.Address
	implicit bool // TLS from the first byte
	options  []gomail.Option
}

var _ account.Mailer = (*SMTP)(nil)

// Send implements [account.Mailer]. No error shows what the mail says.
func (s *SMTP) Send(ctx context.Context, m account.Mail) error {
	message, err := s.message(m)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, smtpTimeout)
	defer cancel()
	var line connection
	defer line.close()
	client, err := gomail.NewClient(s.host, append(slices.Clip(s.options), gomail.WithDialContextFunc(
		func(_ context.Context, network, address string) (net.Conn, error) {
			return line.dial(ctx, network, address, s.implicit)
		}))...)
	if err != nil {
		return fmt.Errorf("preparing to send mail: %w", err)
	}
	session, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return fmt.Errorf("connecting to mail server %s: %w", s.host, meaning(err, m.To))
	}
	if err := client.SendWithSMTPClient(session, message); err != nil {
		return fmt.Errorf("sending mail by %s: %w", s.host, meaning(err, m.To))
	}
	_ = client.CloseWithSMTPClient(session) // the mail is under way whatever comes now
	return nil
}

// meaning tells a refusal for good from one that passes (RFC 5321 section 4.2.1): a reply
// from 500 to 599, to the mail or, as a wrong password gets, before it. What it gives names
// no recipient.
func meaning(err error, to string) error {
	code := 0
	if e, ok := errors.AsType[*gomail.SendError](err); ok {
		code, err = e.ErrorCode(), unaddressed(e, to)
	} else if e, ok := errors.AsType[*textproto.Error](err); ok {
		code = e.Code
	}
	if code >= 500 {
		return errors.Join(account.ErrMailRefused, err)
	}
	return err
}

// unaddressed is an error for the log: the library lists the recipients, and a server's
// reply repeats whom the mail was for, so that of a reply only its codes are kept.
func unaddressed(e *gomail.SendError, to string) error {
	if code := e.ErrorCode(); code != 0 {
		return errors.New(strings.TrimSpace(fmt.Sprintf("%s: reply %d %s", e.Reason, code, e.EnhancedStatusCode())))
	}
	return errors.New(strings.ReplaceAll(e.Error(), to, "…"))
}

// connection is the line to the mail server. The library looks at the context only
// while it connects, and leaves the line open where the server refuses STARTTLS or
// the password; so this one is closed when the context is done, and in any case.
type connection struct {
	net.Conn
	stop func() bool
}

func (c *connection) dial(ctx context.Context, network, address string, implicit bool) (net.Conn, error) {
	var err error
	if implicit {
		c.Conn, err = (&tls.Dialer{}).DialContext(ctx, network, address)
	} else {
		c.Conn, err = (&net.Dialer{}).DialContext(ctx, network, address)
	}
	if err != nil {
		return nil, err
	}
	c.stop = context.AfterFunc(ctx, func() { _ = c.Close() })
	return c.Conn, nil
}

func (c *connection) close() {
	if c.stop != nil && c.stop() {
		_ = c.Close()
	}
}

// message makes the mail as it goes over the wire (RFC 5322).
func (s *SMTP) message(m account.Mail) (*gomail.Msg, error) {
	if strings.ContainsFunc(m.To+m.Subject, unicode.IsControl) {
		return nil, errors.New("a mail's address or subject has a control character")
	}
	to, err := netmail.ParseAddress(m.To)
	if err != nil || to.Address != m.To {
		return nil, errors.New("a mail's address is no plain address")
	}
	message := gomail.NewMsg()
	message.FromMailAddress(s.from)
	message.ToMailAddress(to)
	message.Subject(m.Subject)
	message.SetDate()
	// The library would tell the machine's name.
	_, domain, _ := strings.Cut(s.from.Address, "@")
	message.SetMessageIDWithValue(uuid.NewString() + "@" + domain)
	// Vacation responders must not answer (RFC 3834 section 5).
	message.SetGenHeader("Auto-Submitted", "auto-generated")
	message.SetBodyString(gomail.TypeTextPlain, m.Text)
	return message, nil
}
