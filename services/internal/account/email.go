package account

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"math/big"
	"time"
)

const (
	// emailCodeLifetime is how long the code for another address is good.
	emailCodeLifetime = time.Hour
	// emailCodeTries is how often it may be tried.
	emailCodeTries = 5
)

// ChangeEmail sends a code to the address that an account is to have, by which
// [Registrar.ConfirmEmail] moves it there. It takes the password, since a token may be
// stolen. Where another account has the address, its owner is told instead, and the
// answer does not tell. The account's own address is one only where the directory was not
// told of it, since a change was interrupted. CodeInvalid; CodeUnsupported where no mail
// goes out; CodeWrongPassword; CodeNotFound where the account is gone;
// CodeTooManyRequests.
func (r *Registrar) ChangeEmail(ctx context.Context, who Identity, email, password string) error {
	to, err := FoldEmail(email)
	if err != nil {
		return err
	}
	if r.Mailless != nil {
		return Errorf(CodeUnsupported, r.Mailless, "This service sends no mail, so an address cannot be proven.")
	}
	p, err := r.Profile(ctx, who)
	if err != nil {
		return err
	}
	user, err := r.prove(ctx, who, password)
	if err != nil {
		return err
	}
	change := EmailChange{UserID: who.UserID, From: p.provenEmail(), To: to}
	if change.From == to {
		// Unless the directory was not told of it: an interrupted change begins anew.
		if user.provenEmail() == to {
			return ErrInvalid("email", "is the account's already")
		}
		change.From = user.provenEmail()
	}
	mail, err := r.Limits.Mail(ctx, MailEmail, to)
	if err != nil {
		return err
	}
	return r.Background.Do(ctx, func(ctx context.Context) {
		if err := r.sendEmailCode(mail.watched(ctx), change, p); err != nil {
			mail.Failed(ctx)
			r.Logger.WarnContext(ctx, "code for another address not sent", "err", err)
		}
	})
}

// sendEmailCode keeps a new code for an address and mails it there. Where the address is
// another account's the code is one that nobody gets: who asked must see the same, by the
// wish in the export or by what becomes of an older code.
func (r *Registrar) sendEmailCode(ctx context.Context, change EmailChange, p Profile) error {
	owned, err := r.owned(ctx, change.To, change.UserID)
	if err != nil {
		return err
	}
	switch before, err := r.Claims.TryEmailChange(ctx, change.UserID); {
	case err == nil && before.done(p) && before.From != "" && before.From != change.To:
		change.From = before.From // it was interrupted before this address was told
	case unlessNotFound(err) != nil:
		return err
	}
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return fmt.Errorf("drawing a code: %w", err)
	}
	code := fmt.Sprintf("%06d", n)
	mail := addressCode(change.To, code)
	if owned {
		code, mail = rand.Text(), addressWanted(change.To)
	}
	change.Salt = make([]byte, 16)
	_, _ = rand.Read(change.Salt) // never fails
	change.Hash, change.ExpiresAt = emailCodeHash(change.Salt, code), r.Now().Add(emailCodeLifetime)
	if err := r.Claims.PutEmailChange(ctx, change); err != nil {
		return err
	}
	return r.Mailer.Send(ctx, mail)
}

// done says whether a profile has the address that the wish is for.
func (c EmailChange) done(p Profile) bool { return p.provenEmail() == c.To }

func emailCodeHash(salt []byte, code string) []byte {
	h := hmac.New(sha256.New, salt)
	h.Write([]byte(code))
	return h.Sum(nil)
}

// ConfirmEmail moves an account to the address that its code was sent to, and tells the
// older address. The same request again finishes what was interrupted, the code's time being
// over or not: it is used up only when everything is done. CodeMismatch; CodeExpired;
// CodeConflict where the address is another account's by now; CodeTooManyRequests.
func (r *Registrar) ConfirmEmail(ctx context.Context, who Identity, code string) (Profile, error) {
	guess, err := r.Limits.Code(ctx, string(who.UserID), "email") // strangers know no id
	if err != nil {
		return Profile{}, err
	}
	change, err := r.Claims.TryEmailChange(ctx, who.UserID)
	switch {
	case CodeOf(err) == CodeNotFound:
		return Profile{}, ErrCodeMismatch(err)
	case err != nil:
		return Profile{}, err
	}
	p, err := r.Profile(ctx, who)
	switch {
	case err != nil:
		return Profile{}, err
	case !change.done(p) && (change.Tries > emailCodeTries || !r.Now().Before(change.ExpiresAt)):
		return Profile{}, ErrCodeExpired(nil)
	case !hmac.Equal(change.Hash, emailCodeHash(change.Salt, code)):
		return Profile{}, ErrCodeMismatch(nil)
	}
	guess.Right(ctx)
	ctx, cancel := toTheEnd(ctx, endWithin) // or the table and the directory would have two addresses
	defer cancel()
	owned, err := r.Claims.MoveEmail(ctx, EmailMove{Username: who.Username, UserID: who.UserID, To: change.To, At: r.Now().UTC()})
	switch {
	case err != nil:
		return Profile{}, orGone(err)
	case !owned:
		return Profile{}, Errorf(CodeConflict, nil, "The address belongs to another account.")
	}
	// The table is what decides whose an address is, so it comes first. Until the
	// directory knows, no codes for new passwords go out.
	if err := r.Directory.SetEmail(ctx, who.Username, change.To); err != nil {
		return Profile{}, orGone(err)
	}
	if change.From != "" && change.From != change.To {
		r.send(ctx, addressMoved(change.From, change.To, who.Username))
	}
	if err := r.Claims.DropEmailChange(ctx, who.UserID); err != nil {
		return Profile{}, err
	}
	return r.Profile(ctx, who)
}
