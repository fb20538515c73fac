#!/bin/sh
# The files of a workspace out through a pipe, and back: pipe.sh out|back FILES FOLDER
#   FILES   what is in the workspace
#   FOLDER  where the compressed tar is kept
# Prints the milliseconds that it took. zstd at its own default; where there is none, gzip at the level that snapshots are compressed with.
set -eu
verb=$1 files=$2 folder=$3

if command -v zstd >/dev/null; then pack='zstd -q -c' unpack='zstd -q -d -c'; else pack='gzip -1 -c' unpack='gzip -d -c'; fi
now() { date +%s%3N; }
from=$(now)
case $verb in
  out)
    tar -C "$files" -cf - . | $pack | tee "$folder/state.packed" | sha256sum >"$folder/state.sum"
    ;;
  back)
    rm -rf "$folder/back"
    mkdir "$folder/back"
    from=$(now)
    sha256sum "$folder/state.packed" >"$folder/back.sum" &
    $unpack "$folder/state.packed" | tar -C "$folder/back" -xf -
    wait
    ;;
esac
echo $(($(now) - from))
