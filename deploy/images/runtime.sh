#!/bin/sh
# runtime.sh ROOT REPRISE: copies Node and every library that it is linked with
#   to ROOT, each where it is here: the root of an image with nothing else in it;
#   to REPRISE, as bin/node and lib/*: to be mounted in any image, and started by its own loader
#     REPRISE/lib/ld.so --library-path REPRISE/lib REPRISE/bin/node
set -eu
root=$1 reprise=$2
node=$(command -v node)
libraries=$(ldd "$node" | grep -o '/[^ ]*')

mkdir -p "$root/etc" "$root/tmp" "$reprise/bin" "$reprise/lib" /empty
chmod 1777 "$root/tmp"
cp -L --parents "$node" $libraries "$root"
cp -L "$node" "$reprise/bin/node"
cp -L $libraries "$reprise/lib/"
# The loader's name differs from one machine type to another; a driver needs one that does not.
ln -s "$(basename "$(ls "$reprise"/lib/ld-linux-*)")" "$reprise/lib/ld.so"

echo 'reprise:x:1000:1000:reprise:/app:/sbin/nologin' > "$root/etc/passwd"
echo 'reprise:x:1000:' > "$root/etc/group"
# Names in /etc/hosts go before those of the name server: the C library's own default is the other way round.
echo 'hosts: files dns' > "$root/etc/nsswitch.conf"
