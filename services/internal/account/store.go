package account

import (
	"context"
	"time"
)

// Profile is what the `users` table knows of a user. It never holds a password.
type Profile struct {
	UserID        UserID
	Username      string // folded
	Email         string // folded; empty where there is none
	EmailVerified bool
	DisplayName   string    // what its owner wants to be called; empty where there is none
	Locale        string    // a language tag (RFC 5646); empty where there is none
	CreatedAt     time.Time // UTC
	UpdatedAt     time.Time // UTC
	Version       int64     // 1 when made, one more with each change
}

// provenEmail gives the address if it is proven.
func (p Profile) provenEmail() string {
	if p.EmailVerified {
		return p.Email
	}
	return ""
}

// Profiles is the `users` table by user id. Every method fails with an [*Error];
// any may fail with CodeTooManyRequests, CodeUnavailable or CodeInternal.
type Profiles interface {
	// PutIfAbsent stores a new profile at version 1. CodeConflict where the user
	// has one.
	PutIfAbsent(ctx context.Context, p Profile) error
	// Get reads a profile, seeing every write that came before. CodeNotFound.
	Get(ctx context.Context, id UserID) (Profile, error)
	// Update stores p if the stored version still is p.Version, and gives it back
	// with the version it now has. CodeConflict where somebody was faster;
	// CodeNotFound.
	Update(ctx context.Context, p Profile) (Profile, error)
	// Delete removes a profile. It is idempotent.
	Delete(ctx context.Context, id UserID) error
}

// Claim is the hold of a sign-up on a name: leased while it waits, permanent once
// confirmed. There is at most one for a name at any time.
type Claim struct {
	Username  string // folded
	Attempt   string // random; names the sign-up that holds the claim
	TokenHash []byte // of the registration token; empty where no token fits any more
	UserID    UserID // empty until the directory has made the user
	Email     string // folded, to be proven; empty where there is none
	Directory string // the directory that the user is in, see [RegistrarConfig]
	Confirmed bool
	// LeaseUntil is when a pending claim may be superseded; meaningless once
	// confirmed.
	LeaseUntil time.Time
	Mailed     Mailed
	CreatedAt  time.Time
	// RetiredAt is when the owner of a confirmed claim began to delete the account; zero
	// while there is nothing to delete.
	RetiredAt time.Time
}

// Mailed is when the last mail of each use went out about a name; zero where none has.
type Mailed struct{ SignUp, Confirmation, Reset time.Time }

// At gives where m has the time of a use. It panics for a use that has none.
func (m *Mailed) At(use MailUse) *time.Time {
	switch use {
	case MailSignUp:
		return &m.SignUp
	case MailConfirmation:
		return &m.Confirmation
	case MailReset:
		return &m.Reset
	}
	panic("mails are not marked for the use " + string(use))
}

// Claims is the `users` table by unique name and address. Each method is one atomic
// step, so that a crash leaves a state between two of them and never within one.
// "Ours" means: the claim of that name stands and has that attempt. Every method
// fails with an [*Error]; any may fail with CodeTooManyRequests, CodeUnavailable or
// CodeInternal. A method whose outcome was lost on the way back may be called again
// with the same arguments: it recognises by the stored items that it was done.
type Claims interface {
	// Acquire stores c if nobody holds the name. Otherwise it stores nothing and
	// gives the claim that stands in the way, with acquired false.
	Acquire(ctx context.Context, c Claim) (held Claim, acquired bool, err error)
	// Supersede puts c in the place of old and removes old's profile, if old
	// still stands as it was read: same attempt, same lease, not confirmed.
	// CodeConflict otherwise.
	Supersede(ctx context.Context, old, c Claim) error
	// Find reads the claim on a name, seeing every write that came before.
	// CodeNotFound.
	Find(ctx context.Context, username string) (Claim, error)
	// Attach records c's UserID and TokenHash in the claim and stores the profile,
	// if the claim is ours and pending and the user has no profile. CodeConflict
	// otherwise.
	Attach(ctx context.Context, c Claim, p Profile) error
	// Extend moves the end of the lease, if the claim is ours and pending.
	// CodeConflict otherwise.
	Extend(ctx context.Context, username, attempt string, until time.Time) error
	// Settle makes the claim permanent and, where s.Email is not empty, sets the
	// profile's address to it, verified, claiming that address for the user. Where
	// another user has the address already, the account is confirmed without it:
	// the profile is left with no address and emailOwned is false. CodeConflict
	// where the claim is not ours or not s.UserID's.
	Settle(ctx context.Context, s Settlement) (emailOwned bool, err error)
	// Release removes the claim and its profile, if the claim is ours and pending.
	// It is idempotent: a claim that is gone or somebody else's is no error.
	Release(ctx context.Context, username, attempt string) error
	// PutEmailChange stores the wish for another address in the place of an older one, and
	// keeps it for [EmailChangeKept] past its time. CodeNotFound where the user has no profile.
	PutEmailChange(ctx context.Context, c EmailChange) error
	// TryEmailChange counts one try at the code, or more where an answer is lost, and
	// gives the wish with it counted. CodeNotFound.
	TryEmailChange(ctx context.Context, id UserID) (EmailChange, error)
	// FindEmailChange gives the wish. CodeNotFound.
	FindEmailChange(ctx context.Context, id UserID) (EmailChange, error)
	// MoveEmail makes m.To the profile's address, verified, claims it for the user and
	// gives up the one that the profile had, if the claim on the name is the user's,
	// confirmed and not retired. Where another user has the address it changes nothing,
	// and emailOwned is false. CodeConflict; CodeNotFound.
	MoveEmail(ctx context.Context, m EmailMove) (emailOwned bool, err error)
	// DropEmailChange removes the wish for another address. It is idempotent.
	DropEmailChange(ctx context.Context, id UserID) error
	// Retire marks a confirmed claim as one whose account is being deleted, and lists it
	// for Retired. It is idempotent, and leaves the time of an earlier call. CodeConflict
	// where the claim is not confirmed, or not the user's; CodeNotFound.
	Retire(ctx context.Context, username string, id UserID, at time.Time) error
	// Erase removes a retired claim and all that the table has of its user: the profile
	// and the ownership of an address. It is idempotent: a claim that is gone or somebody
	// else's is no error. CodeConflict where it is the user's and not retired.
	Erase(ctx context.Context, username string, id UserID) error
	// Retired gives the claims that are retired and not erased.
	Retired(ctx context.Context) ([]Claim, error)
	// MarkMailed records that a mail of a use that [Mailed] has goes out now about this name,
	// unless one has within the interval: then it gives false. False, too, where there is no
	// claim.
	MarkMailed(ctx context.Context, username string, use MailUse, now time.Time, interval time.Duration) (bool, error)
	// EmailOwner gives the user who has proven the address. CodeNotFound.
	EmailOwner(ctx context.Context, email string) (UserID, error)
}

// Settlement is what makes a pending claim permanent.
type Settlement struct {
	Username string
	Attempt  string
	UserID   UserID    // must be the claim's
	Email    string    // proven just now; empty where none was
	At       time.Time // becomes the profile's UpdatedAt
}

// EmailChangeKept is how long a wish for another address is kept past its time: one that was
// interrupted half-way can be ended until then.
const EmailChangeKept = 7 * 24 * time.Hour

// EmailChange is the wish of an account for another address, until that is proven.
type EmailChange struct {
	UserID    UserID
	From      string // the address that is to be told; empty where there is none
	To        string // folded
	Salt      []byte
	Hash      []byte // HMAC-SHA-256 of the code under the salt
	Tries     int
	ExpiresAt time.Time
}

// EmailMove is what moves an account to an address that it has proven.
type EmailMove struct {
	Username string
	UserID   UserID
	To       string
	At       time.Time // becomes the profile's UpdatedAt
}
