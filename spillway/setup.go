package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"

	"spillway.example/services/local/setup"
)

// runSetup is `spillway setup`.
func runSetup(ctx context.Context, args, _ []string, stdout, _ io.Writer) error {
	flags := flag.NewFlagSet("setup", flag.ContinueOnError)
	table := flags.String("table", "users", "`name` of the DynamoDB table")
	pool := flags.String("pool", "spillway", "`name` of the Cognito user pool")
	client := flags.String("client", "spillway", "`name` of the pool's app client")
	out := flags.String("out", "", "`file` that gets the settings, for SETTINGS_FILE; the terminal where it is not given")
	shared := flags.Bool("world-readable", false, "let every user read that file, which holds the client's secret")
	patience := flags.Duration("wait", 0, "how long to wait for AWS, or its emulators, to take connections")
	if err := parse(flags, `Makes what the services need of AWS for development, or checks what is there: the table, the
user pool and its client. Region, credentials and endpoints are the SDK's own (AWS_REGION,
AWS_ENDPOINT_URL_DYNAMODB, AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER, …). It may be run again
at any time.`, nil, args, stdout); err != nil {
		return err
	}
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return fmt.Errorf("reading the AWS configuration: %w", err)
	}
	result, err := setUp(ctx, setup.Config{AWS: cfg, Table: *table, Pool: *pool, Client: *client}, *patience)
	if err != nil {
		return err
	}
	text := settingsText(result)
	if *out == "" {
		_, err := io.WriteString(stdout, text)
		return err
	}
	mode := os.FileMode(0o600)
	if *shared {
		mode = 0o644
	}
	if err := writeSettings(*out, text, mode); err != nil {
		return fmt.Errorf("writing the settings: %w", err)
	}
	_, err = fmt.Fprintf(stdout, "table %s, user pool %s, client %s: settings in %s\n", result.Table, result.PoolID, result.ClientID, *out)
	return err
}

// setUp tries again while nobody takes the connection, until patience is at its end.
func setUp(ctx context.Context, c setup.Config, patience time.Duration) (setup.Result, error) {
	for end := time.Now().Add(patience); ; {
		r, err := setup.Run(ctx, c)
		_, refused := errors.AsType[*net.OpError](err)
		if !refused || time.Now().After(end) {
			return r, err
		}
		select {
		case <-time.After(250 * time.Millisecond):
		case <-ctx.Done():
			return setup.Result{}, ctx.Err()
		}
	}
}

// settingsText gives the settings as lines of NAME=value.
func settingsText(r setup.Result) string {
	var b strings.Builder
	for _, s := range r.Settings() {
		fmt.Fprintf(&b, "%s=%s\n", s[0], s[1])
	}
	return b.String()
}

// writeSettings replaces the file in one step.
func writeSettings(file, text string, mode os.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(file), ".settings-*")
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	err = errors.Join(err, f.Chmod(mode), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // what went wrong is told already
	}
	return err
}
