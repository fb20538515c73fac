#!/usr/bin/env bash
# down.sh DIR: removes the containers of up.sh DIR's engine and stops it; its images stay for the next up.sh.
dir=$(cd "$1" 2>/dev/null && pwd) || exit 0
export DOCKER_HOST=unix://$dir/docker.sock DOCKER_CONFIG=$dir/config
mapfile -t containers < <(docker ps -aq 2>/dev/null)
[ ${#containers[@]} -eq 0 ] || docker rm -f "${containers[@]}" >/dev/null
[ -f "$dir/docker.pid" ] && kill "$(cat "$dir/docker.pid")" 2>/dev/null
for _ in $(seq 1 100); do
  [ -f "$dir/docker.pid" ] || break
  sleep 0.2
done
exit 0
