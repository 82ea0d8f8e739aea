package account

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// UserID is the directory's `sub`: a stable, opaque identifier of one user, never
// used again for another.
type UserID string

// Directory proves who somebody is: it holds names, passwords and sessions, and
// sends confirmation codes. Usernames handed to it are folded already (see
// [FoldUsername]); the directory compares them as they are.
//
// Every method fails with an [*Error]. Any of them may fail with CodeTooManyRequests,
// CodeUnavailable or CodeInternal; the further codes are named at each.
type Directory interface {
	// SignUp makes an unconfirmed user and, where u has an e-mail address, sends
	// a confirmation code to it. CodeUsernameTaken: the name is there already,
	// confirmed or not. CodeInvalid: the directory's own rules refuse the password.
	SignUp(ctx context.Context, u NewUser) (SignedUp, error)
	// PretendSignUp does the work that SignUp would do here, and makes nobody.
	PretendSignUp(ctx context.Context, u NewUser) error
	// Confirm proves the address of an unconfirmed user by the code sent to it and
	// confirms the user. CodeMismatch, also for an unknown user; CodeExpired;
	// CodeAlreadyConfirmed where the user is confirmed, whatever the code.
	Confirm(ctx context.Context, username, code string) error
	// ResendCode sends a new code to an unconfirmed user; older ones are void.
	// CodeAlreadyConfirmed where the user is confirmed; CodeNotFound.
	ResendCode(ctx context.Context, username string) error

	// SignIn opens a session. CodeInvalidCredentials for a wrong password and for
	// an unknown user, after the same work; CodeNotConfirmed for an unconfirmed
	// user with the right one, and from some directories with any; CodeChallenge.
	SignIn(ctx context.Context, username, password string) (Tokens, error)
	// RespondToChallenge takes the step that SignIn asked for. CodeChallenge where another
	// follows; CodeInvalidCredentials where the challenge is not, or no longer, open;
	// CodeMismatch and CodeExpired for a code; CodeInvalid where the directory's own
	// rules refuse a password; CodeUnsupported.
	RespondToChallenge(ctx context.Context, a ChallengeAnswer) (Tokens, error)
	// Refresh goes on with a session. The refresh token in the answer takes the
	// place of the one sent. CodeInvalidToken.
	Refresh(ctx context.Context, refreshToken string) (Tokens, error)
	// SignOut ends the session of a refresh token. It is idempotent: a token that
	// is unknown, malformed or ended already is no error.
	SignOut(ctx context.Context, refreshToken string) error
	// SignOutEverywhere ends all sessions of the access token's user. CodeInvalidToken.
	SignOutEverywhere(ctx context.Context, accessToken string) error
	// ForgotPassword sends a code for a new password to the proven address of a confirmed
	// user; older ones are void. CodeNotFound where there is nobody, or no such address,
	// to send it to, unless the directory keeps that to itself: then nothing is sent.
	ForgotPassword(ctx context.Context, username string) error
	// ResetPassword gives a user another password by the code that ForgotPassword sent,
	// and ends all sessions. CodeMismatch, also for an unknown user, after the same
	// work; CodeExpired; CodeInvalid as of SignUp.
	ResetPassword(ctx context.Context, username, code, password string) error
	// ChangePassword gives the access token's user another password, if the current one
	// is right; sessions go on. CodeInvalidToken; CodeInvalidCredentials where the
	// current one is wrong; CodeInvalid as of SignUp.
	ChangePassword(ctx context.Context, accessToken, current, password string) error
	// GetUser reads the access token's user, unless the session has ended.
	// CodeInvalidToken.
	GetUser(ctx context.Context, accessToken string) (User, error)

	// FindUser reads a user by name, by the service's own right. CodeNotFound.
	FindUser(ctx context.Context, username string) (User, error)
	// ConfirmUser confirms an unconfirmed user without a code, by the service's
	// own right; the user's address stays unproven. CodeNotFound;
	// CodeAlreadyConfirmed.
	ConfirmUser(ctx context.Context, username string) error
	// SetTemporaryPassword gives a confirmed user a password that signs in once, to the
	// challenge NewPasswordRequired, by the service's own right, and ends all sessions.
	// After [TemporaryPasswordLifetime], unless the directory has its own, it is a wrong
	// one. CodeNotFound; CodeInvalid as of SignUp.
	SetTemporaryPassword(ctx context.Context, username, password string) error
	// SetEmail gives a user another address, which counts as proven, by the service's
	// own right. CodeNotFound.
	SetEmail(ctx context.Context, username, email string) error
	// DeleteUser deletes the user of an id with all sessions, by the service's own right,
	// and nobody else, whoever has the name by now. It is idempotent: an unknown user is no
	// error.
	DeleteUser(ctx context.Context, id UserID) error
}

// SessionLister is a directory that knows sessions one by one. Cognito does not, unless
// it tracks devices, so it is a port of its own.
type SessionLister interface {
	// ListSessions gives the sessions of the access token's user that have not ended,
	// newest first. CodeInvalidToken.
	ListSessions(ctx context.Context, accessToken string) ([]Session, error)
	// EndSession ends one session of the access token's user. CodeInvalidToken;
	// CodeNotFound where the user has no such session.
	EndSession(ctx context.Context, accessToken, id string) error
}

// Session is one sign-in and all that came of it.
type Session struct {
	ID        string // the tokens' origin_jti
	CreatedAt time.Time
	ExpiresAt time.Time
	Current   bool // whether the access token that asked is of this one
}

// NewUser is what a sign-up tells the directory.
type NewUser struct {
	Username string // folded
	Password string // normalized, see NormalizePassword
	Email    string // folded; empty where there is none
}

// SignedUp is the directory's answer to a sign-up.
type SignedUp struct {
	UserID   UserID
	CodeSent bool // whether a confirmation code is on its way
}

// User is one user as the directory knows it.
type User struct {
	ID            UserID
	Username      string
	Email         string // empty where there is none
	EmailVerified bool
	Confirmed     bool // false only while the account waits for a first confirmation
	CreatedAt     time.Time
}

// provenEmail gives the address if the directory counts it as proven.
func (u User) provenEmail() string {
	if u.EmailVerified {
		return u.Email
	}
	return ""
}

// Tokens are what a session is made of (RFC 6749 section 5.1, OpenID Connect Core).
type Tokens struct {
	AccessToken  string
	IDToken      string
	RefreshToken string
	TokenType    string        // "Bearer"
	ExpiresIn    time.Duration // of the access token
}

// Identity is what a verified access token says of its bearer.
type Identity struct {
	UserID    UserID
	Username  string
	SessionID string    // the same for all tokens of one sign-in; empty where the directory gives none
	Since     time.Time // when the session began, in whole seconds
	ExpiresAt time.Time
}

// Verifier checks access tokens without asking the directory: signature, issuer,
// client, use and expiry (RFC 7519; Cognito's "Verifying JSON web tokens").
type Verifier interface {
	// Verify gives the bearer's identity, or CodeInvalidToken; CodeUnavailable
	// where the keys to check it cannot be had.
	Verify(ctx context.Context, accessToken string) (Identity, error)
}

// Background does what no answer may wait for, since the time it takes would tell
// whether a name has an account.
type Background interface {
	// Do has work done soon, with the values of ctx but not its end. CodeUnavailable
	// where too much is waiting already.
	Do(ctx context.Context, work func(context.Context)) error
}

// Inline is a Background that does the work at once: for tests, and for programs that
// serve nobody.
type Inline struct{}

// Do implements [Background].
func (Inline) Do(ctx context.Context, work func(context.Context)) error {
	work(ctx)
	return nil
}

// later has work done in the background that nobody waits for, and logs where it fails or
// finds no room.
func later(ctx context.Context, b Background, log *slog.Logger, failed string, work func(context.Context) error) {
	err := b.Do(ctx, func(ctx context.Context) {
		if err := work(ctx); err != nil {
			log.WarnContext(ctx, failed, "err", err)
		}
	})
	if err != nil {
		log.WarnContext(ctx, failed, "err", err)
	}
}

// Mailer sends one mail to one address. Codes travel this way in the embedded
// store, notices about an address everywhere.
type Mailer interface {
	// Send fails with [ErrMailRefused] where to try again would be of no use.
	Send(ctx context.Context, m Mail) error
}

// ErrMailRefused says that a mail server refuses a mail for good (RFC 5321 section 4.2.1).
var ErrMailRefused = errors.New("the mail is refused for good")

// Mail is a plain-text mail.
type Mail struct {
	To      string
	Subject string
	Text    string
}
