package settings

import (
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"spillway.example/services/internal/account"
)

// Service is one of the programs that read settings.
type Service string

// The services. Local is both in one process.
const (
	Register Service = "register"
	Login    Service = "login"
	Local    Service = "local"
)

var both = []Service{Register, Login, Local}

// Setting is one row of the table.
type Setting struct {
	Name     string
	Default  string // as it would be written; empty where there is none
	Required string // when a value must be given; empty where it need not
	Secret   bool   // the value must not be shown
	Meaning  string
	Services []Service

	set func(*Settings, string) error
}

// Table is every setting, in the order in which they are explained.
func Table() []Setting { return slices.Clone(table) }

// For gives the settings that a service reads.
func For(s Service) []Setting {
	return slices.DeleteFunc(Table(), func(row Setting) bool { return !slices.Contains(row.Services, s) })
}

var table = []Setting{
	{
		Name: "STORE", Default: "aws", Services: []Service{Register, Login},
		Meaning: "where accounts are kept: `aws` (Cognito and DynamoDB) or `embedded` (one SQLite file)",
		set: func(s *Settings, v string) error {
			s.Store = Store(v)
			return oneOf(v, string(AWS), string(Embedded))
		},
	},
	{
		Name: "DATA_DIR", Default: "./data", Services: both,
		Meaning: "folder of the SQLite file; `STORE=embedded`",
		set:     text(func(s *Settings) *string { return &s.DataDir }),
	},
	{
		Name: "PORT", Default: "8080", Services: both,
		Meaning: "port of the HTTP listener",
		set:     port(func(s *Settings) *int { return &s.Port }),
	},
	{
		Name: "RPC_PORT", Default: "8081", Services: []Service{Register},
		Meaning: "port of the gRPC listener (h2c); the same procedures are on `PORT` by Connect",
		set:     port(func(s *Settings) *int { return &s.RPCPort }),
	},
	{
		Name: "LISTEN_HOST", Services: both,
		Meaning: "address to listen on; where it is not set, all interfaces with `STORE=aws` and 127.0.0.1 with `STORE=embedded`",
		set:     text(func(s *Settings) *string { return &s.ListenHost }),
	},
	{
		Name: "USERS_TABLE", Default: "users", Services: []Service{Register, Login},
		Meaning: "DynamoDB table; `STORE=aws`",
		set:     text(func(s *Settings) *string { return &s.UsersTable }),
	},
	{
		Name: "USER_POOL_ID", Required: "STORE=aws", Services: []Service{Register, Login},
		Meaning: "Cognito user pool, such as `eu-west-1_AbCdEfGhI`",
		set:     text(func(s *Settings) *string { return &s.UserPoolID }),
	},
	{
		Name: "USER_POOL_CLIENT_ID", Required: "STORE=aws", Services: []Service{Register, Login},
		Meaning: "app client of the pool",
		set:     text(func(s *Settings) *string { return &s.UserPoolClientID }),
	},
	{
		Name: "USER_POOL_CLIENT_SECRET", Secret: true, Services: []Service{Register, Login},
		Meaning: "the app client's secret, where it has one",
		set:     text(func(s *Settings) *string { return &s.UserPoolClientSecret }),
	},
	{
		Name: "USER_POOL_CLIENT_SECRET_ARN", Services: []Service{Register, Login},
		Meaning: "or the Secrets Manager secret that holds it, as it is or as JSON with a member `client_secret`",
		set:     text(func(s *Settings) *string { return &s.UserPoolClientSecretARN }),
	},
	{
		Name: "TOKEN_ISSUER", Services: both,
		Meaning: "`iss` of the access tokens; where it is not set, the pool's own, or `urn:spillway:embedded`",
		set:     text(func(s *Settings) *string { return &s.TokenIssuer }),
	},
	{
		Name: "JWKS_URL", Services: []Service{Register, Login},
		Meaning: "where the keys of the tokens are; where it is not set, `TOKEN_ISSUER` + `/.well-known/jwks.json`; `STORE=aws`",
		set: func(s *Settings, v string) error {
			s.JWKSURL = v
			_, err := absoluteURL(v, "http", "https")
			return err
		},
	},
	{
		Name: "KEY_MAX_AGE", Default: "2160h", Services: both,
		Meaning: "how long the embedded store signs tokens with one key, 48h or more; `spillway keys` has the rest; `STORE=embedded`",
		set: func(s *Settings, v string) error {
			if err := duration(func(s *Settings) *time.Duration { return &s.KeyMaxAge })(s, v); err != nil {
				return err
			}
			if s.KeyMaxAge < embeddedMinKeyAge {
				return fmt.Errorf("must be 48h or more")
			}
			return nil
		},
	},
	{
		Name: "INTROSPECTION_SECRET", Secret: true, Services: []Service{Login, Local},
		Meaning: "what services of yours show to `POST /token/introspect`, 32 characters or more; two with a comma between them while one takes the other's place; without it nobody may ask",
		set: func(s *Settings, v string) (err error) {
			s.IntrospectionSecrets, err = ParseSecrets(v)
			return err
		},
	},
	{
		Name: "INTROSPECTION_SECRET_ARN", Services: []Service{Login},
		Meaning: "or the Secrets Manager secret that holds it, as it is or as JSON with a member `introspection_secret`; `STORE=aws`",
		set:     text(func(s *Settings) *string { return &s.IntrospectionSecretARN }),
	},
	{
		Name: "REGISTER_URL", Services: []Service{Login},
		Meaning: "where login asks for profiles: `grpc://host:8081` (gRPC over h2c), `grpcs://…`, or `http://…` and `https://…` (Connect over HTTP/1.1: through a load balancer); without it `GET /me` answers 503",
		set: func(s *Settings, v string) (err error) {
			s.RegisterURL, err = absoluteURL(v, "grpc", "grpcs", "http", "https")
			return err
		},
	},
	{
		Name: "EMAIL_REQUIRED", Default: "false", Services: []Service{Register, Local},
		Meaning: "`true`: refuse a sign-up that gives no e-mail address",
		set: func(s *Settings, v string) (err error) {
			if s.EmailRequired, err = strconv.ParseBool(v); err != nil {
				return fmt.Errorf("must be true or false")
			}
			return nil
		},
	},
	{
		Name: "SMTP_URL", Secret: true, Services: both,
		Meaning: "mail server, `smtp://user:password@host:587?from=accounts@example.com` or `smtps://…`; without it no notices are sent and addresses cannot be changed, and with the embedded store mail stays on the terminal and in `GET /outbox`",
		set: func(s *Settings, v string) (err error) {
			s.SMTPURL, err = absoluteURL(v, "smtp", "smtps")
			return err
		},
	},
	{
		Name: "SMTP_URL_ARN", Services: []Service{Register, Login},
		Meaning: "or the Secrets Manager secret that holds it, as it is or as JSON with a member `smtp_url`; `STORE=aws`",
		set:     text(func(s *Settings) *string { return &s.SMTPURLARN }),
	},
	{
		Name: "LIMITS", Default: "on", Services: both,
		Meaning: "how much may be tried and sent (docs/limits.md): `on`, `off`, or changes such as `guess.address=600/1m,20000/24h; sign_up.address=off`",
		set: func(s *Settings, v string) (err error) {
			s.Limits, err = account.ParsePolicies(v)
			return err
		},
	},
	{
		Name: "BREACHED_PASSWORDS_URL", Services: both,
		Meaning: "where new passwords are looked for among breached ones, by the first five digits of a hash, such as `https://api.pwnedpasswords.com`; nowhere where it is not set",
		set: func(s *Settings, v string) (err error) {
			s.Breaches, err = absoluteURL(v, "https", "http")
			return err
		},
	},
	{
		Name: "TRUSTED_PROXIES", Services: both,
		Meaning: "networks whose `X-Forwarded-For` is believed, such as `10.0.0.0/8,fd00::/8`; none where it is not set",
		set: func(s *Settings, v string) error {
			for p := range strings.SplitSeq(v, ",") {
				prefix, err := netip.ParsePrefix(strings.TrimSpace(p))
				if err != nil {
					return fmt.Errorf("must be networks like 10.0.0.0/8, with commas between them")
				}
				s.TrustedProxies = append(s.TrustedProxies, prefix)
			}
			return nil
		},
	},
	{
		Name: "DRAIN_DELAY", Default: "0s", Services: both,
		Meaning: "on SIGTERM, how long to go on accepting while `/readyz` already fails",
		set:     duration(func(s *Settings) *time.Duration { return &s.DrainDelay }),
	},
	{
		Name: "DRAIN_TIMEOUT", Default: "20s", Services: both,
		Meaning: "and then how long requests in flight may take; keep the sum below the task's stop timeout",
		set:     duration(func(s *Settings) *time.Duration { return &s.DrainTimeout }),
	},
	{
		Name: "LOG_LEVEL", Default: "info", Services: both,
		Meaning: "`debug`, `info`, `warn` or `error`",
		set: func(s *Settings, v string) error {
			if err := s.LogLevel.UnmarshalText([]byte(v)); err != nil {
				return fmt.Errorf("must be debug, info, warn or error")
			}
			return nil
		},
	},
	{
		Name: "METRICS", Default: "off", Services: []Service{Register, Login},
		Meaning: "`emf`: write metrics among the log lines, from which CloudWatch Logs makes the metrics of `Spillway` ([names and units](docs/telemetry.md)); traces and metrics by OTLP are OpenTelemetry's own `OTEL_…` variables",
		set: func(s *Settings, v string) error {
			s.EMF = v == "emf"
			return oneOf(v, "off", "emf")
		},
	},
	{
		Name: "ENVIRONMENT", Required: "METRICS=emf", Services: both,
		Meaning: "name of the deployment, such as `staging`, in metrics and traces",
		set: func(s *Settings, v string) error {
			s.Environment = v
			if !environmentName.MatchString(v) {
				return fmt.Errorf("must be up to 64 letters, digits, hyphens and underscores")
			}
			return nil
		},
	},
	{
		Name: fileName, Services: both,
		Meaning: "file of `NAME=value` lines with any of these settings; the environment wins",
		set:     func(*Settings, string) error { return nil }, // read before the others
	},
}

const fileName = "SETTINGS_FILE"

var environmentName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

func text(field func(*Settings) *string) func(*Settings, string) error {
	return func(s *Settings, v string) error {
		*field(s) = v
		return nil
	}
}

// embeddedMinKeyAge is the embedded store's MinKeyMaxAge.
const embeddedMinKeyAge = 48 * time.Hour

// minSecret is the least length of a secret that services share.
const minSecret = 32

// ParseSecrets reads secrets with commas between them, the newest first.
func ParseSecrets(v string) (secrets []string, err error) {
	for s := range strings.SplitSeq(v, ",") {
		if s = strings.TrimSpace(s); len(s) < minSecret {
			return nil, fmt.Errorf("must have at least %d characters", minSecret)
		}
		secrets = append(secrets, s)
	}
	return secrets, nil
}

func port(field func(*Settings) *int) func(*Settings, string) error {
	return func(s *Settings, v string) error {
		n, err := strconv.ParseUint(v, 10, 16)
		if err != nil {
			return fmt.Errorf("must be a port, 0 to 65535")
		}
		*field(s) = int(n)
		return nil
	}
}

func duration(field func(*Settings) *time.Duration) func(*Settings, string) error {
	return func(s *Settings, v string) error {
		d, err := time.ParseDuration(v)
		if err != nil || d < 0 {
			return fmt.Errorf("must be a time like 500ms or 20s")
		}
		*field(s) = d
		return nil
	}
}

func oneOf(v string, allowed ...string) error {
	if !slices.Contains(allowed, v) {
		return fmt.Errorf("must be %s", strings.Join(allowed, " or "))
	}
	return nil
}

func absoluteURL(v string, schemes ...string) (*url.URL, error) {
	u, err := url.Parse(v)
	if err != nil || u.Host == "" || !slices.Contains(schemes, u.Scheme) {
		// The value may hold a password, and so may the parser's error.
		return nil, fmt.Errorf("must be a URL with a host and the scheme %s", strings.Join(schemes, ", "))
	}
	return u, nil
}

// Help writes the settings of a service as -help shows them.
func Help(w io.Writer, s Service) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range For(s) {
		if _, err := fmt.Fprintf(tw, "  %s\t%s\t%s\n", row.Name, row.note(), strings.ReplaceAll(row.Meaning, "`", "")); err != nil {
			return err
		}
	}
	return tw.Flush()
}

// Markdown writes the whole table as the README shows it.
func Markdown(w io.Writer) error {
	if _, err := fmt.Fprint(w, "| setting | default | read by | meaning |\n|---|---|---|---|\n"); err != nil {
		return err
	}
	for _, row := range table {
		services := make([]string, 0, len(both))
		for _, s := range row.Services {
			if s == Local {
				s = "run"
			}
			services = append(services, string(s))
		}
		if _, err := fmt.Fprintf(w, "| `%s` | %s | %s | %s |\n", row.Name, row.note(), strings.Join(services, ", "), row.Meaning); err != nil {
			return err
		}
	}
	return nil
}

// note says what holds where a value is not given.
func (row Setting) note() string {
	switch {
	case row.Required != "":
		return "required: " + row.Required
	case row.Default != "":
		return row.Default
	}
	return ""
}
