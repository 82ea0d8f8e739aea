package embedded

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/token"
	"spillway.example/verify"
)

// Config is what a [Store] is opened with. DataDir, Issuer and ClientID are required.
type Config struct {
	// DataDir is the folder of the file; it is made where it is missing.
	DataDir string
	// Issuer and ClientID are the `iss` and `client_id` of the tokens made and taken.
	Issuer, ClientID string

	// KeyMaxAge is how long one key signs tokens; zero means 90 days, and it is at least
	// two days. See RotateKeys.
	KeyMaxAge time.Duration

	AccessLifetime  time.Duration // of access and id tokens; zero means an hour
	RefreshLifetime time.Duration // of a session from sign-in on; zero means 30 days

	// Argon2 is what new passwords are hashed with; zero means DefaultArgon2. An
	// older hash is made anew when its owner signs in.
	Argon2 Argon2
	// BusyTimeout is how long a write waits for another process's; zero means 5 s. A
	// context that is done ends the wait sooner.
	BusyTimeout time.Duration
	// OnHash, if there is one, is called with each password hash that is worked
	// out, by whatever goroutine does so: metrics and tests count them.
	OnHash func()

	Now    func() time.Time // nil means the wall clock
	Logger *slog.Logger     // nil means silence
}

// Store is the open file. It implements [account.Profiles], [account.Claims],
// [account.Denials], [verify.Keys] and the mail package's Keeper; [Store.Directory] gives the directory.
type Store struct {
	Config
	write, read *sql.DB
	hasher      *hasher
	verifier    *token.Verifier
	keys        keyring
	rereading   rereading
}

var (
	_ account.Profiles = (*Store)(nil)
	_ account.Claims   = (*Store)(nil)
	_ verify.Keys      = (*Store)(nil)
)

// Open opens the data file in a folder, making both where they are missing, brings
// its schema up to date and makes the first signing key. The error is one line for
// the user: the folder cannot be written, the file is damaged or is no such file, or
// it comes from a newer version.
func Open(ctx context.Context, c Config) (*Store, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	write, read, err := openFile(ctx, c.DataDir, c.BusyTimeout)
	if err != nil {
		return nil, err
	}
	s := &Store{Config: c, write: write, read: read, hasher: newHasher(c.Argon2, c.OnHash)}
	if err := s.firstKey(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("loading the signing key: %w", err), s.Close())
	}
	s.verifier, err = token.NewVerifier(token.Config{Issuer: c.Issuer, ClientID: c.ClientID, Keys: s, Denials: s, Logger: c.Logger, Now: c.Now})
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (c Config) withDefaults() (Config, error) {
	if c.DataDir == "" || c.Issuer == "" || c.ClientID == "" {
		return c, errors.New("the embedded store needs a data folder, an issuer and a client id")
	}
	if c.KeyMaxAge == 0 {
		c.KeyMaxAge = DefaultKeyMaxAge
	}
	if c.KeyMaxAge < MinKeyMaxAge {
		return c, fmt.Errorf("signing keys must last at least %v", MinKeyMaxAge)
	}
	if c.AccessLifetime == 0 {
		c.AccessLifetime = time.Hour
	}
	if c.RefreshLifetime == 0 {
		c.RefreshLifetime = 30 * 24 * time.Hour
	}
	if c.Argon2 == (Argon2{}) {
		c.Argon2 = DefaultArgon2
	}
	if err := c.Argon2.check(); err != nil {
		return c, err
	}
	if c.BusyTimeout == 0 {
		c.BusyTimeout = 5 * time.Second
	}
	if c.OnHash == nil {
		c.OnHash = func() {}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c, nil
}

// Verifier checks the access tokens that this store's directory makes, in whatever
// process it made them.
func (s *Store) Verifier() *token.Verifier { return s.verifier }

// Ping says whether the file can be read, for readiness checks. CodeUnavailable.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	err := s.read.QueryRowContext(ctx, `SELECT 1 FROM signing_keys LIMIT 1`).Scan(&one)
	return failure("reading the data file", err)
}

// Close closes the file. Nothing may use the store any more.
func (s *Store) Close() error {
	return errors.Join(s.write.Close(), s.read.Close())
}

// readers is how many queries may read at once.
func readers() int { return max(4, runtime.GOMAXPROCS(0)) }
