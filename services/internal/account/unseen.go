package account

import "context"

// registerUnseen signs somebody up under an e-mail address, in the background, so that
// neither the answer nor its time depends on what comes of it. A code or a notice goes
// out: known or not, it counts.
func (r *Registrar) registerUnseen(ctx context.Context, user NewUser, token string) error {
	code, err := r.Limits.Mail(ctx, user.Email)
	if err != nil {
		return err
	}
	return r.Background.Do(ctx, func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, leaseWork)
		defer cancel()
		_, err := r.enlist(ctx, r.claim(ctx, user, token), user, code)
		if CodeOf(err) == CodeUsernameTaken {
			err = r.refuse(ctx, user)
		}
		if err != nil {
			code.Failed(ctx)
			r.Logger.WarnContext(ctx, "sign-up came to nothing", "err", err)
		}
	})
}

// refuse does for an address that is taken what an account for it would have cost: whoever
// keeps the service busy must not learn by how busy it is.
func (r *Registrar) refuse(ctx context.Context, user NewUser) error {
	if _, err := r.Claims.EmailOwner(ctx, user.Email); err != nil && CodeOf(err) != CodeNotFound {
		return err
	}
	return r.Directory.PretendSignUp(ctx, user)
}

// refuseOwned stops where the address already belongs to an account of another
// name. The claim is left to its lease, so that whoever asks again and again does
// not fill the owner's mailbox.
func (r *Registrar) refuseOwned(ctx context.Context, c Claim) error {
	_, err := r.Claims.EmailOwner(ctx, c.Email)
	switch CodeOf(err) {
	case CodeNotFound:
		return nil
	case "":
		r.send(ctx, alreadyRegistered(c.Email))
		return ErrUsernameTaken(0)
	default:
		return err
	}
}
