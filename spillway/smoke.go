package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"spillway.example/services/local/awssdk"
	"spillway.example/spillway/deploy/awscloud"
	"spillway.example/spillway/smoke"
)

// runSmoke is `spillway smoke`.
func runSmoke(ctx context.Context, args, _ []string, stdout, _ io.Writer) error {
	flags := flag.NewFlagSet("smoke", flag.ContinueOnError)
	file := flags.String("account", "", "`file` with an account to walk with, as JSON with username and password, - for standard input; without it the walk makes one")
	functions := assignments{}
	flags.Var(functions, "function", "`SERVICE=NAME` of a Lambda function, such as login=spillway-staging-login:live; with one for each service they are walked, too, by invocation")
	if err := parse(flags, `Walks a running deployment: register, login, me, refresh, logout, delete. It says what each step took, and
exits with 1 at the first that goes wrong. What the load balancer sends to tasks alone says nothing of
the functions, so these can be walked as well. With an account that is there, register is asked for its
name alone, which must be refused: for environments where a sign-up needs a mailbox (EMAIL_REQUIRED).`,
		[]string{"URL"}, args, stdout); err != nil {
		return err
	}
	walk := smoke.Walk{Base: flags.Arg(0), Out: stdout}
	if u, err := url.Parse(walk.Base); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("%w: %q is no address such as https://accounts.example.com", errUsage, walk.Base)
	}
	if *file != "" {
		account, err := readAccount(*file)
		if err != nil {
			return fmt.Errorf("%w: reading the account: %w", errUsage, err)
		}
		walk.Account = account
	}
	if len(functions) > 0 && (len(functions) != 2 || functions["register"] == "" || functions["login"] == "") {
		return fmt.Errorf("%w: -function wants one for register and one for login", errUsage)
	}
	if err := walk.Run(ctx); err != nil || len(functions) == 0 {
		return err
	}
	cfg, err := awscloud.Load(ctx, awscloud.Options{})
	if err != nil {
		return err
	}
	awssdk.PlainBodies(&cfg)
	client := lambda.NewFromConfig(cfg)
	fmt.Fprintln(stdout, "and the functions", functions["register"], "and", functions["login"])
	walk.Client = &http.Client{Timeout: time.Minute, Transport: smoke.Functions{
		Register: smoke.Named(client, functions["register"]), Login: smoke.Named(client, functions["login"]),
	}}
	return walk.Run(ctx)
}

// readAccount reads an account; its errors repeat nothing of what it reads.
func readAccount(file string) (*smoke.Account, error) {
	in := io.Reader(os.Stdin)
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	var account smoke.Account
	if err := json.NewDecoder(in).Decode(&account); err != nil || account.Username == "" || account.Password == "" {
		return nil, errors.New("want JSON with username and password")
	}
	return &account, nil
}
