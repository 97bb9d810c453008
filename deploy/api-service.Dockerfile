# syntax=docker/dockerfile:1
# api-service: the product's HTTP API and its page.
# Build at the repository's root: docker build --file deploy/api-service.Dockerfile --tag reelay/api-service .

FROM rust:1.95-bookworm AS build
WORKDIR /source
COPY . .
# The caches are shared by all of our images, so that dependencies are built once for all of them.
RUN --mount=type=cache,id=reelay-registry,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,id=reelay-target,target=/source/target,sharing=locked \
    cargo build --release --locked --package api-service --bin api-service \
 && install -D target/release/api-service /out/api-service

FROM debian:bookworm-slim
# Debian's own updates are wanted, so no version is pinned; and it keeps no old ones.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates curl \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin reelay \
 && install --directory --owner reelay --group reelay /data
COPY --from=build /out/api-service /usr/local/bin/api-service
USER 10001
WORKDIR /data
# Every setting: docker run --rm reelay/api-service --help
ENV API_BIND=0.0.0.0:8080 METRICS_BIND=0.0.0.0:9464 LOG_FORMAT=json
EXPOSE 8080 9464
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=6 \
    CMD ["curl", "--fail", "--silent", "--output", "/dev/null", "--max-time", "2", "http://127.0.0.1:8080/readyz"]
ENTRYPOINT ["api-service"]
