package account

import "context"

// Profile gives the profile of whoever a verified access token belongs to.
// CodeNotFound where the account is gone but its token has not yet expired.
func (r *Registrar) Profile(ctx context.Context, who Identity) (Profile, error) {
	return r.Profiles.Get(ctx, who.UserID)
}
