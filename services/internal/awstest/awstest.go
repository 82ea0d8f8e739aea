// Package awstest starts the local AWS that tests need, in containers: DynamoDB Local,
// ministack and moto, one of each for a test process.
package awstest

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/testcontainers/testcontainers-go"

	"spillway.example/services/internal/awssdk"
)

// Region is the region of the emulators.
const Region = "eu-west-1"

// Container is one emulator, started by the first test that asks for it.
type Container struct {
	image string
	cmd   []string
	env   map[string]string
	port  string
	ready string // a path that answers once it runs

	once     sync.Once
	err      error
	endpoint string
	stop     func() error
}

// The emulators, at the versions that docker-compose.yml and docs/emulators.md name.
var (
	DynamoDB = &Container{
		image: "amazon/dynamodb-local:3.3.1", cmd: []string{"-jar", "DynamoDBLocal.jar", "-sharedDb", "-inMemory"},
		port: "8000/tcp", ready: "/",
	}
	Cognito = &Container{
		image: "ministackorg/ministack:1.5.33", port: "4566/tcp", ready: "/_ministack/health",
		// AUTH=true has it check secrets, codes and credentials as Cognito does.
		env: map[string]string{"AUTH": "true", "IOT_MTLS_ENABLED": "false", "SFTP_ENABLED": "false"},
	}
	// Moto keeps what ministack ignores of load balancing and scaling, by their API.
	Moto = &Container{image: "motoserver/moto:5.2.5", port: "5000/tcp", ready: "/moto-api/"}
)

// Endpoint gives the emulator's URL, starting it if it does not run yet. Where there is
// no Docker the test is skipped, or fails if REQUIRE_DOCKER is 1.
func (c *Container) Endpoint(t testing.TB) string {
	t.Helper()
	c.once.Do(func() { c.err = c.start() })
	if c.err != nil {
		if os.Getenv("REQUIRE_DOCKER") == "1" {
			t.Fatalf("needs Docker: %v", c.err)
		}
		t.Skipf("needs Docker: %v", c.err)
	}
	return c.endpoint
}

func (c *Container) start() (err error) {
	defer func() {
		if v := recover(); v != nil { // testcontainers panics where it finds no Docker
			err = fmt.Errorf("looking for Docker: %v", v)
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	running, err := testcontainers.Run(ctx, c.image,
		testcontainers.WithCmd(c.cmd...), testcontainers.WithEnv(c.env),
		testcontainers.WithExposedPorts(c.port), testcontainers.WithHostConfigModifier(loopback(c.port)),
	)
	if running != nil {
		c.stop = func() error { return testcontainers.TerminateContainer(running) }
	}
	if err != nil {
		return err
	}
	port, err := running.MappedPort(ctx, c.port)
	if err != nil {
		return err
	}
	c.endpoint = fmt.Sprintf("http://127.0.0.1:%d", port.Num())
	return c.wait(ctx)
}

// wait waits until the emulator answers. testcontainers' own strategies ask the address
// that containers have of this host, where the port is not published.
func (c *Container) wait(ctx context.Context) error {
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.endpoint+c.ready, nil)
		if err != nil {
			return err
		}
		res, err := http.DefaultClient.Do(req)
		if err == nil {
			return res.Body.Close()
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w", c.image, err)
		}
	}
}

// loopback publishes a port on 127.0.0.1 and nowhere else.
func loopback(port string) func(*container.HostConfig) {
	return func(h *container.HostConfig) {
		h.PortBindings = network.PortMap{network.MustParsePort(port): {{HostIP: netip.MustParseAddr("127.0.0.1")}}}
	}
}

// Main runs the tests of a package and then stops the emulators that they started: call
// it from TestMain.
func Main(m *testing.M) int {
	code := m.Run()
	for _, c := range []*Container{DynamoDB, Cognito, Moto} {
		if c.stop == nil {
			continue
		}
		if err := c.stop(); err != nil {
			fmt.Fprintln(os.Stderr, "stopping an emulator:", err)
			code = max(code, 1)
		}
	}
	return code
}

// Config is an SDK configuration for the emulators: their only credentials, and their
// endpoint.
func Config(endpoint string) aws.Config {
	sdk := aws.Config{
		Region:       Region,
		Credentials:  credentials.NewStaticCredentialsProvider("test", "test", ""),
		BaseEndpoint: aws.String(endpoint),
	}
	awssdk.PlainBodies(&sdk)
	return sdk
}
