// Package backend opens what the services stand on, as the settings say: Cognito and
// DynamoDB, or the embedded store. It is the one place that knows both.
package backend

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"

	"github.com/lestrrat-go/jwx/v3/jwk"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/background"
	"spillway.example/services/internal/breach"
	"spillway.example/services/internal/embedded"
	"spillway.example/services/internal/httpapi"
	"spillway.example/services/internal/mail"
	"spillway.example/services/internal/settings"
	"spillway.example/services/internal/telemetry"
	"spillway.example/services/internal/token"
)

// Backend is the open ports of the domain.
type Backend struct {
	Directory account.Directory
	Claims    account.Claims
	Profiles  account.Profiles
	Denials   account.Denials
	Verifier  *token.Verifier
	Mailer    account.Mailer // sends in the background
	Mailless  error          // why it sends nothing; nil where it sends
	// DirectoryID names the directory where the table may have accounts of another.
	DirectoryID string
	Limits      *account.Limits // nil is none
	Replays     *account.Replays
	Breaches    *account.BreachCheck // nil is none
	// Introspection are the secrets that open POST /token/introspect; empty closes it.
	Introspection []string
	// Background does what no answer waits for: whoever serves must wait for it before
	// the process ends or is frozen.
	Background *background.Queue
	Count      account.Count // of what happens in the background

	// Ready says whether the store can be used; nil where nothing local can fail.
	Ready func(context.Context) error
	// JWKS gives the keys that access tokens are signed with; nil where somebody else serves
	// them.
	JWKS func(context.Context) (jwk.Set, error)
	// Routes adds what else this backend serves itself; nil where it is nothing.
	Routes func(*httpapi.API)
	// Close gives everything back.
	Close func() error
}

// embeddedClientID is the `client_id` of the embedded store's tokens.
const embeddedClientID = "spillway"

// Config is what a backend is opened with, beside the settings.
type Config struct {
	Settings settings.Settings
	// Terminal is where mail is printed that nothing can send.
	Terminal io.Writer
	// Listens says whether the process has a listener, which a function has not: the
	// outbox is only ever on a loopback one.
	Listens bool
	Logger  *slog.Logger
	// Telemetry traces the calls of AWS; it may be nil.
	Telemetry *telemetry.Telemetry
}

// Open opens the backend that the settings name.
func Open(ctx context.Context, c Config) (*Backend, error) {
	if c.Settings.Store == settings.Embedded {
		return openEmbedded(ctx, c)
	}
	return openAWS(ctx, c)
}

// OpenStore opens the embedded store that the settings name.
func OpenStore(ctx context.Context, s settings.Settings, log *slog.Logger) (*embedded.Store, error) {
	return embedded.Open(ctx, embedded.Config{
		DataDir: s.DataDir, Issuer: s.TokenIssuer, ClientID: embeddedClientID, KeyMaxAge: s.KeyMaxAge, Logger: log,
	})
}

func openEmbedded(ctx context.Context, c Config) (*Backend, error) {
	store, err := OpenStore(ctx, c.Settings, c.Logger)
	if err != nil {
		return nil, err
	}
	outbox := mail.NewOutbox(store, c.Terminal)
	server, err := smtpOr(c.Settings, outbox)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	limits, err := store.Secret(ctx, "limits")
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	replays, err := store.Secret(ctx, "replays")
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	queue := background.New(background.Config{Count: c.Telemetry.Count, Logger: c.Logger})
	mailer := queue.Mailer(server)
	return &Backend{
		Directory: store.Directory(mailer), Claims: store, Profiles: store, Denials: store.Verifier().Denials(), Verifier: store.Verifier(),
		Limits:        account.NewLimits(account.LimitsConfig{Counters: store, Policies: c.Settings.Limits, Key: limits, Count: c.Telemetry.Count, Logger: c.Logger}),
		Replays:       account.NewReplays(account.ReplaysConfig{Records: store, Key: replays, Logger: c.Logger}),
		Breaches:      breaches(c),
		Introspection: c.Settings.IntrospectionSecrets,
		Mailer:        mailer, Background: queue, Count: c.Telemetry.Count, Ready: store.Ping, Close: store.Close,
		JWKS: store.JWKS,
		Routes: func(api *httpapi.API) {
			if server == account.Mailer(outbox) && c.Listens && c.Settings.Loopback() {
				api.Mux.HandleFunc("GET /outbox", func(w http.ResponseWriter, r *http.Request) {
					if queue.Wait(r.Context()) == nil { // so that a mail is there when its answer is
						outbox.ServeHTTP(w, r)
					}
				})
			}
		},
	}, nil
}

// smtpOr gives the mail server of the settings, or other where there is none.
func smtpOr(s settings.Settings, other account.Mailer) (account.Mailer, error) {
	if s.SMTPURL == nil {
		return other, nil
	}
	m, err := mail.NewSMTP(s.SMTPURL.String())
	if err != nil {
		return nil, fmt.Errorf("SMTP_URL: %w", err)
	}
	return m, nil
}

// Registrar makes the sign-up use cases over the backend.
func (b *Backend) Registrar(s settings.Settings, log *slog.Logger) *account.Registrar {
	return account.NewRegistrar(account.RegistrarConfig{
		Directory: b.Directory, DirectoryID: b.DirectoryID, Claims: b.Claims, Profiles: b.Profiles, Mailer: b.Mailer, Mailless: b.Mailless, Limits: b.Limits, Breaches: b.Breaches,
		Replays: b.Replays, Revoker: b.Revoker(), Background: b.Background, EmailRequired: s.EmailRequired, Count: b.Count, Logger: log,
	})
}

// Revoker voids access tokens by the backend's deny list.
func (b *Backend) Revoker() *account.Revoker {
	return account.NewRevoker(account.RevokerConfig{Denials: b.Denials})
}

// Sessions makes the sign-in use cases over the backend.
func (b *Backend) Sessions(log *slog.Logger) *account.Sessions {
	return account.NewSessions(account.SessionsConfig{
		Verifier: b.Verifier, Revoker: b.Revoker(), Directory: b.Directory, Claims: b.Claims, Mailer: b.Mailer,
		Limits: b.Limits, Breaches: b.Breaches, Background: b.Background, Count: b.Count, Logger: log,
	})
}

// Finish waits for what is done in the background, until ctx is done.
func (b *Backend) Finish(ctx context.Context) {
	_ = b.Background.Wait(ctx) // the queue has logged what it left
}

// Drain is Finish for a process that ends after it: mails that are left are counted as failed.
func (b *Backend) Drain(ctx context.Context) {
	_ = b.Background.Drain(ctx) // the queue has logged what it left
}

// breaches makes the check for breached passwords that the settings ask for.
func breaches(c Config) *account.BreachCheck {
	if c.Settings.Breaches == nil {
		return nil
	}
	return &account.BreachCheck{Breaches: breach.New(c.Settings.Breaches), Count: c.Telemetry.Count, Logger: c.Logger}
}

// AddRoutes adds what the backend serves itself.
func (b *Backend) AddRoutes(api *httpapi.API) {
	if b.JWKS != nil {
		addKeys(api, b.JWKS)
	}
	if b.Routes != nil {
		b.Routes(api)
	}
}
