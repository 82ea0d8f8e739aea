package backend

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go/logging"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/awssdk"
	"spillway.example/services/internal/background"
	"spillway.example/services/internal/cognito"
	"spillway.example/services/internal/dynamo"
	"spillway.example/services/internal/mail"
	"spillway.example/services/internal/settings"
	"spillway.example/services/internal/token"
	"spillway.example/verify"
)

// sdkLog has what the SDK says be lines of the log as others are; by itself it writes text to
// standard error.
func sdkLog(log *slog.Logger) logging.Logger {
	return logging.LoggerFunc(func(class logging.Classification, format string, args ...any) {
		level := slog.LevelWarn
		if class == logging.Debug {
			level = slog.LevelDebug
		}
		log.Log(context.Background(), level, "AWS SDK: "+fmt.Sprintf(format, args...))
	})
}

// tries is how often the SDK asks, the first time included, and tryTimeout how long it
// waits each time, connecting included; by itself it waits without end. Together they
// end well within the 60 s that a caller has: more would outlast the caller, and the
// domain has its own ways to go on.
const (
	tries      = 3
	tryTimeout = 5 * time.Second
)

// connections is how many idle connections are kept to each service of AWS, so that a
// burst of requests does not begin with as many handshakes.
const connections = 100

func openAWS(ctx context.Context, c Config) (*Backend, error) {
	sdk, err := config.LoadDefaultConfig(ctx, config.WithLogger(sdkLog(c.Logger)), config.WithRetryer(func() aws.Retryer {
		return retry.AddWithMaxAttempts(retry.NewStandard(), tries)
	}), config.WithHTTPClient(awshttp.NewBuildableClient().WithTimeout(tryTimeout).WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConns, t.MaxIdleConnsPerHost = 2*connections, connections // Cognito and DynamoDB
	})))
	if err != nil {
		return nil, fmt.Errorf("configuring the AWS SDK: %w", err)
	}
	if sdk.Region == "" {
		return nil, errors.New("AWS_REGION is not set, and the AWS configuration names no region")
	}
	awssdk.PlainBodies(&sdk)
	trace(&sdk, c.Telemetry)
	secret, err := clientSecret(ctx, sdk, c.Settings)
	if err != nil {
		return nil, err
	}
	server, err := mailServer(ctx, sdk, c)
	if err != nil {
		return nil, err
	}
	limits, err := sharedKey(secret, c.Settings.UserPoolID, "limits")
	if err != nil {
		return nil, err
	}
	replays, err := sharedKey(secret, c.Settings.UserPoolID, "replays")
	if err != nil {
		return nil, err
	}
	queue := background.New(background.Config{Count: c.Telemetry.Count, Logger: c.Logger})
	store := dynamo.New(dynamodb.NewFromConfig(sdk), c.Settings.UsersTable)
	introspection, err := introspectionSecrets(ctx, sdk, c.Settings)
	if err != nil {
		return nil, err
	}
	verifier, err := token.NewVerifier(token.Config{
		Issuer: c.Settings.TokenIssuer, ClientID: c.Settings.UserPoolClientID,
		Keys: verify.NewJWKS(c.Settings.JWKSURL, nil, nil), Denials: store, Logger: c.Logger,
	})
	if err != nil {
		return nil, err
	}
	var mailless error
	if _, lost := server.(unsent); lost {
		mailless = errNoSMTP
	}
	return &Backend{
		Directory: poolDirectory{cognito.New(cognitoidentityprovider.NewFromConfig(sdk, inRegionOf(c.Settings.UserPoolID)), cognito.Config{
			UserPoolID: c.Settings.UserPoolID, ClientID: c.Settings.UserPoolClientID, ClientSecret: secret,
		}), verifier},
		DirectoryID: c.Settings.UserPoolID,
		Claims:      store, Profiles: store, Mailer: queue.Mailer(server), Mailless: mailless, Background: queue, Count: c.Telemetry.Count,
		Limits:   account.NewLimits(account.LimitsConfig{Counters: store, Policies: c.Settings.Limits, Key: limits, Count: c.Telemetry.Count, Logger: c.Logger}),
		Replays:  account.NewReplays(account.ReplaysConfig{Records: store, Key: replays, Logger: c.Logger}),
		Breaches: breaches(c),
		Verifier: verifier, Denials: verifier.Denials(), Introspection: introspection,
		Close: func() error { return nil },
	}, nil
}

// inRegionOf has Cognito asked in the region that a pool's id names: it is in no other,
// wherever the table is.
func inRegionOf(pool string) func(*cognitoidentityprovider.Options) {
	return func(o *cognitoidentityprovider.Options) {
		if region, _, ok := strings.Cut(pool, "_"); ok {
			o.Region = region
		}
	}
}

// clientSecret gives the app client's secret, from Secrets Manager where the settings
// say so: ECS injects secrets into the environment, Lambda does not.
func clientSecret(ctx context.Context, sdk aws.Config, s settings.Settings) (string, error) {
	if s.UserPoolClientSecretARN == "" {
		return s.UserPoolClientSecret, nil
	}
	return kept(ctx, sdk, "USER_POOL_CLIENT_SECRET_ARN", s.UserPoolClientSecretARN, "client_secret")
}

// mailServer gives the mail server, whose URL Secrets Manager keeps where the settings say
// so: it has a password in it.
func mailServer(ctx context.Context, sdk aws.Config, c Config) (account.Mailer, error) {
	const setting = "SMTP_URL_ARN"
	if c.Settings.SMTPURLARN == "" {
		return smtpOr(c.Settings, unsent{c.Logger})
	}
	value, err := kept(ctx, sdk, setting, c.Settings.SMTPURLARN, "smtp_url")
	if err != nil {
		return nil, err
	}
	server, err := mail.NewSMTP(value)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", setting, err)
	}
	return server, nil
}

// introspectionSecrets gives the secrets of POST /token/introspect, from Secrets Manager
// where the settings say so.
func introspectionSecrets(ctx context.Context, sdk aws.Config, s settings.Settings) ([]string, error) {
	const setting = "INTROSPECTION_SECRET_ARN"
	if s.IntrospectionSecretARN == "" {
		return s.IntrospectionSecrets, nil
	}
	value, err := kept(ctx, sdk, setting, s.IntrospectionSecretARN, "introspection_secret")
	if err != nil {
		return nil, err
	}
	secrets, err := settings.ParseSecrets(value)
	if err != nil {
		return nil, fmt.Errorf("%s: the secret %w", setting, err)
	}
	return secrets, nil
}

// kept reads a secret that Secrets Manager keeps, as it is or as a member of JSON.
func kept(ctx context.Context, sdk aws.Config, setting, arn, member string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	out, err := secretsmanager.NewFromConfig(sdk).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &arn})
	if err != nil {
		return "", fmt.Errorf("%s: reading the secret: %w", setting, err)
	}
	value := aws.ToString(out.SecretString)
	var members map[string]any
	if json.Unmarshal([]byte(value), &members) == nil {
		if text, ok := members[member].(string); ok && text != "" {
			return text, nil
		}
	}
	if value == "" {
		return "", fmt.Errorf("%s: the secret has no text", setting)
	}
	return value, nil
}

// sharedKey derives a key that every copy of both services has, and nobody who reads the
// table alone. A client without a secret has nothing to derive it from but the pool's id:
// then whoever knows that can try out what a keyed hash was made of.
func sharedKey(clientSecret, poolID, use string) ([]byte, error) {
	key, err := hkdf.Key(sha256.New, []byte(clientSecret), []byte(poolID), "spillway "+use, sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("deriving a key: %w", err)
	}
	return key, nil
}

// errNoSMTP says to whoever reads the log what to set.
var errNoSMTP = errors.New("SMTP_URL is not set")

// unsent is the mailer of a service that was told of no mail server: its notices are
// lost, and the log says so.
type unsent struct{ log *slog.Logger }

// Send implements [account.Mailer].
func (u unsent) Send(ctx context.Context, m account.Mail) error {
	u.log.WarnContext(ctx, "a notice was not sent: SMTP_URL is not set", "subject", m.Subject)
	return nil
}
