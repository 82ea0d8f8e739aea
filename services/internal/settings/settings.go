// Package settings is what the services can be told from outside: one table, read
// once, in main. The parser, -help, the README's table and the check of the
// deployment templates all come from it.
package settings

import (
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	"spillway.example/services/internal/account"
)

// Store names where accounts are kept.
type Store string

// The stores.
const (
	AWS      Store = "aws"      // Cognito and DynamoDB
	Embedded Store = "embedded" // one SQLite file
)

// Settings are the values of the table, read and checked.
type Settings struct {
	Store   Store
	DataDir string

	ListenHost     string // empty: all interfaces
	Port           int
	RPCPort        int
	DrainDelay     time.Duration
	DrainTimeout   time.Duration
	TrustedProxies []netip.Prefix

	UsersTable              string
	UserPoolID              string
	UserPoolClientID        string
	UserPoolClientSecretARN string // empty where the secret is given itself
	UserPoolClientSecret    string
	TokenIssuer             string
	JWKSURL                 string
	IntrospectionSecretARN  string   // empty where the secrets are given themselves
	IntrospectionSecrets    []string // empty: there is no introspection

	RegisterURL   *url.URL // nil where it is not set
	EmailRequired bool
	KeyMaxAge     time.Duration
	SMTPURL       *url.URL         // nil where it is not set
	Breaches      *url.URL         // nil where it is not set
	SMTPURLARN    string           // empty where the URL is given itself
	Limits        account.Policies // nil is none
	LogLevel      slog.Level
	EMF           bool   // whether to write CloudWatch metrics
	Environment   string // the deployment's name; not empty with EMF
}

// Address is what to listen on for HTTP.
func (s Settings) Address() string { return net.JoinHostPort(s.ListenHost, strconv.Itoa(s.Port)) }

// RPCAddress is what to listen on for gRPC.
func (s Settings) RPCAddress() string { return net.JoinHostPort(s.ListenHost, strconv.Itoa(s.RPCPort)) }

// Loopback says whether nobody but this machine can reach the listener.
func (s Settings) Loopback() bool {
	ip := net.ParseIP(s.ListenHost)
	return s.ListenHost == "localhost" || ip != nil && ip.IsLoopback()
}
