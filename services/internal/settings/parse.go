package settings

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/joho/godotenv"
)

// EmbeddedIssuer is the `iss` of the embedded store's tokens where none is set.
const EmbeddedIssuer = "urn:spillway:embedded"

// Parse reads the settings of a service from its environment, given as os.Environ
// gives it, and from the file that SETTINGS_FILE names; the environment wins. An
// empty value counts as none. The error names every setting that is wrong, and no
// value, since some are secret.
func Parse(service Service, environ []string) (Settings, error) {
	values := map[string]string{}
	for _, e := range environ {
		name, value, _ := strings.Cut(e, "=")
		values[name] = value
	}
	var wrong []error
	if file := values[fileName]; file != "" {
		if err := readFile(file, values); err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", fileName, err))
		}
	}
	s := Settings{Store: Embedded} // what Local has; the others' default is in the table
	for _, row := range For(service) {
		v := values[row.Name]
		if v == "" {
			v = row.Default
		}
		if v == "" {
			continue
		}
		if err := row.set(&s, v); err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", row.Name, err))
		}
	}
	wrong = append(wrong, s.check(service)...)
	s.derive()
	return s, errors.Join(wrong...)
}

func readFile(file string, into map[string]string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	values, err := godotenv.Parse(f)
	if err != nil {
		return fmt.Errorf("%s must have lines of NAME=value", file) // the parser's error quotes the line
	}
	var unknown []string
	for name, value := range values {
		if !slices.ContainsFunc(table, func(row Setting) bool { return row.Name == name }) {
			unknown = append(unknown, name)
		}
		if into[name] == "" {
			into[name] = value
		}
	}
	if len(unknown) > 0 {
		slices.Sort(unknown)
		return fmt.Errorf("%s has what is no setting: %s", file, strings.Join(unknown, ", "))
	}
	return nil
}

// check finds what one setting alone cannot show.
func (s *Settings) check(service Service) (wrong []error) {
	if s.Store == AWS {
		if s.UserPoolID == "" {
			wrong = append(wrong, errors.New("USER_POOL_ID: is required with STORE=aws"))
		} else if region, _, ok := strings.Cut(s.UserPoolID, "_"); !ok || region == "" {
			wrong = append(wrong, errors.New("USER_POOL_ID: must look like eu-west-1_AbCdEfGhI"))
		}
		if s.UserPoolClientID == "" {
			wrong = append(wrong, errors.New("USER_POOL_CLIENT_ID: is required with STORE=aws"))
		}
		if s.UserPoolClientSecret != "" && s.UserPoolClientSecretARN != "" {
			wrong = append(wrong, errors.New("USER_POOL_CLIENT_SECRET_ARN: must not be set beside USER_POOL_CLIENT_SECRET"))
		}
	}
	if s.EMF && s.Environment == "" {
		wrong = append(wrong, errors.New("ENVIRONMENT: is required with METRICS=emf"))
	}
	if s.IntrospectionSecretARN != "" && s.Store != AWS {
		wrong = append(wrong, errors.New("INTROSPECTION_SECRET_ARN: needs STORE=aws"))
	}
	if s.IntrospectionSecretARN != "" && len(s.IntrospectionSecrets) > 0 {
		wrong = append(wrong, errors.New("INTROSPECTION_SECRET_ARN: must not be set beside INTROSPECTION_SECRET"))
	}
	if s.SMTPURLARN != "" && s.Store != AWS {
		wrong = append(wrong, errors.New("SMTP_URL_ARN: needs STORE=aws"))
	}
	if s.SMTPURLARN != "" && s.SMTPURL != nil {
		wrong = append(wrong, errors.New("SMTP_URL_ARN: must not be set beside SMTP_URL"))
	}
	if service == Register && s.Port != 0 && s.Port == s.RPCPort {
		wrong = append(wrong, errors.New("RPC_PORT: must not be PORT"))
	}
	if s.SMTPURL != nil && s.SMTPURL.Query().Get("from") == "" {
		wrong = append(wrong, errors.New("SMTP_URL: must end in ?from=, the address that mail comes from"))
	}
	return wrong
}

// derive fills in what follows from the rest where it is not set.
func (s *Settings) derive() {
	if s.Store == Embedded {
		s.ListenHost = orElse(s.ListenHost, "127.0.0.1")
		s.TokenIssuer = orElse(s.TokenIssuer, EmbeddedIssuer)
		return
	}
	if region, _, ok := strings.Cut(s.UserPoolID, "_"); ok {
		s.TokenIssuer = orElse(s.TokenIssuer, "https://cognito-idp."+region+"."+suffix(region)+"/"+s.UserPoolID)
	}
	s.JWKSURL = orElse(s.JWKSURL, strings.TrimSuffix(s.TokenIssuer, "/")+"/.well-known/jwks.json")
}

// suffix is the domain of AWS's endpoints in a region's partition.
func suffix(region string) string {
	if strings.HasPrefix(region, "cn-") {
		return "amazonaws.com.cn"
	}
	return "amazonaws.com"
}

func orElse(v, other string) string {
	if v == "" {
		return other
	}
	return v
}
