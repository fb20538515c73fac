#!/bin/sh
# What a restart or a resume is when a shell does it: by-hand.sh restart|resume AGENT FILES FOLDER
#   AGENT   the agent's bundle
#   FILES   what is in the workspace
#   FOLDER  an empty one, to work in
# Prints the milliseconds that it took. Nothing is compressed, read back or brought to the disk, and nobody is told of it.
set -eu
verb=$1 agent=$2 files=$3 folder=$4

export REPRISE_WORKSPACE_ID=ws_01000000000000000000000001 REPRISE_GENERATION=1 REPRISE_POD_TOKEN=by-hand
export REPRISE_GATEWAY_URL=http://127.0.0.1:9 REPRISE_ADDRESS_FILE="$folder/address" REPRISE_COMMAND='["cat"]'

now() { date +%s%3N; }
start() {
  rm -f "$folder/address"
  REPRISE_WORKSPACE_DIR=$1 node "$agent" >"$folder/log" 2>&1 &
  pid=$!
  until [ -s "$folder/address" ]; do
    kill -0 "$pid"
    sleep 0.005
  done
  port=$(sed 's/.*"port":\([0-9]*\).*/\1/' "$folder/address")
  until curl -sf -o /dev/null "http://127.0.0.1:$port/health"; do sleep 0.005; done
}
stop() {
  kill "$pid"
  wait "$pid" || true
}
save() {
  tar -C "$folder/old" -cf "$folder/state.tar" .
  (cd "$folder" && sha256sum state.tar >state.sum)
}
bring_back() {
  mkdir "$folder/new"
  tar -C "$folder/new" -xf "$folder/state.tar"
  start "$folder/new"
}

trap 'kill "$pid" 2>/dev/null || true' EXIT
cp -a "$files" "$folder/old"
start "$folder/old"
case $verb in
  restart)
    from=$(now)
    stop
    save
    bring_back
    ;;
  resume)
    stop
    save
    from=$(now)
    (cd "$folder" && sha256sum --quiet -c state.sum)
    bring_back
    ;;
esac
echo $(($(now) - from))
