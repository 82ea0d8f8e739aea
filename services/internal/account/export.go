package account

import (
	"context"
	"time"
)

// Export is all that is held of an account and can be shown. What is not: the password's
// hash, codes and tokens' hashes, which say nothing, and counters of attempts, under keys
// that name nobody.
type Export struct {
	At       time.Time
	Profile  Profile
	User     User // as the directory knows it
	SignedUp time.Time
	Mailed   Mailed      // what anybody could cause
	Wish     EmailChange // for another address, its code not proven yet; zero if there is none
	Sessions []Session   // nil where the directory does not know them one by one
}

// Export gives all that is held of the account that an access token belongs to.
// CodeInvalidToken; CodeNotFound.
func (r *Registrar) Export(ctx context.Context, who Identity, accessToken string) (Export, error) {
	e := Export{At: r.Now().UTC()}
	var err error
	if e.User, err = r.Directory.GetUser(ctx, accessToken); err != nil {
		return Export{}, err
	}
	if found, err := r.Directory.FindUser(ctx, who.Username); err == nil && found.ID == e.User.ID {
		e.User = found // GetUser does not know when it was made
	}
	if e.Profile, err = r.Profile(ctx, who); err != nil {
		return Export{}, err
	}
	claim, err := r.Claims.Find(ctx, who.Username)
	if err != nil {
		return Export{}, orGone(err)
	}
	e.SignedUp, e.Mailed = claim.CreatedAt, claim.Mailed
	e.Wish, err = r.Claims.FindEmailChange(ctx, who.UserID)
	if unlessNotFound(err) != nil {
		return Export{}, err
	}
	if lister, ok := r.Directory.(SessionLister); ok {
		if e.Sessions, err = lister.ListSessions(ctx, accessToken); err != nil {
			return Export{}, err
		}
	}
	return e, nil
}
