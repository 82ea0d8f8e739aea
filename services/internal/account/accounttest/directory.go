package accounttest

import (
	"context"
	"testing"

	"github.com/google/uuid"

	"spillway.example/services/internal/account"
)

// RunDirectory holds an adapter to the contract of [account.Directory].
func RunDirectory(t *testing.T, open func(t *testing.T) Harness) {
	tests := []struct {
		name string
		run  func(t *testing.T, h Harness)
	}{
		{"sign up with an address and confirm", signUpAndConfirm},
		{"sign up without an address", signUpWithout},
		{"a name is taken once, confirmed or not", nameTaken},
		{"a newer code voids the older", newerCode},
		{"credentials", credentials},
		{"refresh", refresh},
		{"sign out", signOut},
		{"sign out everywhere", signOutEverywhere},
		{"forgotten password", forgottenPassword},
		{"forgotten password of nobody", forgottenByNobody},
		{"change the password", changePassword},
		{"list and end sessions", listSessions},
		{"challenge of a temporary password", temporaryPassword},
		{"get user", getUser},
		{"find, confirm and delete by own right", byOwnRight},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.run(t, open(t))
		})
	}
}

// member signs up and confirms a new user without an address.
func member(t *testing.T, h Harness) account.User {
	t.Helper()
	ctx := context.Background()
	name := Name("member")
	_, err := h.Directory.SignUp(ctx, account.NewUser{Username: name, Password: Password})
	wantCode(t, "SignUp", err, "")
	wantCode(t, "ConfirmUser", h.Directory.ConfirmUser(ctx, name), "")
	u, err := h.Directory.FindUser(ctx, name)
	return must(t, "FindUser", u, err)
}

func signUpAndConfirm(t *testing.T, h Harness) {
	ctx := context.Background()
	name, email := Name("alice"), Address("alice")
	made, err := h.Directory.SignUp(ctx, account.NewUser{Username: name, Password: Password, Email: email})
	must(t, "SignUp", made, err)
	if made.UserID == "" || !made.CodeSent {
		t.Errorf("SignUp: got %+v, want an id and a code sent", made)
	}
	u, err := h.Directory.FindUser(ctx, name)
	must(t, "FindUser", u, err)
	if u.ID != made.UserID || u.Username != name || u.Email != email || u.Confirmed || u.EmailVerified || u.CreatedAt.IsZero() {
		t.Errorf("FindUser before the code: got %+v", u)
	}
	_, err = h.Directory.SignIn(ctx, name, Password)
	wantCode(t, "SignIn before the code", err, account.CodeNotConfirmed)
	_, err = h.Directory.SignIn(ctx, name, "some other password")
	if !h.lacks(t, WaitsAloud) {
		wantCode(t, "SignIn before the code by a wrong password", err, account.CodeInvalidCredentials)
	}
	wantCode(t, "Confirm with a wrong code", h.Directory.Confirm(ctx, name, wrong(h.Code(t, name, email))), account.CodeMismatch)
	wantCode(t, "Confirm with no code", h.Directory.Confirm(ctx, name, "no code"), account.CodeMismatch)
	wantCode(t, "Confirm an unknown user", h.Directory.Confirm(ctx, Name("nobody"), "000000"), account.CodeMismatch)
	wantCode(t, "Confirm", h.Directory.Confirm(ctx, name, h.Code(t, name, email)), "")
	wantCode(t, "Confirm again", h.Directory.Confirm(ctx, name, "000000"), account.CodeAlreadyConfirmed)
	wantCode(t, "ResendCode when confirmed", h.Directory.ResendCode(ctx, name), account.CodeAlreadyConfirmed)
	u, err = h.Directory.FindUser(ctx, name)
	must(t, "FindUser", u, err)
	if !u.Confirmed || u.EmailVerified == h.lacks(t, NeverVerifies) || u.ID != made.UserID {
		t.Errorf("FindUser after the code: got %+v, want confirmed and verified", u)
	}
}

// wrong gives a code of the same form that is not the one.
func wrong(code string) string {
	b := []byte(code)
	b[0] = '0' + (b[0]-'0'+1)%10
	return string(b)
}

func signUpWithout(t *testing.T, h Harness) {
	ctx := context.Background()
	name := Name("bob")
	made, err := h.Directory.SignUp(ctx, account.NewUser{Username: name, Password: Password})
	must(t, "SignUp", made, err)
	if made.UserID == "" || made.CodeSent {
		t.Errorf("SignUp: got %+v, want an id and no code sent", made)
	}
	_, err = h.Directory.SignIn(ctx, name, Password)
	wantCode(t, "SignIn", err, account.CodeNotConfirmed)
}

func nameTaken(t *testing.T, h Harness) {
	ctx := context.Background()
	u := member(t, h)
	again := account.NewUser{Username: u.Username, Password: "a different password"}
	_, err := h.Directory.SignUp(ctx, again)
	wantCode(t, "SignUp on a confirmed name", err, account.CodeUsernameTaken)
	again.Username = Name("waiting")
	_, err = h.Directory.SignUp(ctx, again)
	wantCode(t, "SignUp", err, "")
	_, err = h.Directory.SignUp(ctx, again)
	wantCode(t, "SignUp on an unconfirmed name", err, account.CodeUsernameTaken)
}

func newerCode(t *testing.T, h Harness) {
	ctx := context.Background()
	name, email := Name("resend"), Address("resend")
	_, err := h.Directory.SignUp(ctx, account.NewUser{Username: name, Password: Password, Email: email})
	wantCode(t, "SignUp", err, "")
	older := h.Code(t, name, email)
	wantCode(t, "ResendCode", h.Directory.ResendCode(ctx, name), "")
	newer := h.Code(t, name, email)
	if !h.lacks(t, ConstantCode) && older != newer { // one time in a million they are the same
		wantCode(t, "Confirm with the older code", h.Directory.Confirm(ctx, name, older), account.CodeMismatch)
	}
	wantCode(t, "Confirm with the newer code", h.Directory.Confirm(ctx, name, newer), "")
	wantCode(t, "ResendCode to an unknown user", h.Directory.ResendCode(ctx, Name("nobody")), account.CodeNotFound)
}

func credentials(t *testing.T, h Harness) {
	ctx := context.Background()
	u := member(t, h)
	_, wrongPassword := h.Directory.SignIn(ctx, u.Username, "not the password")
	wantCode(t, "SignIn with a wrong password", wrongPassword, account.CodeInvalidCredentials)
	_, unknown := h.Directory.SignIn(ctx, Name("nobody"), "not the password")
	wantCode(t, "SignIn as nobody", unknown, account.CodeInvalidCredentials)
	if a, b := message(wrongPassword), message(unknown); a != b {
		t.Errorf("a wrong password says %q, an unknown user %q", a, b)
	}
	tokens, err := h.Directory.SignIn(ctx, u.Username, Password)
	must(t, "SignIn", tokens, err)
	if tokens.AccessToken == "" || tokens.IDToken == "" || tokens.RefreshToken == "" || tokens.TokenType != "Bearer" || tokens.ExpiresIn <= 0 {
		t.Errorf("SignIn: incomplete tokens: type %q, expires in %v", tokens.TokenType, tokens.ExpiresIn)
	}
}

func refresh(t *testing.T, h Harness) {
	ctx := context.Background()
	u := member(t, h)
	first, err := h.Directory.SignIn(ctx, u.Username, Password)
	must(t, "SignIn", first, err)
	second, err := h.Directory.Refresh(ctx, first.RefreshToken)
	must(t, "Refresh", second, err)
	if second.AccessToken == "" || second.IDToken == "" || second.RefreshToken == "" || second.TokenType != "Bearer" || second.ExpiresIn <= 0 {
		t.Errorf("Refresh: incomplete tokens: type %q, expires in %v", second.TokenType, second.ExpiresIn)
	}
	got, err := h.Directory.GetUser(ctx, second.AccessToken)
	must(t, "GetUser", got, err)
	if got.ID != u.ID {
		t.Errorf("GetUser after Refresh: got %s, want %s", got.ID, u.ID)
	}
	third, err := h.Directory.Refresh(ctx, second.RefreshToken)
	must(t, "Refresh with the newer token", third, err)
	for _, bad := range []string{"", "nonsense", first.AccessToken, first.IDToken} {
		_, err := h.Directory.Refresh(ctx, bad)
		wantCode(t, "Refresh with no refresh token", err, account.CodeInvalidToken)
	}
}

func signOut(t *testing.T, h Harness) {
	ctx := context.Background()
	u := member(t, h)
	one, err := h.Directory.SignIn(ctx, u.Username, Password)
	must(t, "SignIn", one, err)
	two, err := h.Directory.SignIn(ctx, u.Username, Password)
	must(t, "SignIn", two, err)
	for range 2 {
		wantCode(t, "SignOut", h.Directory.SignOut(ctx, one.RefreshToken), "")
	}
	_, err = h.Directory.Refresh(ctx, one.RefreshToken)
	wantCode(t, "Refresh after SignOut", err, account.CodeInvalidToken)
	_, err = h.Directory.Refresh(ctx, two.RefreshToken)
	wantCode(t, "Refresh of another session", err, "")
	wantCode(t, "SignOut with nonsense", h.Directory.SignOut(ctx, "nonsense"), "")
}

func signOutEverywhere(t *testing.T, h Harness) {
	ctx := context.Background()
	u, other := member(t, h), member(t, h)
	one, err := h.Directory.SignIn(ctx, u.Username, Password)
	must(t, "SignIn", one, err)
	two, err := h.Directory.SignIn(ctx, u.Username, Password)
	must(t, "SignIn", two, err)
	theirs, err := h.Directory.SignIn(ctx, other.Username, Password)
	must(t, "SignIn", theirs, err)
	wantCode(t, "SignOutEverywhere", h.Directory.SignOutEverywhere(ctx, one.AccessToken), "")
	for _, token := range []string{one.RefreshToken, two.RefreshToken} {
		_, err = h.Directory.Refresh(ctx, token)
		wantCode(t, "Refresh after SignOutEverywhere", err, account.CodeInvalidToken)
	}
	_, err = h.Directory.GetUser(ctx, two.AccessToken)
	wantCode(t, "GetUser after SignOutEverywhere", err, account.CodeInvalidToken)
	_, err = h.Directory.Refresh(ctx, theirs.RefreshToken)
	wantCode(t, "Refresh of another user", err, "")
	wantCode(t, "SignOutEverywhere with nonsense", h.Directory.SignOutEverywhere(ctx, "nonsense"), account.CodeInvalidToken)
}

func getUser(t *testing.T, h Harness) {
	ctx := context.Background()
	u := member(t, h)
	tokens, err := h.Directory.SignIn(ctx, u.Username, Password)
	must(t, "SignIn", tokens, err)
	got, err := h.Directory.GetUser(ctx, tokens.AccessToken)
	must(t, "GetUser", got, err)
	if got.ID != u.ID || got.Username != u.Username {
		t.Errorf("GetUser: got %+v, want %+v", got, u)
	}
	for _, bad := range []string{"", "nonsense", tokens.IDToken, tokens.RefreshToken} {
		_, err := h.Directory.GetUser(ctx, bad)
		wantCode(t, "GetUser with no access token", err, account.CodeInvalidToken)
	}
}

func byOwnRight(t *testing.T, h Harness) {
	ctx := context.Background()
	nobody := Name("nobody")
	_, err := h.Directory.FindUser(ctx, nobody)
	wantCode(t, "FindUser nobody", err, account.CodeNotFound)
	wantCode(t, "ConfirmUser nobody", h.Directory.ConfirmUser(ctx, nobody), account.CodeNotFound)
	wantCode(t, "DeleteUser nobody", h.Directory.DeleteUser(ctx, account.UserID(uuid.NewString())), "")

	u := member(t, h)
	if !h.lacks(t, ConfirmsTwice) {
		wantCode(t, "ConfirmUser again", h.Directory.ConfirmUser(ctx, u.Username), account.CodeAlreadyConfirmed)
	}
	if u.EmailVerified {
		t.Error("ConfirmUser verified an address")
	}
	tokens, err := h.Directory.SignIn(ctx, u.Username, Password)
	must(t, "SignIn", tokens, err)
	wantCode(t, "DeleteUser", h.Directory.DeleteUser(ctx, u.ID), "")
	_, err = h.Directory.FindUser(ctx, u.Username)
	wantCode(t, "FindUser after DeleteUser", err, account.CodeNotFound)
	_, err = h.Directory.Refresh(ctx, tokens.RefreshToken)
	wantCode(t, "Refresh after DeleteUser", err, account.CodeInvalidToken)
	again, err := h.Directory.SignUp(ctx, account.NewUser{Username: u.Username, Password: Password})
	must(t, "SignUp on a name that is free again", again, err)
	if again.UserID == u.ID {
		t.Error("a user id was used again")
	}
	wantCode(t, "DeleteUser once more", h.Directory.DeleteUser(ctx, u.ID), "")
	next, err := h.Directory.FindUser(ctx, u.Username)
	must(t, "FindUser of the next of that name", next, err)
	if next.ID != again.UserID {
		t.Errorf("the next user of the name is %s, want %s", next.ID, again.UserID)
	}
}
