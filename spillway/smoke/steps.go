package smoke

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// mailbox is an address that nobody has (RFC 2606); no mail goes to it, since it stands
// in a sign-up for a name that is taken.
const mailbox = "smoke@example.com"

func (s *session) register(ctx context.Context) error {
	s.account = &Account{Username: Prefix + strings.ToLower(rand.Text()), Password: rand.Text()}
	got, err := s.walk.send(ctx, http.MethodPost, "/register", "", fields{"username": s.account.Username, "password": s.account.Password})
	switch {
	case err != nil:
		return err
	case got.status == http.StatusConflict && got.repeated:
		// The first try got through, and only its answer was lost: the name is random.
	case got.status != http.StatusOK:
		return got.unlike(http.StatusOK)
	case got.ConfirmationIsDue:
		return errors.New("the account waits for a code, though it has no address")
	case got.UserID == "":
		return errors.New("the answer has no user_id")
	}
	s.userID = got.UserID
	return nil
}

// registerAgain wants the name refused: so register answers, and reads its table.
func (s *session) registerAgain(ctx context.Context) error {
	got, err := s.walk.send(ctx, http.MethodPost, "/register", "",
		fields{"username": strings.ToUpper(s.account.Username), "password": rand.Text(), "email": mailbox})
	if err != nil {
		return err
	}
	return got.expect(http.StatusConflict)
}

func (s *session) loginWrong(ctx context.Context) error {
	got, err := s.walk.send(ctx, http.MethodPost, "/login", "", fields{"username": s.account.Username, "password": rand.Text()})
	if err != nil {
		return err
	}
	return got.expect(http.StatusUnauthorized)
}

func (s *session) login(ctx context.Context) error {
	return s.take(s.walk.send(ctx, http.MethodPost, "/login", "", fields{"username": s.account.Username, "password": s.account.Password}))
}

func (s *session) refresh(ctx context.Context) error {
	return s.take(s.walk.send(ctx, http.MethodPost, "/token/refresh", "", fields{"refresh_token": s.refreshToken}))
}

// take takes the tokens out of an answer.
func (s *session) take(got answer, err error) error {
	switch {
	case err != nil:
		return err
	case got.status != http.StatusOK:
		return got.unlike(http.StatusOK)
	case got.AccessToken == "" || got.RefreshToken == "":
		return errors.New("the answer has no tokens")
	case !strings.EqualFold(got.TokenType, "bearer"):
		return fmt.Errorf("the tokens are of type %q", got.TokenType)
	}
	s.accessToken, s.refreshToken = got.AccessToken, got.RefreshToken
	return nil
}

// me goes from login to register and to the table.
func (s *session) me(ctx context.Context) error {
	got, err := s.walk.send(ctx, http.MethodGet, "/me", s.accessToken, nil)
	switch {
	case err != nil:
		return err
	case got.status != http.StatusOK:
		return got.unlike(http.StatusOK)
	case !strings.EqualFold(got.Username, s.account.Username):
		return errors.New("the answer is about somebody else")
	case s.userID != "" && got.UserID != s.userID:
		return fmt.Errorf("the user_id is %s, and register said %s", got.UserID, s.userID)
	}
	return nil
}

func (s *session) logout(ctx context.Context) error {
	got, err := s.walk.send(ctx, http.MethodPost, "/logout", "", fields{"refresh_token": s.refreshToken})
	if err != nil {
		return err
	}
	return got.expect(http.StatusNoContent)
}

func (s *session) refreshAfter(ctx context.Context) error {
	got, err := s.walk.send(ctx, http.MethodPost, "/token/refresh", "", fields{"refresh_token": s.refreshToken})
	if err != nil {
		return err
	}
	return got.expect(http.StatusUnauthorized)
}

// remove deletes the account, and wants it gone.
func (s *session) remove(ctx context.Context) error {
	if err := s.login(ctx); err != nil {
		return err
	}
	got, err := s.walk.send(ctx, http.MethodPost, "/account/delete", s.accessToken, fields{"password": s.account.Password})
	switch {
	case err != nil:
		return err
	case (got.status == http.StatusNotFound || got.status == http.StatusUnauthorized) && got.repeated: // the first try got through
	case got.status != http.StatusNoContent:
		return got.unlike(http.StatusNoContent)
	}
	got, err = s.walk.send(ctx, http.MethodPost, "/login", "", fields{"username": s.account.Username, "password": s.account.Password})
	if err != nil {
		return err
	}
	return got.expect(http.StatusUnauthorized)
}
