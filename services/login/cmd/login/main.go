// Command login is the login service: a Lambda function, or an HTTP service.
package main

import (
	"context"
	"os"

	"spillway.example/services/login"
)

// version is set by the linker.
var version = "dev"

func main() {
	os.Exit(login.Program(version).Run(context.Background(), os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}
