package account

import (
	"context"
	"crypto/rand"
	"strings"
)

// Confirmation is a request to confirm an account, as it came in.
type Confirmation struct {
	Username          string
	Code              string // the newest one sent to the address
	RegistrationToken string // what Register gave to whoever chose the password
}

// Confirm proves an account's address and makes the claim on its name permanent. It
// takes the registration token as well as the code: whoever signs up with somebody
// else's address never sees the code, and the address's owner, who does, never has
// the token for a password they did not choose. CodeMismatch, CodeExpired,
// CodeTooManyRequests. It is idempotent for the holder of the token.
func (r *Registrar) Confirm(ctx context.Context, in Confirmation) (UserID, error) {
	name, err := FoldUsername(in.Username)
	if err != nil {
		return "", err
	}
	// Counted with the token, which goes with the code: who has another one cannot be right,
	// and uses up nothing of its holder's.
	guess, err := r.Limits.Code(ctx, name+" "+in.RegistrationToken)
	if err != nil {
		return "", err
	}
	claim, err := r.Claims.Find(ctx, name)
	if err != nil && CodeOf(err) != CodeNotFound {
		return "", err
	}
	// For an unknown name the claim is empty, and no token fits it.
	if !claim.fits(in.RegistrationToken) || claim.UserID == "" {
		return "", r.pretendToConfirm(ctx, name, in.Code)
	}
	if claim.Confirmed {
		return claim.UserID, nil
	}
	// Nobody may supersede the claim while the directory is asked.
	ctx, cancel := context.WithTimeout(ctx, leaseWork)
	defer cancel()
	if err := r.Claims.Extend(ctx, name, claim.Attempt, r.Now().Add(Lease)); err != nil {
		return "", superseded(err)
	}
	proven := claim.Email
	switch err := r.Directory.Confirm(ctx, name, in.Code); CodeOf(err) {
	case "":
	case CodeAlreadyConfirmed:
		// An earlier try got this far and its news was lost, if it is our user.
		user, err := r.Directory.FindUser(ctx, name)
		if err != nil {
			return "", superseded(err)
		}
		if user.ID != claim.UserID {
			return "", ErrCodeMismatch(nil)
		}
		if user.provenEmail() != claim.Email {
			proven = "" // an operator confirmed the user, without a code
		}
	default:
		return "", err
	}
	if err := r.settle(ctx, claim, proven); err != nil {
		return "", superseded(err)
	}
	guess.Right(ctx)
	return claim.UserID, nil
}

// pretendToConfirm does what a wrong code costs whose token fits: a sign-up under an address
// gives a token to anybody, and the time must not tell whether it is of any use. It is told
// to the table and the directory under names that nobody has.
func (r *Registrar) pretendToConfirm(ctx context.Context, name, code string) error {
	if !IsEmail(name) {
		return ErrCodeMismatch(nil)
	}
	err := r.Claims.Extend(ctx, name, rand.Text(), r.Now().Add(Lease))
	if err != nil && CodeOf(err) != CodeConflict && CodeOf(err) != CodeNotFound {
		return err
	}
	switch err := r.Directory.Confirm(ctx, strings.ToLower(rand.Text()), code); CodeOf(err) {
	case CodeUnavailable, CodeTooManyRequests, CodeInternal: // as it would be for a code that is tried
		return err
	}
	return ErrCodeMismatch(nil)
}

// superseded turns the news that a newer sign-up has taken the name into the answer
// that this code is void.
func superseded(err error) error {
	switch CodeOf(err) {
	case CodeConflict, CodeNotFound, CodeUsernameTaken:
		return ErrCodeMismatch(err)
	}
	return err
}

// Resend sends a new code to the address of an account that waits for one, at most
// once in [MailInterval], and to an address of which none waits the news of that. It says
// nothing of what it did: a name that is unknown, confirmed or has no address gets the
// same answer, before anything is looked up.
// CodeTooManyRequests.
func (r *Registrar) Resend(ctx context.Context, username string) error {
	name, err := FoldUsername(username)
	if err != nil {
		return err
	}
	code, err := r.Limits.Mail(ctx, MailConfirmation, name)
	if err != nil {
		return err
	}
	return r.Background.Do(ctx, func(ctx context.Context) {
		u := unseen{r.Claims, r.Directory, r.Mailer, r.Count, r.Logger}
		u.code(ctx, name, r.Now(), code, wanted{MailConfirmation, r.Directory.ResendCode, insteadOfConfirming})
	})
}
