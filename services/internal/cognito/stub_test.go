package cognito_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/account/accounttest"
	"spillway.example/services/internal/awstest"
	"spillway.example/services/internal/cognito"
)

// stub is an endpoint that answers as Cognito does (AWS JSON 1.1) where no emulator
// does: one answer for each operation.
type stub struct {
	answers map[string]string // by operation: a body, or the name of an exception
	mu      sync.Mutex
	asked   []string
	signed  map[string]bool
	bodies  map[string]map[string]any
	before  map[string]func() // by operation: what happens before it is answered
}

func (s *stub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, op, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	var body map[string]any
	_ = json.NewDecoder(r.Body).Decode(&body) // checked by what follows
	s.mu.Lock()
	s.asked = append(s.asked, op)
	s.signed[op] = r.Header.Get("Authorization") != ""
	s.bodies[op] = body
	answer := s.answers[op]
	s.mu.Unlock()
	if before := s.before[op]; before != nil {
		before()
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	if strings.HasPrefix(answer, "{") {
		fmt.Fprint(w, answer)
		return
	}
	name, message, _ := strings.Cut(answer, ": ")
	status := http.StatusBadRequest
	if name == "InternalErrorException" {
		status = http.StatusInternalServerError
	}
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"__type":%q,"message":%q}`, name, message)
}

// stubbed is a Directory over a stub, whose SDK asks once.
func stubbed(t *testing.T, answers map[string]string) (*cognito.Directory, *stub) {
	t.Helper()
	return retrying(t, 1, answers)
}

// retrying is a Directory over a stub, whose SDK asks so often where it thinks it may.
func retrying(t *testing.T, tries int, answers map[string]string) (*cognito.Directory, *stub) {
	t.Helper()
	s := &stub{answers: answers, signed: map[string]bool{}, bodies: map[string]map[string]any{}}
	client := s.client(t, tries)
	return cognito.New(client, cognito.Config{UserPoolID: "eu-west-1_x", ClientID: "client", ClientSecret: "shh"}), s
}

func (s *stub) client(t *testing.T, tries int) *cognitoidentityprovider.Client {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	sdk := awstest.Config(server.URL)
	sdk.RetryMaxAttempts = tries
	return cognitoidentityprovider.NewFromConfig(sdk)
}

// TestEnsureChecksTheClient refuses clients whose settings would sign people out, or leave
// a thief signed in.
func TestEnsureChecksTheClient(t *testing.T) {
	t.Parallel()
	const rotation = `"RefreshTokenRotation":{"Feature":"ENABLED","RetryGracePeriodSeconds":10}`
	for settings, want := range map[string]string{
		rotation: "",
		rotation + `,"EnableTokenRevocation":true`:                                 "",
		rotation + `,"EnableTokenRevocation":false`:                                "revoked",
		`"RefreshTokenRotation":{"Feature":"DISABLED"}`:                            "rotate",
		`"RefreshTokenRotation":{"Feature":"ENABLED","RetryGracePeriodSeconds":0}`: "grace",
	} {
		s := &stub{signed: map[string]bool{}, bodies: map[string]map[string]any{}, answers: map[string]string{
			"ListUserPools":          `{"UserPools":[{"Id":"eu-west-1_x","Name":"pool"}]}`,
			"DescribeUserPool":       `{"UserPool":{"Id":"eu-west-1_x"}}`,
			"ListUserPoolClients":    `{"UserPoolClients":[{"ClientId":"c","ClientName":"client"}]}`,
			"DescribeUserPoolClient": `{"UserPoolClient":{"ClientId":"c","ClientSecret":"shh","ExplicitAuthFlows":["ALLOW_USER_PASSWORD_AUTH"],` + settings + `}}`,
		}}
		_, err := cognito.Ensure(t.Context(), s.client(t, 1), "pool", "client")
		if (want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want an error of %q", settings, err, want)
		}
	}
}

func result(refresh string) string {
	return `{"AuthenticationResult":{"AccessToken":"a","IdToken":"i","TokenType":"Bearer","ExpiresIn":3600` + refresh + `}}`
}

func TestRotation(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ answer, want string }{
		"a new token comes":             {result(`,"RefreshToken":"new"`), "new"},
		"none comes: the old one stays": {result(""), "old"},
	} {
		d, s := stubbed(t, map[string]string{"GetTokensFromRefreshToken": tt.answer})
		got, err := d.Refresh(t.Context(), "old")
		if err != nil || got.RefreshToken != tt.want || got.AccessToken != "a" || got.ExpiresIn != time.Hour {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
		if body := s.bodies["GetTokensFromRefreshToken"]; body["ClientSecret"] != "shh" || body["RefreshToken"] != "old" || body["ClientId"] != "client" {
			t.Errorf("%s: asked with the wrong members", name)
		}
	}
	// A token that comes again after its grace ends its session, whether or not whoever
	// sent it waits for that.
	d, s := stubbed(t, map[string]string{
		"GetTokensFromRefreshToken": "RefreshTokenReuseException: Refresh token has been reused", "RevokeToken": `{}`,
	})
	if _, err := d.Refresh(t.Context(), "old"); account.CodeOf(err) != account.CodeInvalidToken {
		t.Errorf("reuse: got %v, want invalid_token", err)
	}
	if body := s.bodies["RevokeToken"]; body["Token"] != "old" || body["ClientId"] != "client" || body["ClientSecret"] != "shh" {
		t.Errorf("reuse: the session was not ended, but %v asked", s.asked)
	}
	for _, refused := range []string{"UnsupportedTokenTypeException: no", "InternalErrorException: no"} {
		d, _ := stubbed(t, map[string]string{
			"GetTokensFromRefreshToken": "RefreshTokenReuseException: Refresh token has been reused", "RevokeToken": refused,
		})
		if _, err := d.Refresh(t.Context(), "old"); account.CodeOf(err) != account.CodeInvalidToken {
			t.Errorf("reuse, and %s: got %v, want invalid_token", refused, err)
		}
	}
}

// The operations that anybody may call go unsigned; those by IAM are signed.
func TestSigning(t *testing.T) {
	t.Parallel()
	answers := map[string]string{
		"ForgotPassword": `{}`, "ConfirmForgotPassword": `{}`, "AdminUserGlobalSignOut": `{}`,
		"SignUp": `{"UserSub":"1"}`, "InitiateAuth": result(""), "ConfirmSignUp": `{}`, "RevokeToken": `{}`,
		"AdminGetUser": `{"Username":"alice","UserStatus":"UNCONFIRMED"}`, "AdminConfirmSignUp": `{}`, "AdminDeleteUser": `{}`,
	}
	d, s := stubbed(t, answers)
	ctx := t.Context()
	_, err1 := d.SignUp(ctx, account.NewUser{Username: "alice", Password: accounttest.Password})
	_, err2 := d.SignIn(ctx, "alice", accounttest.Password)
	_, err3 := d.FindUser(ctx, "alice")
	if err := errors.Join(err1, err2, err3, d.Confirm(ctx, "alice", "123456"), d.SignOut(ctx, "r"), d.ConfirmUser(ctx, "alice"), d.DeleteUser(ctx, "1"),
		d.ForgotPassword(ctx, "alice"), d.ResetPassword(ctx, "alice", "123456", accounttest.Password)); err != nil {
		t.Fatal(err)
	}
	for op := range answers {
		if got, want := s.signed[op], strings.HasPrefix(op, "Admin"); got != want {
			t.Errorf("%s: signed %v, want %v", op, got, want)
		}
	}
	if got := s.bodies["AdminDeleteUser"]["Username"]; got != "1" {
		t.Errorf("AdminDeleteUser by %q, want the sub", got)
	}
}

// A sign-up that fails only in sending the code goes on with the user it made. The name
// of one who was there before is taken: the password is not ours.
func TestSignUpThatMayHaveMadeTheUser(t *testing.T) {
	t.Parallel()
	user := func(status, email string, age time.Duration) string {
		return fmt.Sprintf(`{"Username":"alice","UserStatus":%q,"UserCreateDate":%d,"UserAttributes":[{"Name":"sub","Value":"1"},{"Name":"email","Value":%q}]}`,
			status, time.Now().Add(-age).Unix(), email)
	}
	failed := map[string]account.Code{
		"LimitExceededException": account.CodeTooManyRequests, "CodeDeliveryFailureException": account.CodeUnavailable,
	}
	for exception, asItFailed := range failed {
		for _, tt := range []struct {
			name, found string
			want        account.Code // "" is success
		}{
			{"made", user("UNCONFIRMED", "alice@example.com", 0), ""},
			{"there before", user("UNCONFIRMED", "alice@example.com", time.Hour), account.CodeUsernameTaken},
			{"another address", user("UNCONFIRMED", "eve@example.com", 0), account.CodeUsernameTaken},
			{"confirmed", user("CONFIRMED", "alice@example.com", 0), account.CodeUsernameTaken},
			{"not made", "UserNotFoundException", asItFailed},
			{"cannot be read", "InternalErrorException", account.CodeUnavailable},
			{"must not be read", "AccessDeniedException", account.CodeUnavailable},
		} {
			d, s := retrying(t, 2, map[string]string{"SignUp": exception, "AdminGetUser": tt.found})
			got, err := d.SignUp(t.Context(), account.NewUser{Username: "alice", Password: accounttest.Password, Email: "alice@example.com"})
			if account.CodeOf(err) != tt.want || err == nil && (got.UserID != "1" || got.CodeSent) {
				t.Errorf("%s, %s: got %+v, %v, want %q", exception, tt.name, got, err, tt.want)
			}
			// The SDK takes a quota for a rate; asking again, it would find the name taken.
			if n := len(s.asked); n < 2 || s.asked[0] != "SignUp" || s.asked[1] != "AdminGetUser" {
				t.Errorf("%s, %s: asked %v, want one SignUp and then AdminGetUser", exception, tt.name, s.asked)
			}
		}
	}
}

// That a user is confirmed is only ever said of one who is, whatever an exception's
// message seems to mean.
func TestAlreadyConfirmed(t *testing.T) {
	t.Parallel()
	user := func(status string) string { return fmt.Sprintf(`{"Username":"alice","UserStatus":%q}`, status) }
	const refusal = "NotAuthorizedException: User cannot be confirmed. Current status is CONFIRMED"
	for name, tt := range map[string]struct {
		found, confirm, adminConfirm string
		want                         account.Code
	}{
		"confirmed":               {user("CONFIRMED"), refusal, refusal, account.CodeAlreadyConfirmed},
		"must change password":    {user("FORCE_CHANGE_PASSWORD"), refusal, refusal, account.CodeAlreadyConfirmed},
		"disabled while it waits": {user("UNCONFIRMED"), "NotAuthorizedException: User is disabled.", refusal, account.CodeInternal},
		"cannot be read":          {"TooManyRequestsException", refusal, refusal, account.CodeInternal},
	} {
		d, _ := stubbed(t, map[string]string{"ConfirmSignUp": tt.confirm, "AdminConfirmSignUp": tt.adminConfirm, "AdminGetUser": tt.found})
		if err := d.Confirm(t.Context(), "alice", "123456"); account.CodeOf(err) != tt.want {
			t.Errorf("%s: Confirm got %v, want %s", name, err, tt.want)
		}
		if err := d.ConfirmUser(t.Context(), "alice"); account.CodeOf(err) != tt.want {
			t.Errorf("%s: ConfirmUser got %v, want %s", name, err, tt.want)
		}
	}
}

// Cognito finds users by their `sub`, too, which as a username is somebody else's.
func TestSubIsNoUsername(t *testing.T) {
	t.Parallel()
	const sub = "5c2b0f4e-7b1f-4b0e-9d1a-0d3f3f0c6f10"
	d, _ := stubbed(t, map[string]string{
		"AdminGetUser": `{"Username":"alice","UserStatus":"UNCONFIRMED","UserAttributes":[{"Name":"sub","Value":"` + sub + `"}]}`,
	})
	if _, err := d.FindUser(t.Context(), sub); account.CodeOf(err) != account.CodeNotFound {
		t.Errorf("FindUser by sub: got %v, want not_found", err)
	}
	if u, err := d.FindUser(t.Context(), "alice"); err != nil || u.ID != sub {
		t.Errorf("FindUser by name: got %+v, %v", u, err)
	}
}

// A challenge comes with all that answers it, and its answer has the name and its hash.
func TestChallenge(t *testing.T) {
	t.Parallel()
	d, s := stubbed(t, map[string]string{
		"InitiateAuth":           `{"ChallengeName":"SMS_MFA","Session":"s","ChallengeParameters":{"CODE_DELIVERY_DESTINATION":"+*******99"}}`,
		"RespondToAuthChallenge": result(`,"RefreshToken":"r"`),
	})
	_, err := d.SignIn(t.Context(), "alice", accounttest.Password)
	e, ok := errors.AsType[*account.Error](err)
	if !ok || e.Challenge == nil || e.Challenge.Name != "SMS_MFA" || e.Challenge.Session != "s" || e.Challenge.Parameters["CODE_DELIVERY_DESTINATION"] == "" {
		t.Fatalf("SignIn: %+v", err)
	}
	tokens, err := d.RespondToChallenge(t.Context(), account.ChallengeAnswer{
		Username: "alice", Name: "SMS_MFA", Session: "s", Responses: map[string]string{"SMS_MFA_CODE": "123456"},
	})
	if err != nil || tokens.RefreshToken != "r" {
		t.Errorf("RespondToChallenge: %v", err)
	}
	body := s.bodies["RespondToAuthChallenge"]
	responses, _ := body["ChallengeResponses"].(map[string]any)
	if body["Session"] != "s" || responses["USERNAME"] != "alice" || responses["SMS_MFA_CODE"] != "123456" || responses["SECRET_HASH"] == nil {
		t.Error("RespondToChallenge: asked with the wrong members")
	}
}

// Cognito refuses a token and a password with one exception; the token's user tells which.
func TestChangePasswordRefused(t *testing.T) {
	t.Parallel()
	for found, want := range map[string]account.Code{
		`{"Username":"alice"}`:                                  account.CodeInvalidCredentials,
		"NotAuthorizedException: Access Token has been revoked": account.CodeInvalidToken,
		"InternalErrorException":                                account.CodeUnavailable,
	} {
		d, _ := stubbed(t, map[string]string{"ChangePassword": "NotAuthorizedException: Incorrect username or password.", "GetUser": found})
		if err := d.ChangePassword(t.Context(), "a", "current", accounttest.Password); account.CodeOf(err) != want {
			t.Errorf("ChangePassword when GetUser says %s: got %v, want %s", found, err, want)
		}
	}
}

// A password of a form that Cognito does not look at is a wrong one where it is the current
// one, and one that breaks a rule where it is to be.
func TestChangePasswordOfOddForm(t *testing.T) {
	t.Parallel()
	const malformed = "InvalidParameterException: 1 validation error detected: Value at '%s' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\S]+.*[\\S]+"
	for _, tt := range []struct {
		member, user string
		want         account.Code
	}{
		{"previousPassword", `{"Username":"alice"}`, account.CodeInvalidCredentials},
		{"proposedPassword", `{"Username":"alice"}`, account.CodeInvalid},
		{"accessToken", "NotAuthorizedException: Invalid Access Token", account.CodeInvalidToken},
	} {
		d, _ := stubbed(t, map[string]string{"ChangePassword": fmt.Sprintf(malformed, tt.member), "GetUser": tt.user})
		if err := d.ChangePassword(t.Context(), "a", "current ", accounttest.Password); account.CodeOf(err) != tt.want {
			t.Errorf("%s of the wrong form: got %v, want %s", tt.member, err, tt.want)
		}
	}
}

// A new password ends the sessions of the older one, which Cognito leaves be.
func TestResetEndsSessions(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]account.Code{
		`{}`: "", "InternalErrorException": account.CodeUnavailable, "TooManyRequestsException": account.CodeUnavailable,
	} {
		d, s := stubbed(t, map[string]string{"ConfirmForgotPassword": `{}`, "AdminUserGlobalSignOut": answer})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		s.before = map[string]func(){"AdminUserGlobalSignOut": cancel} // the caller goes; what is begun is ended
		if err := d.ResetPassword(ctx, "alice", "123456", accounttest.Password); account.CodeOf(err) != want {
			t.Errorf("ResetPassword when the sign-out says %s: got %v", answer, err)
		}
		if n := len(s.asked); n != 2 || s.asked[1] != "AdminUserGlobalSignOut" || s.bodies["AdminUserGlobalSignOut"]["Username"] != "alice" {
			t.Errorf("asked %v, want the sign-out of alice last", s.asked)
		}
	}
	d, s := stubbed(t, map[string]string{"ConfirmForgotPassword": "CodeMismatchException"})
	if err := d.ResetPassword(t.Context(), "alice", "123456", accounttest.Password); err == nil || len(s.asked) != 1 {
		t.Errorf("with a wrong code Cognito was asked %v", s.asked)
	}
}

// The answer of a reset is lost, and the SDK asks again with a code that may be used up.
func TestResetWhoseAnswerIsLost(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		again, signIn string // how the next tries are answered, none where empty, and the sign-in
		want          account.Code
		ends          bool // whether the sessions of before end
	}{
		"it was done":                         {"ExpiredCodeException", result(""), "", true},
		"it was done, and all was lost":       {"", result(""), "", true},
		"it was done, and a second factor":    {"CodeMismatchException", `{"ChallengeName":"SMS_MFA","Session":"s"}`, "", true},
		"it was not done":                     {"ExpiredCodeException", "NotAuthorizedException", account.CodeExpired, false},
		"it was not done, and all was lost":   {"", "NotAuthorizedException", account.CodeUnavailable, false},
		"it was not done, and must be":        {"CodeMismatchException", "PasswordResetRequiredException", account.CodeMismatch, false},
		"it cannot be known":                  {"ExpiredCodeException", "InternalErrorException", account.CodeUnavailable, false},
		"it was lost, and is done the second": {`{}`, "", "", true},
	} {
		d, s := retrying(t, 2, map[string]string{"ConfirmForgotPassword": `{}`, "InitiateAuth": tt.signIn, "AdminUserGlobalSignOut": `{}`})
		s.before = map[string]func(){"ConfirmForgotPassword": func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			first := !slices.Contains(s.asked[:len(s.asked)-1], "ConfirmForgotPassword")
			s.answers["ConfirmForgotPassword"] = tt.again
			if first || tt.again == "" {
				panic(http.ErrAbortHandler)
			}
		}}
		err := d.ResetPassword(t.Context(), "alice", "123456", accounttest.Password)
		if account.CodeOf(err) != tt.want {
			t.Errorf("%s: got %v, want %q", name, err, tt.want)
		}
		if ended := s.asked[len(s.asked)-1] == "AdminUserGlobalSignOut"; ended != tt.ends {
			t.Errorf("%s: asked %v; want the sessions ended: %v", name, s.asked, tt.ends)
		}
		if tt.signIn == "" && slices.Contains(s.asked, "InitiateAuth") {
			t.Errorf("%s: asked %v", name, s.asked)
		}
	}
	// What was answered says all there is to know: a code that is tried guesses no password.
	d, s := retrying(t, 2, map[string]string{"ConfirmForgotPassword": "ExpiredCodeException"})
	if err := d.ResetPassword(t.Context(), "alice", "123456", accounttest.Password); account.CodeOf(err) != account.CodeExpired || len(s.asked) != 1 {
		t.Errorf("an expired code: got %v, asked %v", err, s.asked)
	}
}

func TestExceptions(t *testing.T) {
	t.Parallel()
	calls := map[string]func(*testing.T, *cognito.Directory) error{
		"SignUp": func(t *testing.T, d *cognito.Directory) error {
			_, err := d.SignUp(t.Context(), account.NewUser{Username: "alice", Password: accounttest.Password})
			return err
		},
		"ConfirmSignUp": func(t *testing.T, d *cognito.Directory) error { return d.Confirm(t.Context(), "alice", "123456") },
		"InitiateAuth": func(t *testing.T, d *cognito.Directory) error {
			_, err := d.SignIn(t.Context(), "alice", accounttest.Password)
			return err
		},
		"GetTokensFromRefreshToken": func(t *testing.T, d *cognito.Directory) error {
			_, err := d.Refresh(t.Context(), "r")
			return err
		},
		"RevokeToken":   func(t *testing.T, d *cognito.Directory) error { return d.SignOut(t.Context(), "r") },
		"GlobalSignOut": func(t *testing.T, d *cognito.Directory) error { return d.SignOutEverywhere(t.Context(), "a") },
		"GetUser": func(t *testing.T, d *cognito.Directory) error {
			_, err := d.GetUser(t.Context(), "a")
			return err
		},
		"AdminGetUser": func(t *testing.T, d *cognito.Directory) error {
			_, err := d.FindUser(t.Context(), "alice")
			return err
		},
		"AdminConfirmSignUp": func(t *testing.T, d *cognito.Directory) error { return d.ConfirmUser(t.Context(), "alice") },
		"AdminDeleteUser":    func(t *testing.T, d *cognito.Directory) error { return d.DeleteUser(t.Context(), "1") },
		"RespondToAuthChallenge": func(t *testing.T, d *cognito.Directory) error {
			_, err := d.RespondToChallenge(t.Context(), account.ChallengeAnswer{Username: "alice", Name: "SMS_MFA", Session: "s"})
			return err
		},
		"ChangePassword": func(t *testing.T, d *cognito.Directory) error {
			return d.ChangePassword(t.Context(), "a", "current", accounttest.Password)
		},
		"ForgotPassword": func(t *testing.T, d *cognito.Directory) error { return d.ForgotPassword(t.Context(), "alice") },
		"ConfirmForgotPassword": func(t *testing.T, d *cognito.Directory) error {
			return d.ResetPassword(t.Context(), "alice", "123456", accounttest.Password)
		},
	}
	const secretHash = "NotAuthorizedException: Unable to verify secret hash for client client"
	for _, tt := range []struct {
		op, exception string
		want          account.Code
	}{
		{"SignUp", "UsernameExistsException", account.CodeUsernameTaken},
		{"SignUp", "InvalidPasswordException", account.CodeInvalid},
		{"SignUp", "UserLambdaValidationException", account.CodeInvalid},
		{"SignUp", "TooManyRequestsException", account.CodeTooManyRequests},
		{"SignUp", "ThrottlingException", account.CodeTooManyRequests},
		{"SignUp", "InvalidParameterException", account.CodeInternal},
		{"SignUp", "ResourceNotFoundException", account.CodeInternal},
		{"SignUp", "UnexpectedLambdaException", account.CodeInternal},
		{"SignUp", "InternalErrorException", account.CodeUnavailable},
		{"SignUp", "SomethingNewException", account.CodeInternal},
		{"SignUp", secretHash, account.CodeInternal},
		{"ConfirmSignUp", "CodeMismatchException", account.CodeMismatch},
		{"ConfirmSignUp", "ExpiredCodeException", account.CodeExpired},
		{"ConfirmSignUp", "TooManyFailedAttemptsException", account.CodeExpired},
		{"ConfirmSignUp", "UserNotFoundException", account.CodeMismatch},
		{"ConfirmSignUp", "InvalidParameterException", account.CodeMismatch},
		{"ConfirmSignUp", "LimitExceededException", account.CodeTooManyRequests},
		{"ConfirmSignUp", secretHash, account.CodeInternal},
		{"InitiateAuth", "NotAuthorizedException: Incorrect username or password.", account.CodeInvalidCredentials},
		{"InitiateAuth", "NotAuthorizedException: User is disabled.", account.CodeInvalidCredentials},
		{"InitiateAuth", "NotAuthorizedException: Temporary password has expired and must be reset by an administrator.", account.CodeInvalidCredentials},
		{"InitiateAuth", "NotAuthorizedException: Password attempts exceeded", account.CodeInvalidCredentials},
		{"InitiateAuth", "UserNotFoundException", account.CodeInvalidCredentials},
		{"InitiateAuth", "UserNotConfirmedException", account.CodeNotConfirmed},
		{"InitiateAuth", "PasswordResetRequiredException", account.CodeChallenge},
		{"InitiateAuth", "InvalidUserPoolConfigurationException", account.CodeInternal},
		{"InitiateAuth", "ForbiddenException", account.CodeTooManyRequests},
		{"InitiateAuth", `{"ChallengeName":"NEW_PASSWORD_REQUIRED","Session":"s"}`, account.CodeChallenge},
		{"GetTokensFromRefreshToken", "NotAuthorizedException: Invalid Refresh Token", account.CodeInvalidToken},
		{"GetTokensFromRefreshToken", "UserNotFoundException", account.CodeInvalidToken},
		{"GetTokensFromRefreshToken", "TooManyRequestsException", account.CodeTooManyRequests},
		{"RevokeToken", "UnsupportedTokenTypeException", ""},
		{"RevokeToken", "InvalidParameterException", ""},
		{"RevokeToken", "InternalErrorException", account.CodeUnavailable},
		{"RevokeToken", "UnauthorizedException", account.CodeInternal},
		{"GlobalSignOut", "NotAuthorizedException: Access Token has been revoked", account.CodeInvalidToken},
		{"RespondToAuthChallenge", "NotAuthorizedException: Invalid session for the user, session is expired.", account.CodeInvalidCredentials},
		{"RespondToAuthChallenge", "CodeMismatchException", account.CodeMismatch},
		{"RespondToAuthChallenge", "ExpiredCodeException", account.CodeExpired},
		{"RespondToAuthChallenge", "InvalidPasswordException", account.CodeInvalid},
		{"RespondToAuthChallenge", "UserNotFoundException", account.CodeInvalidCredentials},
		{"RespondToAuthChallenge", secretHash, account.CodeInternal},
		{"RespondToAuthChallenge", `{"ChallengeName":"SELECT_MFA_TYPE","Session":"t"}`, account.CodeChallenge},
		{"ChangePassword", "InvalidPasswordException", account.CodeInvalid},
		{"ChangePassword", "PasswordHistoryPolicyViolationException", account.CodeInvalid},
		{"ChangePassword", "LimitExceededException: Attempt limit exceeded, please try after some time.", account.CodeTooManyRequests},
		{"ForgotPassword", "UserNotFoundException", account.CodeNotFound},
		{"ForgotPassword", "InvalidParameterException: Cannot reset password for the user as there is no registered/verified email or phone_number", account.CodeNotFound},
		{"ForgotPassword", "NotAuthorizedException: User password cannot be reset in the current state.", account.CodeNotFound},
		{"ForgotPassword", "LimitExceededException: Attempt limit exceeded, please try after some time.", account.CodeTooManyRequests},
		{"ForgotPassword", "CodeDeliveryFailureException", account.CodeUnavailable},
		{"ForgotPassword", secretHash, account.CodeInternal},
		{"ConfirmForgotPassword", "CodeMismatchException", account.CodeMismatch},
		{"ConfirmForgotPassword", "ExpiredCodeException", account.CodeExpired},
		{"ConfirmForgotPassword", "TooManyFailedAttemptsException", account.CodeExpired},
		{"ConfirmForgotPassword", "UserNotFoundException", account.CodeMismatch},
		{"ConfirmForgotPassword", "UserNotConfirmedException", account.CodeMismatch},
		{"ConfirmForgotPassword", "InvalidParameterException", account.CodeMismatch},
		{"ConfirmForgotPassword", "InvalidPasswordException", account.CodeInvalid},
		{"ConfirmForgotPassword", "PasswordHistoryPolicyViolationException", account.CodeInvalid},
		{"ConfirmForgotPassword", secretHash, account.CodeInternal},
		{"GetUser", "NotAuthorizedException: Access Token has expired", account.CodeInvalidToken},
		{"GetUser", "InvalidParameterException", account.CodeInvalidToken},
		{"AdminGetUser", "UserNotFoundException", account.CodeNotFound},
		{"AdminGetUser", "NotAuthorizedException", account.CodeInternal},
		{"AdminGetUser", "AccessDeniedException", account.CodeInternal},
		{"AdminConfirmSignUp", "UserNotFoundException", account.CodeNotFound},
		{"AdminDeleteUser", "UserNotFoundException", ""},
		{"AdminDeleteUser", "TooManyRequestsException", account.CodeTooManyRequests},
	} {
		d, _ := stubbed(t, map[string]string{tt.op: tt.exception})
		err := calls[tt.op](t, d)
		if account.CodeOf(err) != tt.want {
			t.Errorf("%s, %s: got %v, want %q", tt.op, tt.exception, err, tt.want)
		}
		if err != nil && (strings.Contains(err.Error(), accounttest.Password) || strings.Contains(err.Error(), "shh")) {
			t.Errorf("%s, %s: the error tells a secret", tt.op, tt.exception)
		}
	}
}

// An empty password or token is wrong like any other: Cognito would call the request
// malformed, as if it were our mistake.
func TestEmpty(t *testing.T) {
	t.Parallel()
	d, s := stubbed(t, nil)
	_, signIn := d.SignIn(t.Context(), "alice", "")
	_, refresh := d.Refresh(t.Context(), "")
	_, getUser := d.GetUser(t.Context(), "")
	for what, got := range map[string]struct {
		err  error
		want account.Code
	}{
		"SignIn":            {signIn, account.CodeInvalidCredentials},
		"Refresh":           {refresh, account.CodeInvalidToken},
		"GetUser":           {getUser, account.CodeInvalidToken},
		"SignOut":           {d.SignOut(t.Context(), ""), ""},
		"SignOutEverywhere": {d.SignOutEverywhere(t.Context(), ""), account.CodeInvalidToken},
	} {
		if account.CodeOf(got.err) != got.want {
			t.Errorf("%s: got %v, want %q", what, got.err, got.want)
		}
	}
	if len(s.asked) > 0 {
		t.Errorf("Cognito was asked %v", s.asked)
	}
}
