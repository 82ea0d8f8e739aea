package account

import "context"

// gone says whether the directory no longer has the user of an account that the table has:
// an operator deleted it there, or made another of the name. An account that is younger
// than a lease counts as there, since a directory may take a moment to know of it.
func (r *Registrar) gone(ctx context.Context, a Profile) (bool, error) {
	user, err := r.Directory.FindUser(ctx, a.Username)
	if err := unlessNotFound(err); err != nil {
		return false, err
	}
	return user.ID != a.UserID && r.Now().Sub(a.CreatedAt) >= Lease, nil
}

func unlessNotFound(err error) error {
	if CodeOf(err) == CodeNotFound {
		return nil
	}
	return err
}

// clearIfGone clears an account away that is gone.
func (r *Registrar) clearIfGone(ctx context.Context, a Profile) (cleared bool, err error) {
	gone, err := r.gone(ctx, a)
	if err != nil || !gone {
		return false, err
	}
	return r.clear(ctx, a.Username, a.UserID)
}

// clear takes an account out of the way that is gone, as if its owner had deleted it. It
// leaves an account of another directory: a service that was told of the wrong one finds
// nobody, and must not take that for everybody's end.
func (r *Registrar) clear(ctx context.Context, username string, id UserID) (cleared bool, err error) {
	held, err := r.Claims.Find(ctx, username)
	switch {
	case err != nil:
		return CodeOf(err) == CodeNotFound, unlessNotFound(err)
	case held.UserID == id && held.Directory != r.DirectoryID:
		r.Logger.ErrorContext(ctx, "an account is of another directory than this service is set up for", "directory", held.Directory)
		return false, nil
	}
	switch err := r.Claims.Retire(ctx, username, id, r.Now()); CodeOf(err) {
	case "":
	case CodeNotFound, CodeConflict:
		return true, nil // somebody else has cleared it
	default:
		return false, err
	}
	err = r.erase(ctx, Claim{Username: username, UserID: id})
	return err == nil, err
}

// owned says whether an address belongs to another account than that of id, which may be
// empty. One that is gone is cleared away.
func (r *Registrar) owned(ctx context.Context, email string, id UserID) (bool, error) {
	owner, err := r.Claims.EmailOwner(ctx, email)
	switch {
	case CodeOf(err) == CodeNotFound, err == nil && owner == id:
		return false, nil
	case err != nil:
		return false, err
	}
	p, err := r.Profiles.Get(ctx, owner)
	if err != nil { // not found where the account is being erased at this moment
		return true, unlessNotFound(err)
	}
	cleared, err := r.clearIfGone(ctx, p)
	return !cleared, err
}
