#!/bin/sh
# `sh local/node.sh <script> [arguments]`: how package.json starts everything that needs Node 24, whatever Node runs npm.
# A shell, because it becomes what it starts: signals, exit codes and the process above are Node's own.
root="$(dirname "$0")/.."
node="$root/node_modules/.bin/node"

# npm 10 removes the link to the package's node together with those of other platforms' packages.
if [ ! -x "$node" ]; then
  for found in "$root"/node_modules/node-linux-*/bin/node "$root"/node_modules/node-*darwin-*/bin/node; do
    [ -x "$found" ] && ln -s "../${found#"$root/node_modules/"}" "$node" 2>/dev/null
  done
fi

if [ ! -x "$node" ]; then
  node="$(command -v node)"
  if ! "$node" --eval 'process.exit(Number.parseInt(process.versions.node, 10) < 24 ? 1 : 0)' 2>/dev/null; then
    echo "This project needs Node 24, which npm ci brings as an optional package for Linux and macOS (x64, arm64); none is there and this machine's own is $("$node" --version 2>/dev/null || echo missing): install Node 24 or newer." >&2
    exit 1
  fi
fi
exec "$node" "$@"
