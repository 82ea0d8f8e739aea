package account

import (
	"context"
	"errors"
)

// ChangePassword gives the access token's user another password, ends all sessions, the
// token's own included, opens a new one and tells the owner by mail. The same request
// again finishes what was interrupted. CodeInvalidToken; CodeWrongPassword where the
// current password is; CodeInvalid; CodeTooManyRequests.
func (s *Sessions) ChangePassword(ctx context.Context, accessToken, current, password string) (Tokens, error) {
	user, err := s.Directory.GetUser(ctx, accessToken)
	if err != nil {
		return Tokens{}, err
	}
	current, password = NormalizePassword(current), NormalizePassword(password)
	if err := CheckPassword(password, user.Username); err != nil {
		return Tokens{}, as("new_password", err)
	}
	if password == current {
		return Tokens{}, ErrInvalid("new_password", "must not be the current one")
	}
	guess, err := s.Limits.SignIn(ctx, user.Username)
	if err != nil {
		return Tokens{}, err
	}
	if err := s.Breaches.Check(ctx, password); err != nil {
		return Tokens{}, as("new_password", err)
	}
	err = s.Directory.ChangePassword(ctx, accessToken, current, password)
	if CodeOf(err) == CodeInvalidCredentials {
		// Whoever has stolen the token could try a password as the new one, too.
		if guess, err = s.Limits.SignIn(ctx, user.Username); err != nil {
			return Tokens{}, err
		}
		switch changed, err := s.changed(ctx, user.Username, password); {
		case err != nil:
			return Tokens{}, err
		case !changed:
			return Tokens{}, ErrWrongPassword("current_password", nil)
		}
	}
	if err != nil {
		return Tokens{}, as("new_password", err)
	}
	ctx, cancel := toTheEnd(ctx, endWithin)
	defer cancel()
	// Whatever is interrupted from here on, the password is the new one, and sessions of
	// the older go on until the request is made again, or its maker signs out everywhere.
	if err := s.SignOutEverywhere(ctx, accessToken); err != nil {
		return Tokens{}, err
	}
	s.tell(ctx, user.Username, passwordChanged)
	guess.Right(ctx)
	tokens, err := s.Directory.SignIn(ctx, user.Username, password)
	if CodeOf(err) == CodeInvalidCredentials { // it was changed again, and the token is void by that
		err = ErrToken(err)
	}
	return tokens, s.sealed(user.Username, err)
}

// changed says whether the password is the new one already, by an earlier try of the same
// request whose answer was lost. The session it opens to see ends with all others.
func (s *Sessions) changed(ctx context.Context, name, password string) (bool, error) {
	_, err := s.Directory.SignIn(ctx, name, password)
	return PasswordFits(err)
}

// PasswordFits says by the outcome of a sign-in whether the password was right: a further step
// follows the right one alone. Where the password was not looked at it was not.
func PasswordFits(err error) (bool, error) {
	if e, ok := errors.AsType[*Error](err); ok && e.Challenge != nil {
		return true, nil
	}
	switch CodeOf(err) {
	case "":
		return true, nil
	case CodeInvalidCredentials, CodeNotConfirmed, CodeChallenge:
		return false, nil
	}
	return false, err
}

// as gives an error's fields the name that this operation has for the password.
func as(field string, err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok || len(e.Fields) != 1 || e.Fields[0].Name != "password" {
		return err
	}
	named := *e
	named.Fields = []Field{{Name: field, Message: e.Fields[0].Message}}
	return &named
}

// ListSessions gives the sessions of the access token's user, newest first.
// CodeInvalidToken; CodeUnsupported where the directory does not know them.
func (s *Sessions) ListSessions(ctx context.Context, accessToken string) ([]Session, error) {
	lister, err := s.lister(ctx, accessToken)
	if err != nil {
		return nil, err
	}
	return lister.ListSessions(ctx, accessToken)
}

// EndSession ends one session of the access token's user. CodeInvalidToken; CodeNotFound;
// CodeUnsupported where the directory does not know them.
func (s *Sessions) EndSession(ctx context.Context, accessToken, id string) error {
	lister, err := s.lister(ctx, accessToken)
	if err != nil {
		return err
	}
	return lister.EndSession(ctx, accessToken, id)
}

// lister gives what knows the sessions of the directory, if anything does. Whoever has no
// good token is told that first.
func (s *Sessions) lister(ctx context.Context, accessToken string) (SessionLister, error) {
	lister, ok := s.Directory.(SessionLister)
	if !ok {
		if _, err := s.Verifier.Verify(ctx, accessToken); err != nil {
			return nil, err
		}
		return nil, Errorf(CodeUnsupported, nil, "This directory does not know sessions one by one; sign out everywhere instead.")
	}
	return lister, nil
}
