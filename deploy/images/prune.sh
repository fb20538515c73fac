#!/bin/sh
# Takes out of the installed packages what no running service reads: types, source maps, documentation, and builds for other platforms.
set -eu
cd /build
rm -rf node_modules/typeorm/browser node_modules/.package-lock.json
rm -rf node_modules/@smithy/*/dist-es node_modules/@smithy/*/dist-types node_modules/@aws-sdk/*/dist-es node_modules/@aws-sdk/*/dist-types
find . -path '*/node_modules/*' -type f \( \
  -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' -o -name '*.map' -o -name '*.tsbuildinfo' -o -iname 'README*' -o -iname 'CHANGELOG*' \
\) -delete
