#!/usr/bin/env bash
# The pages in a real Chromium against the real server. The tests in web/ start the server themselves, as the program
# that SIMWARDEN_BIN names, and stop it when they end.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

command -v chromium >/dev/null || { echo "browser tests: /usr/bin/chromium is missing: apt-get install chromium" >&2; exit 1; }
cargo build --locked -p simwarden
target=${CARGO_TARGET_DIR:-target}
SIMWARDEN_BIN=$(cd "$target" && pwd)/debug/simwarden
export SIMWARDEN_BIN
cd web
npm run test:browser
