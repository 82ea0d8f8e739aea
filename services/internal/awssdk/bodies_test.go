package awssdk_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"spillway.example/services/internal/awssdk"
)

// An answer that begins before net/http is done with the request is read to its end. Each
// side waits for the other here: the server's answer goes on when the request is written,
// and the request is written when the SDK has begun to read the answer.
func TestAnswerBeforeRequestIsWritten(t *testing.T) {
	t.Parallel()
	written := make(chan error, 1)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, `{"TableNames":`)
		_ = http.NewResponseController(w).Flush()
		if err := <-written; err != nil {
			t.Errorf("writing the request: %v", err)
		}
		_, _ = io.WriteString(w, `["users"]}`)
	}))
	t.Cleanup(s.Close)
	asked := &slowly{answered: make(chan struct{})}
	cfg := aws.Config{
		Region: "eu-west-1", BaseEndpoint: aws.String(s.URL), Credentials: aws.AnonymousCredentials{},
		HTTPClient: &http.Client{Transport: asked}, Retryer: func() aws.Retryer { return aws.NopRetryer{} },
	}
	awssdk.PlainBodies(&cfg)
	awssdk.PlainBodies(&cfg) // as where a part of the program cannot know
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		WroteRequest: func(i httptrace.WroteRequestInfo) { written <- i.Err },
	})
	out, err := dynamodb.NewFromConfig(cfg).ListTables(ctx, &dynamodb.ListTablesInput{})
	if err != nil || len(out.TableNames) != 1 || out.TableNames[0] != "users" {
		t.Errorf("got %+v, %v", out, err)
	}
}

// slowly is a transport that is not done with a request before its answer is read.
type slowly struct {
	once     sync.Once
	answered chan struct{}
}

// RoundTrip implements [http.RoundTripper].
func (s *slowly) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := (&http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := (&net.Dialer{}).DialContext(ctx, network, address)
			return slowConn{c, s}, err
		},
	}).RoundTrip(r)
	if err == nil {
		res.Body = slowBody{res.Body, s}
	}
	return res, err
}

type slowConn struct {
	net.Conn
	s *slowly
}

// ReadFrom implements [io.ReaderFrom]: net/http gives it a request's body.
func (c slowConn) ReadFrom(r io.Reader) (int64, error) {
	n, err := io.Copy(c.Conn, r)
	<-c.s.answered
	return n, err
}

type slowBody struct {
	io.ReadCloser
	s *slowly
}

// Read implements [io.Reader]. The SDK has closed the request's body by now.
func (b slowBody) Read(p []byte) (int, error) {
	b.s.once.Do(func() { close(b.s.answered) })
	return b.ReadCloser.Read(p)
}
