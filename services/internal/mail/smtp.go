package mail

import (
	"context"
	"errors"
	"fmt"
	netmail "net/mail"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"
	gomail "github.com/wneessen/go-mail"

	"spillway.example/services/internal/account"
)

// smtpTimeout bounds the connection and each command; the context bounds the whole.
const smtpTimeout = 10 * time.Second

// SMTP sends mails by a mail server (RFC 5321), a connection each.
type SMTP struct {
	host    string
	from    *netmail.Address
	options []gomail.Option
}

var _ account.Mailer = (*SMTP)(nil)

// NewSMTP makes an SMTP mailer from a URL:
//
//	smtp://user:password@host:587?from=Accounts <accounts@example.com>
//	smtps://user:password@host:465?from=accounts@example.com
//
// smtps speaks TLS from the first byte. smtp turns to TLS by STARTTLS: it must where
// there is a password to protect, and does where the server offers it otherwise;
// `starttls=always` or `starttls=never` says so for good. The ports above are the
// defaults. The error does not show the URL, which may hold a password.
func NewSMTP(rawURL string) (*SMTP, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, errors.New("the SMTP URL cannot be read: want smtp://user:password@host:587?from=address")
	}
	from, err := netmail.ParseAddress(u.Query().Get("from"))
	if err != nil {
		return nil, fmt.Errorf("the SMTP URL needs from=address: %w", err)
	}
	if u.Hostname() == "" {
		return nil, errors.New("the SMTP URL names no host")
	}
	s := &SMTP{host: u.Hostname(), from: from, options: []gomail.Option{
		gomail.WithTimeout(smtpTimeout),
		gomail.WithoutNoop(),
	}}
	password, authenticated := u.User.Password()
	if authenticated {
		s.options = append(s.options,
			gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover),
			gomail.WithUsername(u.User.Username()), gomail.WithPassword(password))
	}
	security, err := tlsOptions(u, authenticated)
	if err != nil {
		return nil, err
	}
	s.options = append(s.options, security...)
	if u.Port() != "" {
		port, err := strconv.Atoi(u.Port())
		if err != nil {
			return nil, errors.New("the SMTP URL's port is no number")
		}
		s.options = append(s.options, gomail.WithPort(port))
	}
	// Found out now rather than with the first mail.
	if _, err := gomail.NewClient(s.host, s.options...); err != nil {
		return nil, fmt.Errorf("the SMTP URL cannot be used: %w", err)
	}
	return s, nil
}

// tlsOptions gives how the connection is kept secret, and the port that goes with it.
func tlsOptions(u *url.URL, authenticated bool) ([]gomail.Option, error) {
	starttls := u.Query().Get("starttls")
	switch {
	case u.Scheme == "smtps":
		return []gomail.Option{gomail.WithSSL(), gomail.WithPort(gomail.DefaultPortSSL)}, nil
	case u.Scheme != "smtp":
		return nil, errors.New("the SMTP URL must begin with smtp:// or smtps://")
	case starttls != "" && starttls != "always" && starttls != "never":
		return nil, errors.New("the SMTP URL's starttls must be always or never")
	}
	policy := gomail.TLSOpportunistic
	switch {
	case starttls == "never":
		policy = gomail.NoTLS
	case authenticated || starttls == "always":
		policy = gomail.TLSMandatory
	}
	return []gomail.Option{gomail.WithTLSPolicy(policy), gomail.WithPort(gomail.DefaultPortTLS)}, nil
}

// Send implements [account.Mailer].
func (s *SMTP) Send(ctx context.Context, m account.Mail) error {
	message, err := s.message(m)
	if err != nil {
		return err
	}
	client, err := gomail.NewClient(s.host, s.options...)
	if err != nil {
		return fmt.Errorf("preparing to send mail: %w", err)
	}
	if err := client.DialAndSendWithContext(ctx, message); err != nil {
		return fmt.Errorf("sending mail by %s: %w", s.host, err)
	}
	return nil
}

// message makes the mail as it goes over the wire (RFC 5322).
func (s *SMTP) message(m account.Mail) (*gomail.Msg, error) {
	if strings.ContainsFunc(m.To+m.Subject, unicode.IsControl) {
		return nil, errors.New("a mail's address or subject has a control character")
	}
	message := gomail.NewMsg()
	message.FromMailAddress(s.from)
	if err := message.To(m.To); err != nil {
		return nil, errors.New("a mail's address cannot be read")
	}
	message.Subject(m.Subject)
	message.SetDate()
	_, domain, _ := strings.Cut(s.from.Address, "@")
	message.SetMessageIDWithValue(uuid.NewString() + "@" + domain)
	// Vacation responders must not answer (RFC 3834 section 5).
	message.SetGenHeader("Auto-Submitted", "auto-generated")
	message.SetBodyString(gomail.TypeTextPlain, m.Text)
	return message, nil
}
