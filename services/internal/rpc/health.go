package rpc

import (
	"context"
	"log/slog"

	"connectrpc.com/grpchealth"

	"spillway.example/services/internal/rpc/gen/spillway/profile/v1/profilev1connect"
)

// health answers gRPC's health service (grpc.health.v1) by what /readyz goes by. It has no
// Watch: a stream that is open for as long as the process would hold up its end.
type health struct {
	known *grpchealth.StaticChecker
	ready func(context.Context) error
	log   *slog.Logger
}

func newHealth(ready func(context.Context) error, log *slog.Logger) health {
	return health{grpchealth.NewStaticChecker(profilev1connect.ProfileServiceName), ready, log}
}

// Check implements [grpchealth.Checker].
func (h health) Check(ctx context.Context, req *grpchealth.CheckRequest) (*grpchealth.CheckResponse, error) {
	res, err := h.known.Check(ctx, req)
	if err != nil {
		return nil, err
	}
	if err := h.ready(ctx); err != nil {
		h.log.WarnContext(ctx, "not ready", "err", err)
		res.Status = grpchealth.StatusNotServing
	}
	return res, nil
}
