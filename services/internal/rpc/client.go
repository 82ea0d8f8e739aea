package rpc

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"connectrpc.com/connect"
	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/retrypolicy"

	"spillway.example/services/internal/account"
	profilev1 "spillway.example/services/internal/rpc/gen/spillway/profile/v1"
	"spillway.example/services/internal/rpc/gen/spillway/profile/v1/profilev1connect"
	"spillway.example/services/internal/telemetry"
)

const (
	// deadline bounds a question with all its tries, attempt one try of it.
	deadline = 3 * time.Second
	attempt  = 1500 * time.Millisecond
	// The breaker opens when five of the last ten tries have failed, and lets one
	// through every two seconds.
	breakerFailures, breakerOf = 5, 10
	breakerDelay               = 2 * time.Second
)

type response = *connect.Response[profilev1.GetProfileResponse]

// Client asks register for profiles, with a deadline, a retry and a circuit breaker.
// It implements [ProfileSource].
type Client struct {
	profiles profilev1connect.ProfileServiceClient
	executor failsafe.Executor[response]
}

var _ ProfileSource = (*Client)(nil)

// NewClient makes a client of register at a URL whose scheme is the protocol: grpc is
// gRPC over h2c, between tasks; grpcs is gRPC over TLS; http and https are Connect over
// HTTP/1.1, which load balancers and functions take too. Its questions are traced with t,
// which may be nil.
func NewClient(u *url.URL, t *telemetry.Telemetry) *Client {
	base := *u
	protocols := new(http.Protocols)
	options := []connect.ClientOption{connect.WithInterceptors(traced(t))}
	switch u.Scheme {
	case "grpc":
		base.Scheme = "http"
		protocols.SetUnencryptedHTTP2(true)
		options = append(options, connect.WithGRPC())
	case "grpcs":
		base.Scheme = "https"
		protocols.SetHTTP2(true)
		options = append(options, connect.WithGRPC())
	default:
		protocols.SetHTTP1(true)
	}
	transport := &http.Transport{
		Protocols:             protocols,
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: time.Second}).DialContext,
		TLSHandshakeTimeout:   time.Second,
		MaxIdleConnsPerHost:   32,
		IdleConnTimeout:       90 * time.Second,
		ResponseHeaderTimeout: attempt,
		HTTP2:                 &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 2 * time.Second},
	}
	client := &http.Client{
		Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse // a token goes where it was sent, and nowhere else
		},
	}
	away := func(_ response, err error) bool { return isAway(err) }
	retry := retrypolicy.NewBuilder[response]().HandleIf(away).AbortOnErrors(circuitbreaker.ErrOpen).
		WithMaxRetries(2).WithBackoff(20*time.Millisecond, 200*time.Millisecond).WithJitterFactor(0.5).
		ReturnLastFailure().Build()
	breaker := circuitbreaker.NewBuilder[response]().HandleIf(away).
		WithFailureThresholdRatio(breakerFailures, breakerOf).WithSuccessThreshold(1).WithDelay(breakerDelay).Build()
	return &Client{
		profiles: profilev1connect.NewProfileServiceClient(client, base.String(), options...),
		executor: failsafe.With[response](retry, breaker),
	}
}

// traced has each try be a span of the caller's trace and carry it on, with the id of the
// request that it is made for.
func traced(t *telemetry.Telemetry) connect.UnaryInterceptorFunc {
	return func(next connect.UnaryFunc) connect.UnaryFunc {
		return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
			service, method, _ := strings.Cut(strings.TrimPrefix(req.Spec().Procedure, "/"), "/")
			ctx, call := t.StartCall(ctx, req.Peer().Protocol, service, method)
			telemetry.Inject(ctx, req.Header())
			if id := telemetry.RequestID(ctx); id != "" {
				req.Header().Set("X-Request-Id", id)
			}
			res, err := next(ctx, req)
			failure := ""
			if err != nil {
				failure = connect.CodeOf(err).String()
			}
			call.End(failure)
			return res, err
		}
	}
}

// isAway says whether an answer means that register cannot be reached or is broken,
// rather than that it has answered, or that whoever asked has hung up.
func isAway(err error) bool {
	if err == nil || connect.CodeOf(err) == connect.CodeCanceled {
		return false
	}
	for _, code := range codes {
		if code != connect.CodeUnavailable && connect.CodeOf(err) == code {
			return false
		}
	}
	return true
}

// ProfileOf implements [ProfileSource].
func (c *Client) ProfileOf(ctx context.Context, accessToken string) (account.Profile, error) {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	res, err := c.executor.WithContext(ctx).GetWithExecution(func(e failsafe.Execution[response]) (response, error) {
		ctx, cancel := context.WithTimeout(e.Context(), attempt)
		defer cancel()
		req := connect.NewRequest(&profilev1.GetProfileRequest{})
		req.Header().Set("Authorization", "Bearer "+accessToken)
		return c.profiles.GetProfile(ctx, req)
	})
	if err != nil {
		return account.Profile{}, fromConnect(err)
	}
	p := res.Msg.GetProfile()
	return account.Profile{
		UserID: account.UserID(p.GetUserId()), Username: p.GetUsername(),
		Email: p.GetEmail(), EmailVerified: p.GetEmailVerified(),
		DisplayName: p.GetDisplayName(), Locale: p.GetLocale(),
		CreatedAt: p.GetCreatedAt().AsTime(), UpdatedAt: p.GetUpdatedAt().AsTime(),
	}, nil
}

// fromConnect turns register's answer into the domain's error: whatever it has not
// said itself counts as its being away.
func fromConnect(err error) error {
	switch connect.CodeOf(err) {
	case connect.CodeUnauthenticated:
		return account.ErrToken(err)
	case connect.CodeNotFound:
		return account.ErrGone(err)
	case connect.CodeResourceExhausted:
		return account.ErrThrottled(err)
	}
	if errors.Is(err, circuitbreaker.ErrOpen) {
		return account.ErrUnavailable(errors.New("register has failed too often of late and is given a rest"))
	}
	return account.ErrUnavailable(err)
}
