#!/usr/bin/env bash
# The pages in a real Chromium against the real server: the demonstration's country, small and played through, stays
# up while the tests in web/ run, and is gone when they end.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

command -v chromium >/dev/null || { echo "browser tests: /usr/bin/chromium is missing: apt-get install chromium" >&2; exit 1; }
cargo build --locked -p simwarden
target=${CARGO_TARGET_DIR:-target}
scratch=$(mktemp -d "${TMPDIR:-/tmp}/simwarden-pages.XXXXXX")
server=
finish() {
  [ -n "$server" ] && kill "$server" 2>/dev/null && wait "$server" 2>/dev/null
  rm -rf "$scratch"
}
trap finish EXIT

"$target/debug/simwarden" demo --fast --stay --people 2000 --listen 127.0.0.1:0 \
  --tell "$scratch/world" >"$scratch/table" 2>"$scratch/log" &
server=$!
for _ in $(seq 600); do
  grep -q 'goes on' "$scratch/log" && break
  kill -0 "$server" 2>/dev/null || { cat "$scratch/log" "$scratch/table"; echo "browser tests: the server ended" >&2; exit 1; }
  sleep 0.5
done
cat "$scratch/table"
set -a
# shellcheck disable=SC1091
. "$scratch/world"
set +a
curl -fsS -o "$scratch/page" "$SIMWARDEN_URL/console" || { cat "$scratch/log"; echo "browser tests: the server has no pages; build them first: make web" >&2; exit 1; }
(cd web && npm run test:browser -- --reporter=verbose)
