package settings_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"spillway.example/services/internal/settings"
)

func TestDefaults(t *testing.T) {
	t.Parallel()
	s, err := settings.Parse(settings.Register, []string{"USER_POOL_ID=eu-west-1_abc", "USER_POOL_CLIENT_ID=client", "PORT="})
	if err != nil {
		t.Fatal(err)
	}
	if s.Store != settings.AWS || s.Address() != ":8080" || s.RPCAddress() != ":8081" || s.UsersTable != "users" ||
		s.DrainTimeout != 20*time.Second || s.Loopback() ||
		s.TokenIssuer != "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc" ||
		s.JWKSURL != s.TokenIssuer+"/.well-known/jwks.json" {
		t.Errorf("with AWS: got %+v", s)
	}
	s, err = settings.Parse(settings.Login, []string{"STORE=embedded"})
	if err != nil {
		t.Fatal(err)
	}
	if s.Address() != "127.0.0.1:8080" || !s.Loopback() || s.TokenIssuer != settings.EmbeddedIssuer || s.DataDir != "./data" {
		t.Errorf("embedded: got %+v", s)
	}
	s, err = settings.Parse(settings.Local, []string{"STORE=aws", "LISTEN_HOST=0.0.0.0"})
	if err != nil || s.Store != settings.Embedded || s.Loopback() {
		t.Errorf("both in one process: got %+v, %v", s, err)
	}
}

// Every wrong value is named, at once, and none is repeated: some are secret.
func TestWrongValues(t *testing.T) {
	t.Parallel()
	const secret = "hunter2"
	environ := []string{
		"STORE=" + secret, "PORT=" + secret, "RPC_PORT=70000", "DRAIN_DELAY=" + secret, "DRAIN_TIMEOUT=-1s",
		"EMAIL_REQUIRED=" + secret, "LOG_LEVEL=" + secret, "SMTP_URL=smtp://user:" + secret + "@[::1", "TRUSTED_PROXIES=" + secret,
		"METRICS=" + secret, "ENVIRONMENT=" + secret + "!",
		"JWKS_URL=" + secret, "KEY_MAX_AGE=1h", "SETTINGS_FILE=/no/such/file",
	}
	_, err := settings.Parse(settings.Register, environ)
	if err == nil {
		t.Fatal("no error")
	}
	for _, e := range environ {
		if name, _, _ := strings.Cut(e, "="); !strings.Contains(err.Error(), name+":") {
			t.Errorf("%s is not named in:\n%v", name, err)
		}
	}
	if strings.Contains(err.Error(), secret) {
		t.Errorf("a value is repeated in:\n%v", err)
	}
}

func TestWhatIsWrongTogether(t *testing.T) {
	t.Parallel()
	pool := []string{"USER_POOL_ID=eu-west-1_abc", "USER_POOL_CLIENT_ID=client"}
	for want, environ := range map[string][]string{
		"USER_POOL_ID: is required":             nil,
		"USER_POOL_CLIENT_ID: is required":      {"USER_POOL_ID=eu-west-1_abc"},
		"USER_POOL_ID: must look like":          {"USER_POOL_ID=abc", "USER_POOL_CLIENT_ID=client"},
		"USER_POOL_CLIENT_SECRET_ARN: must not": append(slices.Clone(pool), "USER_POOL_CLIENT_SECRET=x", "USER_POOL_CLIENT_SECRET_ARN=arn"),
		"RPC_PORT: must not be PORT":            append(slices.Clone(pool), "RPC_PORT=8080"),
		"ENVIRONMENT: is required with METRICS": append(slices.Clone(pool), "METRICS=emf"),
		"SMTP_URL: must end in ?from=":          append(slices.Clone(pool), "SMTP_URL=smtp://mail.example.com"),
	} {
		if _, err := settings.Parse(settings.Register, environ); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v, want %q", environ, err, want)
		}
	}
	if _, err := settings.Parse(settings.Register, pool); err != nil {
		t.Errorf("with what is required alone: %v", err)
	}
}

func TestIntrospectionSecrets(t *testing.T) {
	t.Parallel()
	const one, two = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"
	s, err := settings.Parse(settings.Local, []string{"INTROSPECTION_SECRET=" + one + ", " + two})
	if err != nil || !slices.Equal(s.IntrospectionSecrets, []string{one, two}) {
		t.Errorf("two secrets: got %d, %v", len(s.IntrospectionSecrets), err)
	}
	for want, environ := range map[string][]string{
		"INTROSPECTION_SECRET: must have":       {"STORE=embedded", "INTROSPECTION_SECRET=" + one + ",short"},
		"SMTP_URL_ARN: needs":                   {"STORE=embedded", "SMTP_URL_ARN=arn"},
		"SMTP_URL_ARN: must not be":             {"USER_POOL_ID=eu-west-1_a", "USER_POOL_CLIENT_ID=c", "SMTP_URL_ARN=arn", "SMTP_URL=smtp://mail.example.com?from=a@example.com"},
		"INTROSPECTION_SECRET_ARN: needs":       {"STORE=embedded", "INTROSPECTION_SECRET_ARN=arn"},
		"INTROSPECTION_SECRET_ARN: must not be": {"USER_POOL_ID=eu-west-1_a", "USER_POOL_CLIENT_ID=c", "INTROSPECTION_SECRET_ARN=arn", "INTROSPECTION_SECRET=" + one},
	} {
		if _, err := settings.Parse(settings.Login, environ); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), one) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "settings")
	text := "# made by setup\nUSER_POOL_ID=eu-west-1_file\nUSER_POOL_CLIENT_ID=\"client\"\n\nUSERS_TABLE=from-file\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := settings.Parse(settings.Login, []string{"SETTINGS_FILE=" + file, "USERS_TABLE=from-env", "USER_POOL_ID="})
	if err != nil {
		t.Fatal(err)
	}
	if s.UserPoolID != "eu-west-1_file" || s.UserPoolClientID != "client" || s.UsersTable != "from-env" {
		t.Errorf("got %+v", s)
	}
	if err := os.WriteFile(file, []byte("RPC_PORT=1\nPROT=hunter2\nEMAIL_REQIRED=true\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = settings.Parse(settings.Login, []string{"SETTINGS_FILE=" + file, "STORE=embedded"}) // a file may be for both services
	if err == nil || !strings.HasSuffix(err.Error(), file+" has what is no setting: EMAIL_REQIRED, PROT") {
		t.Errorf("a file with names that are misspelt: got %v", err)
	}
	if err := os.WriteFile(file, []byte("hunter2 is no setting\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = settings.Parse(settings.Login, []string{"SETTINGS_FILE=" + file, "STORE=embedded"})
	if err == nil || !strings.Contains(err.Error(), file) || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a file of something else: got %v", err)
	}
}

func TestHelpNamesEverySetting(t *testing.T) {
	t.Parallel()
	for _, service := range []settings.Service{settings.Register, settings.Login, settings.Local} {
		var out bytes.Buffer
		if err := settings.Help(&out, service); err != nil {
			t.Fatal(err)
		}
		for _, row := range settings.For(service) {
			if !strings.Contains(out.String(), row.Name+" ") || row.Meaning == "" {
				t.Errorf("%s -help does not explain %s", service, row.Name)
			}
		}
	}
	for _, row := range settings.Table() {
		if row.Secret != (row.Name == "SMTP_URL" || row.Name == "INTROSPECTION_SECRET" || row.Name == "USER_POOL_CLIENT_SECRET") {
			t.Errorf("%s: secret is %v", row.Name, row.Secret)
		}
	}
}

func TestREADMEIsCurrent(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var table bytes.Buffer
	if err := settings.Markdown(&table); err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(readme, table.Bytes()) {
		t.Error("the README's table of settings is not current: run make generate")
	}
}
