# The login service: sign-in, tokens and sessions of accounts. One image for both doors:
# Lambda runs it as it is (locally the base image's entrypoint starts the runtime interface
# emulator), ECS with the entry point /var/runtime/bootstrap. Lambda brings a user of its
# own and wants no USER here; elsewhere any will do.
ARG BASE=public.ecr.aws/lambda/provided:al2023

FROM --platform=$BUILDPLATFORM golang:1.26 AS build
ENV GOWORK=off GOTOOLCHAIN=local CGO_ENABLED=0 GOOS=linux
WORKDIR /src
COPY frontdoor/go.mod frontdoor/go.sum frontdoor/
COPY verify/go.mod verify/go.sum verify/
COPY services/internal/go.mod services/internal/go.sum services/internal/
COPY services/login/go.mod services/login/go.sum services/login/
WORKDIR /src/services/login
RUN go mod download
COPY frontdoor /src/frontdoor
COPY verify /src/verify
COPY services/internal /src/services/internal
COPY services/login /src/services/login
ARG TARGETARCH
ARG VERSION=dev
# lambda.norpc leaves out the protocol of the old go1.x runtime, and with it net/rpc.
RUN --mount=type=cache,target=/root/.cache/go-build \
    GOARCH=$TARGETARCH go build -tags lambda.norpc -trimpath -ldflags="-s -w -X main.version=$VERSION" -o /bootstrap ./cmd/login

FROM scratch AS binary
COPY --from=build /bootstrap /bootstrap

FROM $BASE
ARG VERSION=dev
ARG REVISION=
LABEL org.opencontainers.image.title="spillway/login" \
      org.opencontainers.image.description="Spillway: sign-in, tokens and sessions of accounts" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=binary /bootstrap /var/runtime/bootstrap
CMD ["bootstrap"]
