package setup_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"testing"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/account/accounttest"
	"spillway.example/services/internal/awstest"
	"spillway.example/services/internal/cognito"
	"spillway.example/services/internal/settings"
	"spillway.example/services/local/setup"
	"spillway.example/verify"
)

func TestMain(m *testing.M) { os.Exit(awstest.Main(m)) }

// emulated runs setup as `spillway setup` does: with the SDK's own variables.
func emulated(t *testing.T, db *awstest.Container, table string) (setup.Config, setup.Result) {
	t.Helper()
	t.Setenv("AWS_ENDPOINT_URL_DYNAMODB", db.Endpoint(t))
	t.Setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", awstest.Cognito.Endpoint(t)+"/")
	t.Setenv("AWS_REGION", awstest.Region)
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	sdk, err := config.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := setup.Config{AWS: sdk, Table: table, Pool: "setup", Client: "setup"}
	r, err := setup.Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return c, r
}

func TestRun(t *testing.T) {
	c, first := emulated(t, awstest.DynamoDB, "setup")
	second, err := setup.Run(t.Context(), c)
	if err != nil || second != first {
		t.Errorf("a second time: other ids, or %v", err)
	}
	if first.Recoverable {
		t.Error("DynamoDB Local claims to recover tables, which it cannot")
	}

	// What it gives is what the services ask for: they read it, sign somebody up and in,
	// and verify the token by the pool's own keys.
	var environ []string
	for _, s := range first.Settings() {
		environ = append(environ, s[0]+"="+s[1])
	}
	s, err := settings.Parse(settings.Register, environ)
	if err != nil {
		t.Fatalf("the services do not take these settings: %v", err)
	}
	d := cognito.New(cognitoidentityprovider.NewFromConfig(c.AWS), cognito.Config{
		UserPoolID: s.UserPoolID, ClientID: s.UserPoolClientID, ClientSecret: s.UserPoolClientSecret,
	})
	access, user := signIn(t, d)
	v, err := verify.New(verify.Config{Issuer: s.TokenIssuer, ClientIDs: []string{s.UserPoolClientID}, JWKSURL: s.JWKSURL})
	if err != nil {
		t.Fatal(err)
	}
	who, err := v.Verify(t.Context(), access)
	if err != nil || who.Subject != string(user.ID) || who.Username != user.Username || who.SessionID == "" || who.SignedInAt.IsZero() {
		t.Errorf("verifying an access token: got %+v, %v, want %+v", who, err, user)
	}
}

// signIn signs somebody up and in, and gives their access token.
func signIn(t *testing.T, d account.Directory) (string, account.User) {
	t.Helper()
	ctx, name := context.Background(), accounttest.Name("setup")
	if _, err := d.SignUp(ctx, account.NewUser{Username: name, Password: accounttest.Password}); err != nil {
		t.Fatal(err)
	}
	if err := d.ConfirmUser(ctx, name); err != nil {
		t.Fatal(err)
	}
	tokens, err := d.SignIn(ctx, name, accounttest.Password)
	if err != nil {
		t.Fatal(err)
	}
	user, err := d.FindUser(ctx, name)
	if err != nil {
		t.Fatal(err)
	}
	return tokens.AccessToken, user
}

// The keys are where the result says, and recovery is on where it can be: ministack's
// DynamoDB has it.
func TestRunAllOnOne(t *testing.T) {
	_, r := emulated(t, awstest.Cognito, accounttest.Name("setup"))
	if !r.Recoverable {
		t.Error("recovery is not on")
	}
	res, err := http.Get(r.JWKSURL)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var set struct{ Keys []json.RawMessage }
	if err := json.NewDecoder(res.Body).Decode(&set); err != nil || len(set.Keys) == 0 {
		t.Errorf("%s: got %d keys, %v", r.JWKSURL, len(set.Keys), err)
	}
}

// On AWS itself the services know where the keys are.
func TestSettingsOfAWS(t *testing.T) {
	t.Parallel()
	r := setup.Result{Table: "users", PoolID: "eu-west-1_x", ClientID: "client", ClientSecret: "shh"}
	for _, s := range r.Settings() {
		if s[1] == "" || s[0] == "JWKS_URL" {
			t.Errorf("got %s=%q, want nothing empty and no JWKS_URL", s[0], s[1])
		}
	}
}
