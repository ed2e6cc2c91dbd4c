# One image for every part of the product: docker run … douyin [bff|basics|interaction|social].

FROM golang:1.26.0-bookworm AS build
WORKDIR /src
ENV GOWORK=off GOFLAGS=-mod=readonly CGO_ENABLED=0
# What is downloaded changes less often than what is built.
COPY idl/go.mod idl/go.sum idl/
COPY services/go.mod services/go.sum services/
COPY graph/go.mod graph/go.sum graph/
COPY compat/go.mod compat/go.sum compat/
COPY bff/go.mod bff/go.sum bff/
RUN --mount=type=cache,target=/go/pkg/mod cd bff && go mod download
COPY . .
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    cd bff && go build -trimpath -buildvcs=false -ldflags='-s -w' -o /douyin ./cmd/douyin

FROM alpine:3.22.1
RUN apk add --no-cache ca-certificates ffmpeg tzdata \
    && adduser -D -H -u 10001 douyin \
    && install -d -o douyin -g douyin -m 0700 /data
COPY --from=build /douyin /usr/local/bin/douyin
USER douyin
ENV DOUYIN_DATA=/data DOUYIN_ADDR=0.0.0.0:8080
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s --retries=3 CMD ["douyin", "health"]
ENTRYPOINT ["douyin"]
