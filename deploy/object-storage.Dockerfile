# syntax=docker/dockerfile:1
# The S3 server of the default run, for developing without another one. Objects lie in /data.
# Build at the repository's root: docker build --file deploy/object-storage.Dockerfile --tag reelay/object-storage .

FROM rust:1.95-bookworm AS build
WORKDIR /source
COPY . .
# The caches are shared by all of our images, so that dependencies are built once for all of them.
RUN --mount=type=cache,id=reelay-registry,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,id=reelay-target,target=/source/target,sharing=locked \
    cargo build --release --locked --package reelay --bin reelay \
 && install -D target/release/reelay /out/reelay

FROM debian:bookworm-slim
# Debian's own updates are wanted, so no version is pinned; and it keeps no old ones.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates curl \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin reelay \
 && install --directory --owner reelay --group reelay /data
COPY --from=build /out/reelay /usr/local/bin/reelay
USER 10001
WORKDIR /data
ENV S3_BIND=0.0.0.0:9000 S3_DATA_DIR=/data LOG_FORMAT=json
EXPOSE 9000
VOLUME /data
# Without a signature the answer is a refusal, but it is an answer.
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=6 \
    CMD ["curl", "--silent", "--output", "/dev/null", "--max-time", "2", "http://127.0.0.1:9000/"]
ENTRYPOINT ["reelay", "run", "s3"]
