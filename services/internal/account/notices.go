package account

import (
	"context"
	"fmt"
)

// notice makes a mail to an address.
type notice func(email string) Mail

// notify mails the owner of a name that is an address, at most once for a use in MailInterval.
func (r *Registrar) notify(ctx context.Context, username string, use MailUse, n notice) {
	if !IsEmail(username) {
		return
	}
	due, err := r.Claims.MarkMailed(ctx, username, use, r.Now(), MailInterval)
	if err != nil {
		r.Logger.WarnContext(ctx, "notice not sent", "err", err)
	}
	if due {
		r.send(ctx, n(username))
	}
}

// send mails on a best effort: no answer hangs on a notice.
func (r *Registrar) send(ctx context.Context, m Mail) {
	if err := r.Mailer.Send(ctx, m); err != nil {
		r.Logger.WarnContext(ctx, "notice not sent", "err", err)
	}
}

func alreadyRegistered(email string) Mail {
	return Mail{
		To:      email,
		Subject: "You already have an account",
		Text: "Somebody, most likely you, tried to sign up with this e-mail address, which already has an account.\n" +
			"Nothing has changed. If it was you, sign in with your password; if not, there is nothing to do.\n",
	}
}

// signUpFailed tells, too, what only the directory knows of the password: which rule of
// its own it breaks.
func signUpFailed(email string, why error) Mail {
	happened, again := "something went wrong on our side", "in a minute or two"
	if CodeOf(why) == CodeInvalid {
		happened, again = "the password was refused: it breaks a rule of this service", "with a longer one"
	}
	return Mail{
		To:      email,
		Subject: "There is no account for you yet",
		Text: fmt.Sprintf("You, or somebody who gave your e-mail address, signed up with it, and %s.\n"+
			"Sign up again %s. If it was not you, there is nothing to do.\n", happened, again),
	}
}

func noAccount(email string) Mail {
	return Mail{
		To:      email,
		Subject: "There is no account for this address",
		Text: "Somebody, most likely you, asked for a code for this e-mail address, but no account waits for one under it.\n" +
			"If it was you, sign up with it, or ask again with the username that you signed up with; if not, there is nothing to do.\n",
	}
}

func addressTaken(email, username string) Mail {
	return Mail{
		To:      email,
		Subject: "This address belongs to another account",
		Text: fmt.Sprintf("The account %q was confirmed, but without this e-mail address, which already belongs to another account of yours.\n"+
			"Both accounts work, but no code for a new password of this one can come here. Sign in to it and give it another address,\n"+
			"or this one, once you have given the other account another.\n", username),
	}
}

func passwordChanged(u User) Mail {
	return Mail{
		To:      u.Email,
		Subject: "Your password was changed",
		Text: fmt.Sprintf("The password of the account %q was changed, and all its sessions were ended.\n"+
			"If it was not you, ask for a new password at once: your mailbox decides who has the account.\n", u.Username),
	}
}

// addressCode does not say whose account it is: the address is not proven yet, and a name may
// be made to look like a link.
func addressCode(email, code string) Mail {
	return Mail{
		To:      email,
		Subject: "Your code for this address",
		Text: fmt.Sprintf("The code that makes this the address of your account is %s. It is good for an hour.\n\n"+
			"If you did not ask for it, there is nothing to do.\n", code),
	}
}

func addressWanted(email string) Mail {
	return Mail{
		To:      email,
		Subject: "This address belongs to your account",
		Text: "Somebody, most likely you, tried to make this the address of another account. It belongs to one already, and nothing has changed.\n" +
			"To move it, change the address of the account that has it first.\n",
	}
}

func addressMoved(from, to, username string) Mail {
	return Mail{
		To:      from,
		Subject: "Your account has another address",
		Text: fmt.Sprintf("The account %q has another e-mail address now, %s. Mail about it no longer comes here.\n"+
			"If it was not you, change your password and your address at once.\n", username, to),
	}
}
