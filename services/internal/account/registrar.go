package account

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"log/slog"
	"time"
)

const (
	// Lease is how long a sign-up holds a name before another may supersede it,
	// unless it is confirmed by then.
	Lease = 60 * time.Second
	// leaseWork is how long one operation may work on the strength of a lease. What
	// it asks of the directory in that time has landed, or never will, when the
	// lease is over and somebody else may look.
	leaseWork = Lease - 10*time.Second
	// MailInterval is the least time between two mails about one name that anybody
	// can cause without proving who they are.
	MailInterval = time.Minute
)

// RegistrarConfig is what a [Registrar] stands on. Directory, Claims, Profiles and
// Mailer are required.
type RegistrarConfig struct {
	Directory     Directory
	DirectoryID   string // names it; a user of another one that is not in this one is not gone
	Claims        Claims
	Profiles      Profiles
	Mailer        Mailer     // for notices to the owners of addresses
	Mailless      error      // why Mailer sends nothing, so that no address can be proven; nil where it sends
	Background    Background // for what no answer may wait for; Inline where it is nil
	Limits        *Limits    // nil is none
	Breaches      *BreachCheck
	Revoker       *Revoker // voids the access tokens of a deleted account; nil is none
	Replays       *Replays // to be forgotten with an account; nil is none
	Count         Count    // of SignUpsFailed and MailsFailed
	EmailRequired bool     // refuse a sign-up that gives no e-mail address
	Now           func() time.Time
	Wait          func(ctx context.Context, d time.Duration) error // how to wait; nil is by the clock
	Logger        *slog.Logger
}

// Registrar makes accounts: a saga over the directory and the table, which share
// no transaction. A claim on the name comes first, then the directory's user, then
// the profile; confirmation makes the claim permanent. A crash at any point leaves
// a pending claim, which the next sign-up for the name supersedes once its lease is
// over, or settles if the directory's user turns out to be confirmed. See
// docs/registration.md for the states and why each step is safe.
type Registrar struct{ RegistrarConfig }

// NewRegistrar makes a Registrar. Now defaults to the wall clock, Logger to silence.
func NewRegistrar(c RegistrarConfig) *Registrar {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Background == nil {
		c.Background = Inline{}
	}
	if c.Wait == nil {
		c.Wait = wait
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return &Registrar{c}
}

// Registration is a request to sign up, as it came in.
type Registration struct {
	Username string
	Password string
	Email    string // empty where none was given
}

// Registered is the answer to a sign-up.
type Registered struct {
	// UserID is empty where the username is an e-mail address: it would tell
	// whether the address was known before. Confirm gives it.
	UserID UserID
	// ConfirmationRequired says that a code is on its way and the account waits.
	ConfirmationRequired bool
	// RegistrationToken goes with the code to Confirm; empty where there is nothing
	// to confirm.
	RegistrationToken string
}

// Register signs somebody up. CodeInvalid names every field that breaks a rule;
// CodeUsernameTaken for a name that is somebody's, with RetryAfter while it is only
// leased; CodeTooManyRequests. For an e-mail address as username the answer is the same
// whether it is known or not, and is given before anything is looked up: what comes of it
// is mailed to whoever has the address. See docs/enumeration.md.
//
// Called by [Replays] after an attempt at the same request that was interrupted, it goes
// on from where that one came to, and gives what that one would have given.
func (r *Registrar) Register(ctx context.Context, in Registration) (Registered, error) {
	user, err := r.check(in)
	if err != nil {
		return Registered{}, err
	}
	if err := r.Limits.SignUp(ctx); err != nil {
		return Registered{}, err
	}
	if err := r.Breaches.Check(ctx, user.Password); err != nil {
		return Registered{}, err
	}
	token := attemptText(ctx, "token")
	if IsEmail(user.Username) {
		return Registered{ConfirmationRequired: true, RegistrationToken: token}, r.registerUnseen(ctx, user, token)
	}
	ctx, cancel := context.WithTimeout(ctx, leaseWork)
	defer cancel()
	id, err := r.enlist(ctx, r.claim(ctx, user, token), user, Sending{})
	switch {
	case err != nil:
		return Registered{}, err
	case user.Email == "":
		return Registered{UserID: id}, nil
	}
	return Registered{UserID: id, ConfirmationRequired: true, RegistrationToken: token}, nil
}

// claim gives the claim of an attempt to sign up that begins now.
func (r *Registrar) claim(ctx context.Context, user NewUser, token string) Claim {
	now := r.Now()
	claim := Claim{
		Username:   user.Username,
		Attempt:    attemptText(ctx, "attempt"),
		TokenHash:  hash(token),
		Email:      user.Email,
		Directory:  r.DirectoryID,
		LeaseUntil: now.Add(Lease),
		CreatedAt:  now,
	}
	if user.Email != "" {
		claim.Mailed.SignUp, claim.Mailed.Confirmation = now, now // the directory sends the code
	}
	return claim
}

// check gives the folded request, or every field that breaks a rule.
func (r *Registrar) check(in Registration) (NewUser, error) {
	u := NewUser{Password: NormalizePassword(in.Password)}
	var fields []Field
	note := func(err error) {
		if e, ok := errors.AsType[*Error](err); ok {
			fields = append(fields, e.Fields...)
		}
	}
	var err error
	u.Username, err = FoldUsername(in.Username)
	note(err)
	note(CheckPassword(u.Password, u.Username))
	if in.Email != "" {
		u.Email, err = FoldEmail(in.Email)
		note(err)
	}
	switch {
	case len(fields) > 0:
	case !IsEmail(u.Username) && u.Email == "" && r.EmailRequired:
		fields = append(fields, Field{"email", "is required"})
	case IsEmail(u.Username) && u.Email == "":
		u.Email = u.Username
	case IsEmail(u.Username) && u.Email != u.Username:
		fields = append(fields, Field{"email", "must be the username where that is an e-mail address, or be left out"})
	}
	if len(fields) > 0 {
		return NewUser{}, &Error{Code: CodeInvalid, Message: "Some fields break a rule.", Fields: fields}
	}
	return u, nil
}

// enlist takes the name and makes the account: the saga itself. code is the mail that an
// address as username is counted for already.
func (r *Registrar) enlist(ctx context.Context, c Claim, u NewUser, code Sending) (UserID, error) {
	held, err := r.acquire(ctx, c)
	switch {
	case err != nil:
		return "", err
	case held.Confirmed, held.UserID != "" && u.Email != "":
		return held.UserID, nil
	case held.UserID != "":
		return held.UserID, r.confirmWithout(ctx, held)
	}
	if u.Email != "" && !IsEmail(u.Username) {
		if code, err = r.Limits.Mail(ctx, MailSignUp, u.Email); err != nil {
			r.release(ctx, c)
			return "", err
		}
	}
	if IsEmail(u.Username) {
		if err := r.refuseOwned(ctx, c); err != nil {
			return "", err
		}
	}
	made, err := r.signUp(code.watched(ctx), c, u)
	if err != nil {
		if !IsEmail(u.Username) { // or whoever counted it sends a notice in its place
			code.Failed(ctx)
		}
		return "", err
	}
	if u.Email != "" && !made.CodeSent {
		code.Failed(ctx)
	}
	c.UserID = made.UserID
	p := Profile{UserID: c.UserID, Username: c.Username, Email: c.Email, CreatedAt: c.CreatedAt, UpdatedAt: c.CreatedAt}
	if err := r.Claims.Attach(ctx, c, p); err != nil {
		return "", lost(err)
	}
	if u.Email == "" {
		return c.UserID, r.confirmWithout(ctx, c)
	}
	return c.UserID, nil
}

// acquire takes the name for c, superseding a claim whose lease is over unless its
// user turns out to be confirmed. It gives the claim as it stands now: with a user, where
// an attempt at the same request made one before it was interrupted.
func (r *Registrar) acquire(ctx context.Context, c Claim) (Claim, error) {
	held, acquired, err := r.Claims.Acquire(ctx, c)
	switch {
	case err != nil || acquired && held.Confirmed:
		return held, err
	case acquired && held.LeaseUntil.Before(c.LeaseUntil):
		return held, lost(r.Claims.Extend(ctx, c.Username, c.Attempt, c.LeaseUntil))
	case acquired:
		return held, nil
	case !held.RetiredAt.IsZero() && c.CreatedAt.Sub(held.RetiredAt) <= stalled:
		// Whoever works on its deletion may be about to forget the requests made under this
		// name, which must not be ours.
		return held, ErrUsernameTaken(stalled - c.CreatedAt.Sub(held.RetiredAt))
	case !held.RetiredAt.IsZero():
		// Its owner wanted it gone, and something came in between.
		if err := r.erase(ctx, held); err != nil {
			return held, err
		}
		return r.acquire(ctx, c)
	case held.Confirmed:
		cleared, err := r.clearIfGone(ctx, Profile{UserID: held.UserID, Username: held.Username, CreatedAt: held.CreatedAt})
		switch {
		case err != nil:
			return held, err
		case !cleared:
			r.notify(ctx, held.Username, MailSignUp, alreadyRegistered)
			return held, ErrUsernameTaken(0)
		}
		return r.acquire(ctx, c)
	case c.CreatedAt.Before(held.LeaseUntil):
		return held, ErrUsernameTaken(held.LeaseUntil.Sub(c.CreatedAt))
	}
	// The lease is over, so nobody works on its strength any more, and what the
	// directory says now is the last word on that attempt: had it been confirmed
	// and the news lost, the claim would be permanent.
	user, err := r.Directory.FindUser(ctx, c.Username)
	switch {
	case err == nil && user.Confirmed && user.ID == held.UserID:
		return held, r.settleFound(ctx, held, user)
	case err != nil && CodeOf(err) != CodeNotFound:
		return held, err
	}
	return c, lost(r.Claims.Supersede(ctx, held, c))
}

// settleFound makes c permanent for a confirmed user found under its name, whose
// news was lost or who was never told to the table, and reports the name as taken.
func (r *Registrar) settleFound(ctx context.Context, c Claim, u User) error {
	if c.UserID != u.ID {
		// The attempt that holds the claim did not make this user, so its token
		// must not speak for it.
		c.UserID, c.TokenHash = u.ID, nil
		p := Profile{UserID: u.ID, Username: u.Username, Email: u.Email, CreatedAt: u.CreatedAt, UpdatedAt: r.Now()}
		if err := r.Claims.Attach(ctx, c, p); err != nil {
			return lost(err)
		}
	}
	if err := r.settle(ctx, c, u.provenEmail()); err != nil {
		return err
	}
	r.notify(ctx, c.Username, MailSignUp, alreadyRegistered)
	return ErrUsernameTaken(0)
}

// signUp makes the directory's user. Our claim on the name means that an
// unconfirmed user found under it is what some interrupted attempt left.
func (r *Registrar) signUp(ctx context.Context, c Claim, u NewUser) (SignedUp, error) {
	for range 3 {
		made, err := r.Directory.SignUp(ctx, u)
		switch CodeOf(err) {
		case "":
			return made, nil
		case CodeUsernameTaken:
		case CodeInvalid, CodeTooManyRequests:
			r.release(ctx, c) // the directory made nothing, so the name is free at once
			return SignedUp{}, err
		default:
			return SignedUp{}, err // it may have made the user: the lease stands guard
		}
		found, err := r.Directory.FindUser(ctx, u.Username)
		switch {
		case CodeOf(err) == CodeNotFound:
			continue
		case err != nil:
			return SignedUp{}, err
		case found.Confirmed:
			return SignedUp{}, r.settleFound(ctx, c, found)
		}
		if err := r.Directory.DeleteUser(ctx, found.ID); err != nil {
			return SignedUp{}, err
		}
	}
	return SignedUp{}, ErrUsernameTaken(Lease)
}

// confirmWithout confirms an account that has no address to prove: only where the
// directory shows the user we made, waiting, and with no address.
func (r *Registrar) confirmWithout(ctx context.Context, c Claim) error {
	user, err := r.Directory.FindUser(ctx, c.Username)
	if err != nil {
		return lost(err)
	}
	if user.ID != c.UserID || user.Email != "" {
		return ErrUsernameTaken(0)
	}
	if !user.Confirmed {
		if err := r.Directory.ConfirmUser(ctx, c.Username); err != nil && CodeOf(err) != CodeAlreadyConfirmed {
			return lost(err)
		}
	}
	return r.settle(ctx, c, "")
}

// settle makes the claim permanent, and tells the owner of the address where
// another account has it.
func (r *Registrar) settle(ctx context.Context, c Claim, email string) error {
	owned, err := r.Claims.Settle(ctx, Settlement{
		Username: c.Username, Attempt: c.Attempt, UserID: c.UserID, Email: email, At: r.Now(),
	})
	if err != nil {
		return lost(err)
	}
	if email != "" && !owned {
		r.send(ctx, addressTaken(email, c.Username))
	}
	return nil
}

// release gives the name back on a best effort: where it fails the lease ends it.
func (r *Registrar) release(ctx context.Context, c Claim) {
	ctx, cancel := toTheEnd(ctx, 5*time.Second)
	defer cancel()
	if err := r.Claims.Release(ctx, c.Username, c.Attempt); err != nil {
		r.Logger.WarnContext(ctx, "claim not released; its lease will end it", "err", err)
	}
}

// lost turns the news that the claim or the user is no longer ours into the answer
// that the name is somebody else's.
func lost(err error) error {
	if c := CodeOf(err); c == CodeConflict || c == CodeNotFound {
		taken := errTaken
		taken.RetryAfter, taken.Err = Lease, err
		return &taken
	}
	return err
}

func hash(token string) []byte {
	h := sha256.Sum256([]byte(token))
	return h[:]
}

// fits says whether a registration token is the claim's, in constant time.
func (c Claim) fits(token string) bool {
	return len(c.TokenHash) > 0 && subtle.ConstantTimeCompare(c.TokenHash, hash(token)) == 1
}
