#!/bin/sh
# What a restart and a resume are when a shell does them: by-hand.sh AGENT FILES FOLDER
#   AGENT   the agent's bundle
#   FILES   what is in the workspace
#   FOLDER  to work in; what the last call has left there is gone on from
# Prints the milliseconds that each took. Nothing is compressed, read back or brought to the disk, and nobody is told of it.
set -eu
agent=$1 files=$2 folder=$3

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
  tar -C "$1" -cf "$folder/state.tar" .
  (cd "$folder" && sha256sum state.tar >state.sum)
}
bring_back() {
  mkdir "$1"
  tar -C "$1" -xf "$folder/state.tar"
  start "$1"
}

trap 'kill "$pid" 2>/dev/null || true' EXIT
old=$folder/old restarted=$folder/restarted resumed=$folder/resumed
if [ -d "$resumed" ]; then
  rm -rf "$old" "$restarted"
  mv "$resumed" "$old"
  sync
else
  cp -a "$files" "$old"
fi
start "$old"

from=$(now)
stop
save "$old"
bring_back "$restarted"
restart=$(($(now) - from))

stop
save "$restarted"
sync
from=$(now)
(cd "$folder" && sha256sum --quiet -c state.sum)
bring_back "$resumed"
echo "$restart $(($(now) - from))"
