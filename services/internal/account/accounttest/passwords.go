package accounttest

import (
	"context"
	"testing"

	"spillway.example/services/internal/account"
)

const newPassword = "another horse, another staple"

// proven signs up a new user and confirms it by the code sent to its address.
func proven(t *testing.T, h Harness) (name, email string) {
	t.Helper()
	ctx := context.Background()
	name, email = Name("proven"), Address("proven")
	_, err := h.Directory.SignUp(ctx, account.NewUser{Username: name, Password: Password, Email: email})
	wantCode(t, "SignUp", err, "")
	wantCode(t, "Confirm", h.Directory.Confirm(ctx, name, h.Code(t, name, email)), "")
	return name, email
}

func forgottenPassword(t *testing.T, h Harness) {
	ctx := context.Background()
	name, email := proven(t, h)
	old, err := h.Directory.SignIn(ctx, name, Password)
	must(t, "SignIn", old, err)
	wantCode(t, "ForgotPassword", h.Directory.ForgotPassword(ctx, name), "")
	older := h.Code(t, name, email)
	wantCode(t, "ForgotPassword again", h.Directory.ForgotPassword(ctx, name), "")
	code := h.Code(t, name, email)
	if !h.lacks(t, ConstantCode) && older != code {
		wantCode(t, "ResetPassword with the older code", h.Directory.ResetPassword(ctx, name, older, newPassword), account.CodeMismatch)
	}
	for what, bad := range map[string]string{"a wrong code": wrong(code), "no code": "no code"} {
		wantCode(t, "ResetPassword with "+what, h.Directory.ResetPassword(ctx, name, bad, newPassword), account.CodeMismatch)
	}
	wantCode(t, "Confirm with a code for a password", h.Directory.Confirm(ctx, name, code), account.CodeAlreadyConfirmed)
	_, err = h.Directory.SignIn(ctx, name, Password)
	wantCode(t, "SignIn before the reset", err, "")

	wantCode(t, "ResetPassword", h.Directory.ResetPassword(ctx, name, code, newPassword), "")
	_, err = h.Directory.SignIn(ctx, name, Password)
	wantCode(t, "SignIn with the older password", err, account.CodeInvalidCredentials)
	_, err = h.Directory.Refresh(ctx, old.RefreshToken)
	wantCode(t, "Refresh of a session from before", err, account.CodeInvalidToken)
	_, err = h.Directory.GetUser(ctx, old.AccessToken)
	wantCode(t, "GetUser by a session from before", err, account.CodeInvalidToken)
	again := account.CodeOf(h.Directory.ResetPassword(ctx, name, code, Password))
	if again != account.CodeMismatch && again != account.CodeExpired {
		t.Errorf("ResetPassword by a code that was used: got %q", again)
	}
	_, err = h.Directory.SignIn(ctx, name, newPassword)
	wantCode(t, "SignIn with the new password", err, "")
}

// forgottenByNobody asks for codes where there is no address to send one to. A directory
// may say so or not; no code comes of it.
func forgottenByNobody(t *testing.T, h Harness) {
	ctx := context.Background()
	waiting := account.NewUser{Username: Name("waiting"), Password: Password, Email: Address("waiting")}
	_, err := h.Directory.SignUp(ctx, waiting)
	wantCode(t, "SignUp", err, "")
	names := []string{Name("nobody"), member(t, h).Username}
	if !h.lacks(t, ForgetsUnconfirmed) {
		names = append(names, waiting.Username)
	}
	for _, name := range names {
		if got := account.CodeOf(h.Directory.ForgotPassword(ctx, name)); got != "" && got != account.CodeNotFound {
			t.Errorf("ForgotPassword: got %q", got)
		}
		wantCode(t, "ResetPassword without a code", h.Directory.ResetPassword(ctx, name, "123456", newPassword), account.CodeMismatch)
	}
}

func changePassword(t *testing.T, h Harness) {
	ctx := context.Background()
	u := member(t, h)
	tokens, err := h.Directory.SignIn(ctx, u.Username, Password)
	must(t, "SignIn", tokens, err)
	for what, tt := range map[string]struct {
		token, current string
		want           account.Code
	}{
		"a wrong current password": {tokens.AccessToken, "not the password", account.CodeInvalidCredentials},
		"no current password":      {tokens.AccessToken, "", account.CodeInvalidCredentials},
		"no token":                 {"", Password, account.CodeInvalidToken},
		"nonsense for a token":     {"nonsense", Password, account.CodeInvalidToken},
		"an id token":              {tokens.IDToken, Password, account.CodeInvalidToken},
	} {
		wantCode(t, "ChangePassword with "+what, h.Directory.ChangePassword(ctx, tt.token, tt.current, newPassword), tt.want)
	}
	wantCode(t, "ChangePassword", h.Directory.ChangePassword(ctx, tokens.AccessToken, Password, newPassword), "")
	_, err = h.Directory.SignIn(ctx, u.Username, Password)
	wantCode(t, "SignIn with the older password", err, account.CodeInvalidCredentials)
	_, err = h.Directory.SignIn(ctx, u.Username, newPassword)
	wantCode(t, "SignIn with the new password", err, "")
}
