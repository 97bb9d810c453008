# syntax=docker/dockerfile:1
# The simulated provider, for developing without a paid one. What it keeps lies in /data.
# Build at the repository's root: docker build --file deploy/veo-simulator.Dockerfile --tag reelay/veo-simulator .

FROM rust:1.95-bookworm AS build
WORKDIR /source
COPY . .
# The caches are shared by all of our images, so that dependencies are built once for all of them.
RUN --mount=type=cache,id=reelay-registry,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,id=reelay-target,target=/source/target,sharing=locked \
    cargo build --release --locked --package veo-simulator --bin veo-simulator \
 && install -D target/release/veo-simulator /out/veo-simulator

FROM debian:bookworm-slim
# Debian's own updates are wanted, so no version is pinned; and it keeps no old ones.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates curl \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin reelay \
 && install --directory --owner reelay --group reelay /data
COPY --from=build /out/veo-simulator /usr/local/bin/veo-simulator
USER 10001
WORKDIR /data
ENV SIMULATOR_BIND=0.0.0.0:8082 SIMULATOR_DATA_DIR=/data LOG_FORMAT=json
EXPOSE 8082
VOLUME /data
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=6 \
    CMD ["curl", "--fail", "--silent", "--output", "/dev/null", "--max-time", "2", "http://127.0.0.1:8082/healthz"]
ENTRYPOINT ["veo-simulator"]
