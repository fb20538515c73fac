#!/usr/bin/env bash
# up.sh DIR [servers]: a Docker engine on a private socket, DIR/docker.sock, with a local stand-in for the public image that the project's own are
# built on (no registry of images need be reachable): node:24-bookworm-slim. With `servers`, also Compose v2 in DIR/config and stand-ins for
# postgres:18 and rabbitmq:4-management, which carry Debian's PostgreSQL 15 and RabbitMQ 3.10 and heed the public images' usual settings.
# Needs root on Debian, and installs the packages docker.io, debootstrap and iptables where they are missing. The engine and its images stay in DIR:
# the first call takes a minute, later ones seconds. DOCKERD_OPTIONS is passed on to the engine. While it is up, forwarding is on and the
# firewall's FORWARD chain drops what the engine does not let through.
set -euo pipefail
# To be nice is worth nothing outside of one's own session, unless the session is.
[ ! -w /proc/$$/autogroup ] || nice > /proc/$$/autogroup 2>/dev/null || true
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mkdir -p "$1" && cd "$1" && pwd)
servers=${2:-}
export DOCKER_HOST=unix://$dir/docker.sock DOCKER_CONFIG=$dir/config DOCKER_BUILDKIT=0
mkdir -p "$DOCKER_CONFIG"

need=(docker.io debootstrap iptables)
if ! dpkg -s "${need[@]}" >/dev/null 2>&1; then
  apt-get -qq update
  DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${need[@]}" >/dev/null
fi

if ! docker version >/dev/null 2>&1; then
  # shellcheck disable=SC2086 # several options in one variable
  setsid dockerd --data-root "$dir/data" --exec-root "$dir/exec" --pidfile "$dir/docker.pid" -H "$DOCKER_HOST" \
    --storage-driver overlay2 ${DOCKERD_OPTIONS:-} > "$dir/dockerd.log" 2>&1 < /dev/null &
  for _ in $(seq 1 300); do docker version >/dev/null 2>&1 && break; sleep 0.2; done
  docker version >/dev/null 2>&1 || { tail -5 "$dir/dockerd.log" >&2; exit 1; }
fi

if ! docker image inspect debian:bookworm-slim >/dev/null 2>&1; then
  mirror=$(awk '/^URIs:/{print $2; exit}' /etc/apt/sources.list.d/debian.sources)
  rm -rf "$dir/rootfs"
  debootstrap --variant=minbase --include=ca-certificates bookworm "$dir/rootfs" "$mirror" > "$dir/debootstrap.log"
  cp /etc/apt/sources.list.d/debian.sources "$dir/rootfs/etc/apt/sources.list.d/" && rm -f "$dir/rootfs/etc/apt/sources.list"
  cp /etc/ssl/certs/ca-certificates.crt "$dir/rootfs/etc/ssl/certs/ca-certificates.crt" # whatever this machine trusts
  printf '#!/bin/sh\nexit 101\n' > "$dir/rootfs/usr/sbin/policy-rc.d" && chmod +x "$dir/rootfs/usr/sbin/policy-rc.d"
  tar -C "$dir/rootfs" -c . | docker import - debian:bookworm-slim >/dev/null && rm -rf "$dir/rootfs"
fi

if ! docker image inspect node:24-bookworm-slim >/dev/null 2>&1; then
  work=$(mktemp -d)
  mkdir -p "$work/root/usr/local/bin" "$work/root/usr/local/lib/node_modules"
  # The program itself is from npm, as for npm run test:node: this machine's may be another release.
  cp "$(node --input-type=module -e "
    import { NODE_VERSIONS, nodeProgram } from '$here/../../../scripts/lib/node-versions.mjs';
    console.log(await nodeProgram(NODE_VERSIONS.get('24')));")" "$work/root/usr/local/bin/node"
  cp -a "$(npm root -g)/npm" "$work/root/usr/local/lib/node_modules/npm"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$work/root/usr/local/bin/npm"
  ln -s ../lib/node_modules/npm/bin/npx-cli.js "$work/root/usr/local/bin/npx"
  cat > "$work/Dockerfile" <<'DOCKERFILE'
FROM debian:bookworm-slim
COPY root /
ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
RUN useradd -m -u 1000 node
CMD ["node"]
DOCKERFILE
  docker build -q --network none -t node:24-bookworm-slim "$work" >/dev/null 2>&1
  rm -rf "$work"
fi

[ "$servers" = servers ] || exit 0

plugin=$DOCKER_CONFIG/cli-plugins/docker-compose # Compose v2 is in the next Debian release: its package, unpacked here alone
if [ ! -x "$plugin" ]; then
  mkdir -p "$dir"/apt/{lists/partial,cache/archives/partial,parts} "$(dirname "$plugin")"
  awk 'BEGIN{RS="";ORS="\n\n"} /Suites: bookworm bookworm-updates/' /etc/apt/sources.list.d/debian.sources |
    sed 's/^Suites:.*/Suites: trixie/' > "$dir/apt/parts/next.sources"
  options=(-o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$dir/apt/parts" -o Dir::State::lists="$dir/apt/lists"
    -o Dir::Cache="$dir/apt/cache" -o APT::Sandbox::User=root)
  (cd "$dir/apt" && apt-get -qq "${options[@]}" update && apt-get -qq "${options[@]}" download docker-compose && dpkg -x docker-compose_*.deb unpacked)
  cp "$(find "$dir/apt/unpacked" -path '*/cli-plugins/docker-compose' | head -1)" "$plugin"
fi
for image in postgres:18 rabbitmq:4-management; do
  docker image inspect "$image" >/dev/null 2>&1 || docker build -q -t "$image" "$here/images/${image%%:*}" >/dev/null 2>&1
done
