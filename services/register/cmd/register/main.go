// Command register is the register service: a Lambda function, or an HTTP service.
package main

import (
	"context"
	"os"

	"spillway.example/services/register"
)

// version is set by the linker.
var version = "dev"

func main() {
	os.Exit(register.Program(version).Run(context.Background(), os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}
