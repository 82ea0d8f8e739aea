package mail_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// certificate is that of every TLS server here; the test process trusts no other.
var certificate tls.Certificate

func TestMain(m *testing.M) {
	if err := trustOwnCertificate(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func trustOwnCertificate() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	certificate = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	if err := os.Setenv("GODEBUG", "x509usefallbackroots=1"); err != nil {
		return err
	}
	x509.SetFallbackRoots(roots)
	return nil
}

// received is a mail as the server got it, and how.
type received struct {
	from, to, data string
	encrypted      bool
	user           string
}

// server is a real SMTP server on the loopback interface.
type server struct {
	address string
	auth    bool // it asks for a password
	refuse  error
	// If not nil, it closes reached at the first MAIL and answers when stall is closed.
	reached, stall chan struct{}

	mu        sync.Mutex
	mails     []received
	passwords []string
}

const password = "pa%/ss?word"

// serve starts a server; implicit means TLS from the first byte, starttls that it
// offers it.
func (s *server) serve(t *testing.T, implicit, starttls bool) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listening: %v", err)
	}
	s.address = l.Addr().String()
	srv := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		_, encrypted := c.TLSConnectionState()
		return &session{server: s, mail: received{encrypted: encrypted}}, nil
	}))
	srv.Domain, srv.AllowInsecureAuth = "localhost", true
	config := &tls.Config{Certificates: []tls.Certificate{certificate}}
	if starttls {
		srv.TLSConfig = config
	}
	if implicit {
		l = tls.NewListener(l, config)
	}
	var wg sync.WaitGroup
	wg.Go(func() { _ = srv.Serve(l) })
	t.Cleanup(func() {
		l.Close() // Close overlooks it if Serve has not begun
		srv.Close()
		wg.Wait()
	})
}

func (s *server) got() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mails
}

type session struct {
	server *server
	mail   received
}

func (s *session) AuthMechanisms() []string {
	if s.server.auth {
		return []string{sasl.Plain}
	}
	return nil
}

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, pass string) error {
		s.server.mu.Lock()
		defer s.server.mu.Unlock()
		s.server.passwords = append(s.server.passwords, pass)
		if user != "us@er" || pass != password {
			return smtp.ErrAuthFailed
		}
		s.mail.user = user
		return nil
	}), nil
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if s.server.stall != nil {
		close(s.server.reached)
		<-s.server.stall
	}
	if s.server.auth && s.mail.user == "" {
		return smtp.ErrAuthRequired
	}
	s.mail.from = from
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.mail.to = to
	return s.server.refuse
}

func (s *session) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	s.mail.data = string(data)
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.server.mails = append(s.server.mails, s.mail)
	return err
}

func (s *session) Reset()        {}
func (s *session) Logout() error { return nil }
