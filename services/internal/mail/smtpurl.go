package mail

import (
	"errors"
	"fmt"
	netmail "net/mail"
	"net/url"
	"strconv"

	gomail "github.com/wneessen/go-mail"
)

// NewSMTP makes an SMTP mailer from a URL:
//
//	smtp://user:password@host:587?from=accounts@example.com
//	smtps://user:password@host:465?from=Accounts+<accounts@example.com>
//
// The ports are the defaults (RFC 8314), and user and password may be left out. smtps
// speaks TLS from the first byte. smtp turns to it by STARTTLS: always where there is
// a password to protect, else where the server offers it; starttls=always insists, and
// starttls=never does without, which no password goes over unless to this machine.
// Certificates are checked. The error never shows the URL, which may hold a password.
func NewSMTP(rawURL string) (*SMTP, error) {
	u, err := url.Parse(rawURL)
	if err != nil || u.Hostname() == "" {
		return nil, errors.New("the SMTP URL cannot be read: it must be like smtp://user:password@host:587?from=name@example.com")
	}
	query := u.Query()
	for name := range query {
		if name != "from" && name != "starttls" {
			return nil, errors.New("the SMTP URL has a parameter other than from and starttls")
		}
	}
	from, err := netmail.ParseAddress(query.Get("from"))
	if err != nil {
		return nil, errors.New("the SMTP URL must say whom mails are from: ?from=name@example.com")
	}
	s := &SMTP{host: u.Hostname(), from: from, implicit: u.Scheme == "smtps"}
	password, authenticated := u.User.Password()
	if err := s.secure(u.Scheme, query.Get("starttls"), authenticated); err != nil {
		return nil, err
	}
	if u.Port() != "" {
		port, _ := strconv.Atoi(u.Port()) // url.Parse has seen that it is a number
		s.options = append(s.options, gomail.WithPort(port))
	}
	if authenticated {
		s.options = append(s.options,
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin),
			gomail.WithUsername(u.User.Username()), gomail.WithPassword(password))
	}
	s.options = append(s.options, gomail.WithTimeout(smtpTimeout), gomail.WithoutNoop())
	// What is wrong with them is better known now than with the first mail.
	if _, err := gomail.NewClient(s.host, s.options...); err != nil {
		return nil, fmt.Errorf("the SMTP URL cannot be used: %w", err)
	}
	return s, nil
}

// secure chooses how the connection is kept secret, and the port that goes with it.
func (s *SMTP) secure(scheme, starttls string, authenticated bool) error {
	switch {
	case scheme == "smtps" && starttls == "":
		// The connection is encrypted before the library sees it.
		s.options = append(s.options, gomail.WithTLSPolicy(gomail.NoTLS), gomail.WithPort(gomail.DefaultPortSSL))
		return nil
	case scheme != "smtp":
		return errors.New("the SMTP URL must begin with smtp:// or, without starttls, smtps://")
	}
	policy := gomail.TLSOpportunistic
	switch {
	case starttls == "never":
		policy = gomail.NoTLS
	case starttls == "always", starttls == "" && authenticated:
		policy = gomail.TLSMandatory
	case starttls != "":
		return errors.New("the SMTP URL's starttls must be always or never")
	}
	s.options = append(s.options, gomail.WithTLSPolicy(policy), gomail.WithPort(gomail.DefaultPortTLS))
	return nil
}
