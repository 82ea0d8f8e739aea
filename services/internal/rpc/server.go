package rpc

import (
	"context"
	"log/slog"
	"net/http"
	"strings"

	"connectrpc.com/connect"
	"connectrpc.com/grpchealth"
	"connectrpc.com/grpcreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	"spillway.example/services/internal/account"
	"spillway.example/services/internal/httpapi"
	profilev1 "spillway.example/services/internal/rpc/gen/spillway/profile/v1"
	"spillway.example/services/internal/rpc/gen/spillway/profile/v1/profilev1connect"
	"spillway.example/services/internal/telemetry"
	"spillway.example/verify"
)

// maxMessage bounds a request, in bytes; it has no fields.
const maxMessage = 4 << 10

// Handler serves ProfileService by Connect, gRPC and gRPC-Web, with the standard services
// beside it: health, which gRPC load balancers ask, and reflection, by which tools such as
// grpcurl find out what there is. ready says whether requests can be served, as
// [httpapi.API.Ready] does.
func Handler(source ProfileSource, ready func(context.Context) error, log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	path, profiles := profilev1connect.NewProfileServiceHandler(server{source, log}, connect.WithReadMaxBytes(maxMessage))
	mux.Handle(path, named(profiles))
	mux.Handle(grpchealth.NewHandler(newHealth(ready, log)))
	reflector := grpcreflect.NewStaticReflector(profilev1connect.ProfileServiceName, grpchealth.HealthV1ServiceName)
	mux.Handle(grpcreflect.NewHandlerV1(reflector))
	mux.Handle(grpcreflect.NewHandlerV1Alpha(reflector)) // older tools know no other
	return mux
}

// Recorded serves what [Handler] made at a listener of its own, with every request
// recorded. At the API's listener the API does that.
func Recorded(h http.Handler, t *telemetry.Telemetry) http.Handler {
	return t.Handler(func(w *telemetry.Writer, r *http.Request) { h.ServeHTTP(w, r) },
		func(path string) bool { return strings.HasPrefix(path, "/"+grpchealth.HealthV1ServiceName+"/") })
}

// operations are ProfileService's procedures, by their paths.
var operations = func() map[string]string {
	all := map[string]string{}
	service := profilev1.File_spillway_profile_v1_profile_proto.Services().ByName("ProfileService")
	for i := range service.Methods().Len() {
		name := string(service.Methods().Get(i).Name())
		all[Path+name] = name
	}
	return all
}()

// named tells telemetry which procedure a request is.
func named(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if name, ok := operations[r.URL.Path]; ok {
			telemetry.SetOperation(r.Context(), name, r.URL.Path)
		}
		h.ServeHTTP(w, r)
	})
}

// Path is the prefix of ProfileService's procedures.
const Path = "/" + profilev1connect.ProfileServiceName + "/"

type server struct {
	source ProfileSource
	log    *slog.Logger
}

// GetProfile implements profilev1connect.ProfileServiceHandler.
func (s server) GetProfile(ctx context.Context, req *connect.Request[profilev1.GetProfileRequest]) (*connect.Response[profilev1.GetProfileResponse], error) {
	token, _ := verify.BearerToken(req.Header()) // no token is not a good one
	p, err := s.source.ProfileOf(ctx, token)
	if err != nil {
		return nil, s.fail(ctx, err)
	}
	return connect.NewResponse(&profilev1.GetProfileResponse{Profile: &profilev1.Profile{
		UserId: string(p.UserID), Username: p.Username, Email: p.Email, EmailVerified: p.EmailVerified,
		DisplayName: p.DisplayName, Locale: p.Locale,
		CreatedAt: timestamppb.New(p.CreatedAt), UpdatedAt: timestamppb.New(p.UpdatedAt),
	}}), nil
}

// codes is the one map from the domain's codes to Connect's; others are internal.
var codes = map[account.Code]connect.Code{
	account.CodeInvalidToken:    connect.CodeUnauthenticated,
	account.CodeNotFound:        connect.CodeNotFound,
	account.CodeTooManyRequests: connect.CodeResourceExhausted,
	account.CodeUnavailable:     connect.CodeUnavailable,
}

// fail gives the caller the problem that the REST edge would have given.
func (s server) fail(ctx context.Context, err error) error {
	code, ok := codes[account.CodeOf(err)]
	if !ok {
		code = connect.CodeInternal
	}
	problem := httpapi.NewProblem(ctx, s.log, err)
	telemetry.SetStatus(ctx, problem.Status)
	return connect.NewError(code, problem)
}
