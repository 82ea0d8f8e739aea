package cognito_test

import (
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

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/account/accounttest"
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

func stubbed(t *testing.T, answers map[string]string) (*cognito.Directory, *stub) {
	t.Helper()
	s := &stub{answers: answers, signed: map[string]bool{}, bodies: map[string]map[string]any{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	client := cognitoidentityprovider.NewFromConfig(aws.Config{
		Region: "eu-west-1", BaseEndpoint: &server.URL, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("id", "key", ""),
	})
	return cognito.New(client, cognito.Config{UserPoolID: "eu-west-1_x", ClientID: "client", ClientSecret: "shh"}), s
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
	d, _ := stubbed(t, map[string]string{"GetTokensFromRefreshToken": "RefreshTokenReuseException: Refresh token has been reused"})
	if _, err := d.Refresh(t.Context(), "old"); account.CodeOf(err) != account.CodeInvalidToken {
		t.Errorf("reuse: got %v, want invalid_token", err)
	}
}

// The operations that anybody may call go unsigned; those by IAM are signed.
func TestSigning(t *testing.T) {
	t.Parallel()
	answers := map[string]string{
		"SignUp": `{"UserSub":"1"}`, "InitiateAuth": result(""), "ConfirmSignUp": `{}`, "RevokeToken": `{}`,
		"AdminGetUser": `{"Username":"alice","UserStatus":"UNCONFIRMED"}`, "AdminConfirmSignUp": `{}`, "AdminDeleteUser": `{}`,
	}
	d, s := stubbed(t, answers)
	ctx := t.Context()
	_, err1 := d.SignUp(ctx, account.NewUser{Username: "alice", Password: accounttest.Password})
	_, err2 := d.SignIn(ctx, "alice", accounttest.Password)
	_, err3 := d.FindUser(ctx, "alice")
	if err := errors.Join(err1, err2, err3, d.Confirm(ctx, "alice", "123456"), d.SignOut(ctx, "r"), d.ConfirmUser(ctx, "alice"), d.DeleteUser(ctx, "alice")); err != nil {
		t.Fatal(err)
	}
	for op := range answers {
		if got, want := s.signed[op], strings.HasPrefix(op, "Admin"); got != want {
			t.Errorf("%s: signed %v, want %v", op, got, want)
		}
	}
}

// A sign-up that fails only in sending the code goes on with the user it made; one who
// was there before is cleared away, since the password is not ours.
func TestSignUpThatMayHaveMadeTheUser(t *testing.T) {
	t.Parallel()
	user := func(status, email string, age time.Duration) string {
		return fmt.Sprintf(`{"Username":"alice","UserStatus":%q,"UserCreateDate":%d,"UserAttributes":[{"Name":"sub","Value":"1"},{"Name":"email","Value":%q}]}`,
			status, time.Now().Add(-age).Unix(), email)
	}
	for _, exception := range []string{"LimitExceededException", "CodeDeliveryFailureException"} {
		for _, tt := range []struct {
			name, found string
			want        account.Code // "" is success
			deleted     bool
		}{
			{"made", user("UNCONFIRMED", "alice@example.com", 0), "", false},
			{"there before", user("UNCONFIRMED", "alice@example.com", time.Hour), "*", true},
			{"another address", user("UNCONFIRMED", "eve@example.com", 0), "*", true},
			{"confirmed", user("CONFIRMED", "alice@example.com", 0), account.CodeUsernameTaken, false},
			{"not made", "UserNotFoundException", "*", false},
			{"cannot be read", "TooManyRequestsException", account.CodeTooManyRequests, false},
		} {
			d, s := stubbed(t, map[string]string{"SignUp": exception, "AdminGetUser": tt.found, "AdminDeleteUser": `{}`})
			got, err := d.SignUp(t.Context(), account.NewUser{Username: "alice", Password: accounttest.Password, Email: "alice@example.com"})
			want := tt.want
			if want == "*" {
				want = map[string]account.Code{
					"LimitExceededException": account.CodeTooManyRequests, "CodeDeliveryFailureException": account.CodeUnavailable,
				}[exception]
			}
			if account.CodeOf(err) != want || err == nil && (got.UserID != "1" || got.CodeSent) {
				t.Errorf("%s, %s: got %+v, %v, want %q", exception, tt.name, got, err, want)
			}
			if slices.Contains(s.asked, "AdminDeleteUser") != tt.deleted {
				t.Errorf("%s, %s: asked %v; deleted should be %v", exception, tt.name, s.asked, tt.deleted)
			}
		}
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
		"AdminDeleteUser":    func(t *testing.T, d *cognito.Directory) error { return d.DeleteUser(t.Context(), "alice") },
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
		{"ConfirmSignUp", "NotAuthorizedException: User cannot be confirmed. Current status is CONFIRMED", account.CodeAlreadyConfirmed},
		{"ConfirmSignUp", "LimitExceededException", account.CodeTooManyRequests},
		{"ConfirmSignUp", secretHash, account.CodeInternal},
		{"InitiateAuth", "NotAuthorizedException: Incorrect username or password.", account.CodeInvalidCredentials},
		{"InitiateAuth", "NotAuthorizedException: User is disabled.", account.CodeInvalidCredentials},
		{"InitiateAuth", "NotAuthorizedException: Password attempts exceeded", account.CodeTooManyRequests},
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
		{"GetUser", "NotAuthorizedException: Access Token has expired", account.CodeInvalidToken},
		{"GetUser", "InvalidParameterException", account.CodeInvalidToken},
		{"AdminGetUser", "UserNotFoundException", account.CodeNotFound},
		{"AdminGetUser", "NotAuthorizedException", account.CodeInternal},
		{"AdminGetUser", "AccessDeniedException", account.CodeInternal},
		{"AdminConfirmSignUp", "NotAuthorizedException: User cannot be confirmed.", account.CodeAlreadyConfirmed},
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
